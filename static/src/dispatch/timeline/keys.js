// The keyboard. Arrows go between bars, and left of the first one to the menu of the lane; Enter picks up, arrows then move in time and between lanes (Shift: half an
// hour, Alt: the length), Enter drops, Esc gives back. Enter twice opens; Space selects.

import { choose } from './choose.js';
import { together } from './drag.js';
import { Move } from './move.js';
import { MINUTE } from './pieces.js';

const LEAP = 30 * MINUTE;
const PAGE = 10; // lanes
const HEAD = Symbol('the menu of a lane, in place of a bar');

export class Keys {
  #scene;

  constructor(scene) {
    this.#scene = scene;
    scene.view.scroll.addEventListener('keydown', event => this.#press(event));
    scene.view.scroll.addEventListener('focusin', ({ target }) => {
      if (target.dataset.id && target.dataset.id !== scene.cursor) {
        scene.cursor = target.dataset.id;
        scene.soon();
      }
    });
    scene.view.scroll.addEventListener('focusout', ({ relatedTarget }) => {
      if (scene.move?.byKeys && !scene.drawing && !scene.view.scroll.contains(relatedTarget)) scene.move.cancel();
    });
  }

  /** A card from outside is placed by keyboard, beginning at `start` or now in the first lane in view. */
  carry(item) {
    const scene = this.#scene;
    const { axis, plan, view } = scene;
    if (!scene.data) return;
    scene.draw();
    view.scroll.tabIndex = -1;
    view.scroll.focus({ preventScroll: true });
    const lane = plan.byLane.get(item.lane) ?? plan.laneAt(view.scroll.scrollTop + 1);
    if (!lane) return;
    const move = new Move(scene, [item], { carried: true, byKeys: true });
    move.to({ at: lane.at, start: axis.snap(Math.max(item.start ?? scene.now, axis.first)) });
    this.#reveal(move);
  }

  #press(event) {
    const { move } = this.#scene;
    if ((event.ctrlKey && !['Home', 'End', ' '].includes(event.key)) || event.metaKey) return;
    if (move && !move.byKeys) return;
    const head = event.target.closest('.tml-menu');
    const done = move ? this.#shift(move, event) : head ? this.#walkHeads(head, event.key) : this.#walk(event);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #walk({ key, ctrlKey }) {
    const scene = this.#scene;
    const { plan, cursor } = scene;
    const entry = plan.entries.get(cursor);
    if (!entry) return false;
    const { entries } = plan.byLane.get(entry.lane);
    const all = ctrlKey ? plan.lanes.flatMap(lane => lane.entries) : entries;
    const at = entries.indexOf(entry);
    const to = {
      ArrowLeft: () => entries[at - 1] ?? this.#head(plan.byLane.get(entry.lane)),
      ArrowRight: () => entries[at + 1],
      ArrowUp: () => plan.nearest(entry, -1),
      ArrowDown: () => plan.nearest(entry, 1),
      PageUp: () => this.#pages(entry, -1),
      PageDown: () => this.#pages(entry, 1),
      Home: () => all[0],
      End: () => all.at(-1),
    }[key];
    if (to) {
      const next = to();
      if (next === HEAD) return true;
      if (next) scene.focus(next);
      return true;
    }
    if (key === 'Enter') this.#pickUp(entry);
    else if (key === ' ') choose(scene, cursor, { one: true });
    else if (key === 'Escape' && scene.selected.size) choose(scene, null, {});
    else return false;
    return true;
  }

  // From one lane's menu to another's, or back to its bars; Enter presses it.
  #walkHeads(head, key) {
    const { plan } = this.#scene;
    const lane = plan.byLane.get(head.closest('[data-lane]').dataset.lane);
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE }[key];
    if (step) this.#head(plan.lanes[Math.min(Math.max(lane.at + step, 0), plan.lanes.length - 1)]);
    else if (key === 'ArrowRight' || key === 'Escape') this.#in(lane.entries[0] ?? plan.beside({ lane: lane.id, start: 0, end: 0 }));
    else return false;
    return true;
  }

  #in(entry) {
    if (entry) this.#scene.focus(entry);
  }

  #head(lane) {
    const { view } = this.#scene;
    view.reveal(lane, null);
    this.#scene.draw();
    view.rows.get(lane.id)?.label.querySelector('.tml-menu')?.focus({ preventScroll: true });
    return HEAD;
  }

  #pages(entry, step) {
    let found = entry;
    for (let lanes = 0; lanes < PAGE; lanes += 1) found = this.#scene.plan.nearest(found, step) ?? found;
    return found;
  }

  #pickUp({ bar }) {
    if (bar.movable) new Move(this.#scene, together(this.#scene, bar.id), { byKeys: true }); // the scene holds it
    else this.#scene.tell('open', { id: bar.id });
  }

  #shift(move, { key, shiftKey, altKey }) {
    const { axis, plan } = this.#scene;
    const { place } = move;
    const step = shiftKey ? LEAP : axis.grain;
    const across = { ArrowLeft: -step, ArrowRight: step }[key];
    const down = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE }[key];
    if (across && altKey) move.to({ ...place, length: place.length + across });
    else if (across) move.to({ ...place, start: axis.step(place.start, across) });
    else if (down) move.to({ ...place, at: place.at + down });
    else if (key === 'Home') move.to({ ...place, start: shift(plan.lanes[place.at], axis).start });
    else if (key === 'End') move.to({ ...place, start: shift(plan.lanes[place.at], axis).end - place.length });
    else if (key === 'Enter' || key === ' ') return this.#drop(move);
    else if (key === 'Escape') move.cancel();
    else return false;
    if (this.#scene.move) this.#reveal(move);
    return true;
  }

  #drop(move) {
    if (move.unmoved) {
      move.cancel();
      this.#scene.tell('open', { id: move.lead.bar.id });
    } else if (move.drop()) {
      this.#scene.focus(this.#scene.plan.entries.get(move.lead.bar.id));
    }
    return true;
  }

  #reveal({ place }) {
    const { axis, plan, view } = this.#scene;
    view.reveal(plan.lanes[place.at], axis.box(place.start, place.start + place.length));
  }
}

// When the technician's day begins and ends, as far as it is shown.
function shift({ shifts }, { first, last }) {
  const start = Math.max(first, shifts?.[0]?.start ?? first);
  return { start, end: Math.min(last, shifts?.at(-1)?.end ?? last) };
}
