// The pointer: press and pull a bar (or a card from outside), pull its end, click to select, double click to open.

import { choose } from './choose.js';
import { icon } from './icons.js';
import { Move } from './move.js';
import { make } from './pieces.js';

const PULL = 4; // px before a press becomes a drag
const EDGE = 6; // px at the end of a bar that change its length
const LEAST_TO_STRETCH = 30;
const BORDER = 36; // px near the edges of the view in which it scrolls along
const SPEED = 14; // px a frame

export class Drag {
  #scene;
  #press = null; // where the pointer went down: {x, y, id, grab, stretch}
  #point = null;
  #frame = 0;
  #dragged = false; // the press that ends is no click
  #stop = null;
  #hovered = null;

  constructor(scene) {
    this.#scene = scene;
    const { body } = scene.view;
    body.addEventListener('pointerdown', event => this.#down(event));
    body.addEventListener('click', event => this.#click(event));
    body.addEventListener('dblclick', event => this.#open(event));
    body.addEventListener('pointerover', event => this.#hover(idOf(event)));
    body.addEventListener('pointerleave', () => this.#hover(null));
  }

  #down(event) {
    const bar = event.target.closest('.tml-bar');
    this.#dragged = false;
    if (event.button !== 0 || !bar || this.#scene.move) return;
    const box = bar.getBoundingClientRect();
    const stretch = box.width >= LEAST_TO_STRETCH && box.right - event.clientX <= EDGE && bar.bar.movable;
    this.#press = { x: event.clientX, y: event.clientY, id: bar.dataset.id, grab: event.clientX - box.left, stretch, from: box.right };
    this.#follow();
  }

  /** A card comes from outside, already in the hand. */
  carry(item, event) {
    this.#press = { x: event.clientX, y: event.clientY, id: null, grab: 8 };
    this.#dragged = true;
    this.#follow();
    this.#begin([item], { carried: true });
    this.#moved(event);
  }

  // Listening on the document: the pointer may leave the timeline, and the bar's element its lane.
  #follow() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    document.addEventListener('pointermove', event => this.#moved(event), { signal });
    document.addEventListener('pointerup', () => this.#up(), { signal });
    document.addEventListener('pointercancel', () => this.#leave(() => this.#scene.move?.cancel()), { signal });
    document.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || !this.#scene.move) return;
      event.preventDefault();
      event.stopPropagation();
      this.#leave(() => this.#scene.move.cancel());
    }, { signal, capture: true });
  }

  #moved(event) {
    this.#point = { x: event.clientX, y: event.clientY };
    const { x, y, id } = this.#press;
    if (!this.#scene.move) {
      if (this.#dragged) return this.#leave(); // it was taken out of the hand
      if (Math.hypot(event.clientX - x, event.clientY - y) < PULL) return;
      if (!this.#pull(id)) return;
    }
    this.#frame ||= requestAnimationFrame(() => this.#step());
  }

  // The press has become a drag, of all selected ones when it is one of them.
  #pull(id) {
    const scene = this.#scene;
    const bar = scene.plan.entries.get(id)?.bar;
    this.#dragged = true;
    if (!bar?.movable) {
      scene.say('fixed', { title: bar?.title ?? '' });
      if (bar) scene.tell('refuse', { ids: [id], lane: bar.lane, start: bar.start, text: '' });
      this.#leave();
      return false;
    }
    if (!this.#press.stretch && !scene.selected.has(id)) choose(scene, id, {});
    this.#begin(this.#press.stretch ? [bar] : together(scene, id), { stretch: this.#press.stretch });
    return true;
  }

  #begin(bars, how) {
    const { view, sprite } = this.#scene;
    new Move(this.#scene, bars, how); // the scene holds it
    if (how.stretch) return;
    view.chip.replaceChildren(icon(sprite, 'grip-vertical'), Object.assign(make('span', 'cut'), { textContent: bars[0].title }));
    if (bars.length > 1) view.chip.append(Object.assign(make('b'), { textContent: `+${bars.length - 1}` }));
    view.chip.hidden = false;
    view.chip.dataset.fits = '';
  }

  // One frame of a drag.
  #step() {
    this.#frame = 0;
    const { scroll } = this.#scene.view;
    const { move } = this.#scene;
    if (!move) return;
    const box = scroll.getBoundingClientRect();
    this.#lead(move, box);
    if (this.#scrollAlong(scroll, box)) this.#frame = requestAnimationFrame(() => this.#step());
  }

  #lead(move, box) {
    const { axis, plan, view } = this.#scene;
    const { x, y } = this.#point;
    const inside = x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
    const left = x - box.left - view.label + view.scroll.scrollLeft;
    if (this.#press.stretch) {
      const end = axis.snap(axis.time(left + this.#press.from - this.#press.x));
      move.to({ ...move.place, length: end - move.lead.start });
      return;
    }
    const lane = inside && plan.laneAt(y - box.top - view.body.offsetTop + view.scroll.scrollTop);
    move.to(lane ? { at: lane.at, start: axis.snap(axis.time(Math.max(0, left - this.#press.grab))) } : null);
    const fits = move.verdict()?.fits ?? '';
    if (move.tone !== fits) view.chip.dataset.fits = move.tone = fits;
    view.chip.style.transform = `translate(${Math.round(x - this.#press.grab)}px, ${Math.round(y + 10)}px) rotate(-1deg)`;
  }

  #scrollAlong(scroll, { left, right, top, bottom }) {
    const { x, y } = this.#point;
    const { label, body } = this.#scene.view;
    if (x < left || x > right || y < top || y > bottom) return false;
    const { scrollLeft, scrollTop } = scroll;
    if (!this.#press.stretch) scroll.scrollTop += y > bottom - BORDER ? SPEED : y < top + body.offsetTop + BORDER ? -SPEED : 0;
    scroll.scrollLeft += x > right - BORDER ? SPEED : x < left + label + BORDER ? -SPEED : 0;
    return scrollLeft !== scroll.scrollLeft || scrollTop !== scroll.scrollTop;
  }

  #up() {
    if (this.#frame) this.#step();
    this.#leave(() => this.#scene.move?.drop());
  }

  #leave(end) {
    this.#stop?.abort();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#press = null;
    this.#scene.view.chip.hidden = true;
    end?.();
  }

  #click(event) {
    if (this.#dragged) return;
    const menu = event.target.closest('.tml-menu');
    if (menu) {
      this.#scene.tell('menu', { lane: menu.closest('[data-lane]').dataset.lane, at: menu });
      return;
    }
    const id = idOf(event);
    if (id) this.#scene.cursor = id;
    choose(this.#scene, id, { one: event.ctrlKey || event.metaKey, range: event.shiftKey });
  }

  #open(event) {
    const id = idOf(event);
    if (id) this.#scene.tell('open', { id });
  }

  #hover(id) {
    if (this.#hovered === id || this.#scene.move) return;
    this.#hovered = id;
    this.#scene.tell('hover', { id });
  }
}

/** What goes along with a bar: all movable ones that are selected, itself first. */
export function together(scene, id) {
  const others = scene.selected.has(id) ? [...scene.selected].filter(one => one !== id) : [];
  return [id, ...others].map(one => scene.plan.entries.get(one)?.bar).filter(bar => bar?.movable);
}

function idOf(event) {
  return event.target.closest('.tml-bar')?.dataset.id ?? null;
}
