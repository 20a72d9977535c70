// Bars in the hand, by pointer or keyboard: where they would stand, whether that fits, and what becomes of them.

import { icon } from './icons.js';
import { make, MINUTE } from './pieces.js';

export class Move {
  tone = ''; // the verdict that the chip beside the pointer shows

  /**
   * @param {object[]} bars what is moved, the one in the hand first; `carried` when it comes from outside
   * @param {{carried?: boolean, stretch?: boolean, byKeys?: boolean}} how `stretch` changes the length only
   */
  constructor(scene, bars, { carried = false, stretch = false, byKeys = false } = {}) {
    Object.assign(this, { scene, carried, stretch, byKeys });
    this.items = bars.map(bar => this.#item(bar));
    this.lead = this.items[0];
    this.ids = bars.map(bar => bar.id);
    this.place = carried ? null : this.#origin();
    this.ghosts = this.items.map(({ bar }) => ghost(bar, byKeys, scene.sprite));
    scene.move = this;
    scene.view.ghosts.replaceChildren(...this.ghosts);
    scene.host.dataset.moving = stretch ? 'stretch' : 'move';
    scene.touch(this.ids);
    scene.view.title();
    if (!stretch) scene.tell('pick', { ids: this.ids, carried });
    if (byKeys) scene.say('picked', this.facts());
    this.#show();
  }

  #item(bar) {
    const entry = !this.carried && this.scene.plan.entries.get(bar.id);
    if (!entry) return { bar, at: 0, start: 0, length: (bar.durationMin ?? 60) * MINUTE, from: null };
    const { lane, start, end } = entry;
    return { bar, at: this.scene.plan.byLane.get(lane).at, start, length: end - start, from: { lane, start, end } };
  }

  #origin() {
    const { at, start, length } = this.lead;
    return { at, start, length };
  }

  holds(id) {
    return this.ids.includes(id);
  }

  /** Would stand there now; null while the hand is outside. Bars keep their offsets to the lead. */
  to(wish) {
    const next = wish && this.#within({ length: this.lead.length, ...wish });
    const { place } = this;
    if (next === place || (next && place && next.at === place.at && next.start === place.start && next.length === place.length)) return;
    this.place = next;
    this.#show();
    if (!this.stretch && next) this.scene.tell('over', { ids: this.ids, lane: this.#lane(next.at).id, start: next.start });
    if (this.byKeys) this.announce();
  }

  #within({ at, start, length }) {
    const { axis, plan } = this.scene;
    const lanes = this.items.map(item => item.at - this.lead.at);
    const times = this.items.map(item => item.start - this.lead.start);
    return {
      at: between(at, -Math.min(...lanes), plan.lanes.length - 1 - Math.max(...lanes)),
      start: between(start, axis.first - Math.min(...times), axis.last - axis.grain - Math.max(...times)),
      length: Math.max(length, axis.grain),
    };
  }

  #lane(at) {
    return this.scene.plan.lanes[at];
  }

  /** Every bar at its new place. */
  places() {
    const { place, lead } = this;
    return this.items.map(item => {
      const start = place.start + item.start - lead.start;
      const lane = this.#lane(place.at + item.at - lead.at);
      return { id: item.bar.id, lane: lane.id, start, end: start + (item === lead ? place.length : item.length), from: item.from, version: item.bar.version };
    });
  }

  /** The worst of the verdicts on the lanes it would stand in. */
  verdict() {
    const found = this.place ? this.places().map(one => this.scene.verdicts?.[one.lane]).filter(Boolean) : [];
    return found.find(one => one.fits === 'no') ?? found.find(one => one.fits === 'warn') ?? found[0] ?? null;
  }

  #show() {
    const { scene: { axis, plan, verdicts, view, words }, place } = this;
    const places = place ? this.places() : [];
    this.ghosts.forEach((element, number) => {
      const one = places[number];
      const box = one && axis.box(one.start, one.end);
      element.hidden = !box;
      if (!box) return;
      element.style.transform = `translate(${view.label + box.left}px, ${plan.byLane.get(one.lane).y}px)`;
      element.style.width = `${box.width}px`;
      element.dataset.fits = this.stretch ? '' : verdicts?.[one.lane]?.fits ?? '';
      const time = words.time(this.stretch ? one.end : one.start);
      if (element.lastChild.textContent !== time) element.lastChild.textContent = time;
    });
    const target = place && !this.stretch ? view.rows.get(this.#lane(place.at).id)?.element : null;
    if (this.target === target) return;
    this.target?.removeAttribute('data-target');
    target?.setAttribute('data-target', '');
    this.target = target;
  }

  /** The page has judged the lanes meanwhile. */
  judged() {
    this.#show();
    if (this.byKeys && this.scene.verdicts) this.announce();
  }

  /** Rows were drawn, and the page told news of these bars: what is gone or fixed now leaves the hand. */
  heard(ids) {
    const { plan } = this.scene;
    const lost = !this.carried && this.ids.some(id => ids.includes(id) && !plan.entries.get(id)?.bar.movable);
    if (lost) this.cancel('taken');
    else this.#show();
  }

  facts() {
    const { bar } = this.lead;
    const facts = { title: bar.title, short: bar.short ?? '', count: this.items.length, lane: '', start: '', end: '', fits: '', text: '' };
    if (!this.place) return facts;
    const [{ lane, start, end }] = this.places();
    const { words, plan } = this.scene;
    const verdict = this.verdict();
    return { ...facts, lane: plan.byLane.get(lane).title, start: words.time(start), end: words.time(end), fits: verdict?.fits ?? '', text: verdict?.text ?? '' };
  }

  announce() {
    this.scene.say('at', this.facts());
  }

  get unmoved() {
    const { place, lead } = this;
    return Boolean(lead.from) && place?.at === lead.at && place.start === lead.start && place.length === lead.length;
  }

  /** Lets go: the bars stand there, pending, unless a rule says no. */
  drop() {
    if (!this.place || this.unmoved) return this.cancel();
    const { scene } = this;
    const facts = this.facts();
    const places = this.places();
    const [{ id, lane, start, end, from }] = places;
    const resized = from && from.lane === lane && from.start === start;
    const verdict = this.verdict();
    if (!resized && verdict?.fits === 'no') {
      this.#end('refused', facts);
      scene.tell('refuse', { ids: this.ids, lane, start, text: verdict.text });
      return false;
    }
    this.items.forEach(({ bar }, number) => scene.plan.hold(bar, places[number]));
    if (!scene.plan.entries.has(scene.cursor) || this.byKeys) scene.cursor = id;
    this.#end(resized ? 'resized' : 'dropped', facts);
    if (resized) scene.tell('resize', { id, start, end, version: places[0].version });
    else scene.tell('drop', { ids: this.ids, lane, start, end, from, moves: places });
    return true;
  }

  cancel(word = 'cancelled') {
    this.#end(word, this.facts());
    if (!this.stretch) this.scene.tell('cancel', { ids: this.ids, carried: this.carried });
    return false;
  }

  #end(word, facts) {
    const { scene } = this;
    scene.move = null;
    this.target?.removeAttribute('data-target');
    scene.view.ghosts.replaceChildren();
    scene.view.chip.hidden = true;
    delete scene.host.dataset.moving;
    scene.touch(this.ids);
    scene.view.title();
    scene.say(word, facts);
  }
}

function ghost(bar, named, sprite) {
  const element = make('div', 'tml-ghost');
  element.dataset.s = bar.tone || 'mute';
  if (named) element.append(icon(sprite, 'grip-vertical'), Object.assign(make('span', 'cut'), { textContent: bar.title }));
  element.append(make('span', 'tml-ghost-t'));
  return element;
}

function between(value, least, most) {
  return Math.max(least, Math.min(value, most));
}
