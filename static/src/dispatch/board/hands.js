// From hand to board: cards of the queue are carried in, lanes are judged while something is in the hand, drops are asked.

import { toast } from '../../foundation/toast.js';
import { fill } from '../timeline/pieces.js';
import { ask, technicianOf } from './server.js';

const PULL = 5; // px before a press on a card becomes a drag

export class Hands {
  #timeline;
  #drop;
  #carried = new Map(); // id → the card that was carried in

  constructor(timeline, drop) {
    this.#timeline = timeline;
    this.#drop = drop;
    timeline.addEventListener('timeline-pick', ({ detail: { ids } }) => this.#judge(ids));
    timeline.addEventListener('timeline-cancel', () => this.#rest());
    timeline.addEventListener('timeline-drop', ({ detail: { moves } }) => this.#dropped(moves));
    timeline.addEventListener('timeline-resize', ({ detail }) => this.#resized(detail));
    timeline.addEventListener('timeline-refuse', ({ detail }) => this.#refused(detail));
  }

  /** A card of the queue in the hand; without an event by keyboard. */
  carry(card, event) {
    const item = JSON.parse(card.dataset.carry);
    this.#carried.set(item.id, item);
    this.#timeline.carry(item, event);
  }

  /** A press on a card that is pulled away becomes a drag, and no click. */
  press(card, { clientX, clientY, pointerId }) {
    const stop = new AbortController();
    const { signal } = stop;
    const moved = event => {
      if (event.pointerId !== pointerId || Math.hypot(event.clientX - clientX, event.clientY - clientY) < PULL) return;
      stop.abort();
      document.addEventListener('click', noClick, { capture: true, once: true });
      document.addEventListener('pointerup', () => setTimeout(() => document.removeEventListener('click', noClick, { capture: true })), { once: true });
      this.carry(card, event);
    };
    document.addEventListener('pointermove', moved, { signal });
    for (const end of ['pointerup', 'pointercancel']) document.addEventListener(end, () => stop.abort(), { signal });
  }

  // Each lane says whether it fits. Of several each has its own answer: those are told when they are dropped.
  async #judge(ids) {
    this.#rest();
    if (ids.length > 1) return;
    const url = new URL('/dispatch/verdicts', location.origin);
    for (const name of ['date', 'days']) if (shown().has(name)) url.searchParams.set(name, shown().get(name));
    const { order } = this.#carried.get(ids[0]) ?? {};
    url.searchParams.set(order ? 'order' : 'visit', order ?? ids[0]);
    const verdicts = await ask(url).catch(() => null);
    if (!verdicts || !this.#timeline.dataset.moving) return;
    this.#timeline.verdicts = Object.fromEntries(this.#timeline.data.lanes.map(({ id }) => [id, verdicts[technicianOf(id)]]));
  }

  #rest() {
    this.#timeline.verdicts = null;
  }

  #dropped(moves) {
    this.#rest();
    this.#drop.propose(moves.map(move => ({ ...move, order: this.#carried.get(move.id)?.order })));
  }

  #resized({ id, start, end, version }) {
    this.#drop.propose([{ id, lane: this.#timeline.bar(id).lane, start, end, version }]);
  }

  // A lane says no: the server says why in full, and which time would do.
  #refused({ ids: [id], lane, start, text }) {
    this.#rest();
    const item = this.#carried.get(id) ?? this.#timeline.bar(id);
    if (!text) {
      toast(fill(this.#timeline.words.fixed, { title: item?.title ?? '' }));
      return;
    }
    const length = item.durationMin ? item.durationMin * 60_000 : item.end - item.start;
    this.#drop.propose([{ id, order: item.order, lane, start, end: start + length, version: item.version }]);
  }
}

function noClick(event) {
  event.preventDefault();
  event.stopPropagation();
}

function shown() {
  return new URLSearchParams(location.search);
}
