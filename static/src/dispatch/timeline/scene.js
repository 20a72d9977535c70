// What the parts of the timeline share: the plan, the axis, what is selected, and the frame in which all is drawn.

import { Axis } from './axis.js';
import { fill } from './pieces.js';
import { Plan } from './plan.js';
import { View } from './view.js';

export class Scene {
  plan = new Plan();
  bars = new Map(); // bar → its element, of those in view
  selected = new Set();
  cursor = null; // the bar the keyboard stands on
  anchor = null; // the bar from which Shift selects a range
  words = {};
  sprite = '';
  verdicts = null;
  highlight = null;
  /** @type {import('./move.js').Move | null} what is in the hand */
  move = null;
  data = null;
  axis = null;
  drawing = false;
  #incoming = new Map(); // bars the page told of since the last frame, null for one that is gone
  #frame = 0;
  #stale = false;
  #fresh = false;

  constructor(host) {
    this.host = host;
    this.view = new View(this);
  }

  get now() {
    return this.data?.now;
  }

  load(data) {
    this.move?.cancel();
    this.#incoming.clear();
    this.#fresh = !this.data;
    this.data = data;
    this.plan.load(data);
    for (const id of this.selected) if (!this.plan.entries.has(id)) this.selected.delete(id);
    this.renew();
  }

  hear(id, bar) {
    this.#incoming.set(id, bar);
    this.soon();
  }

  /** Everything is drawn again with the next frame. */
  renew() {
    this.#stale = true;
    this.soon();
  }

  soon() {
    if (this.data && this.host.isConnected) this.#frame ||= requestAnimationFrame(() => this.draw());
  }

  /** The frame; called at once where the next line needs what it draws. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { plan, view } = this;
    const focused = this.host.contains(document.activeElement) && document.activeElement.dataset.id;
    this.drawing = true;
    const stood = plan.entries.get(this.cursor);
    for (const [id, bar] of this.#incoming) bar ? plan.put(bar) : plan.drop(id);
    if (this.#stale) this.#layout();
    if (!plan.entries.has(this.cursor)) this.cursor = ((stood && plan.beside(stood)) ?? plan.firstEntry())?.bar.id ?? null;
    view.draw();
    this.#rove(focused);
    this.drawing = false;
    this.move?.heard([...this.#incoming.keys()]);
    this.#incoming.clear();
  }

  #layout() {
    const { view, data } = this;
    this.#stale = false;
    view.measure();
    this.axis = new Axis(data, view.room);
    view.layout();
    if (this.#fresh && this.axis.width > view.room) view.scroll.scrollLeft = this.axis.x(data.now) - view.room / 4;
    this.#fresh = false;
  }

  // One bar takes the Tab key; a bar that changed its place keeps the focus.
  #rove(focused) {
    const element = this.bars.get(this.cursor);
    if (this.roving && this.roving !== element) this.roving.tabIndex = -1;
    if (element?.tabIndex) element.tabIndex = 0;
    this.roving = element;
    this.view.scroll.tabIndex = element ? -1 : 0;
    if (focused && document.activeElement?.dataset.id !== focused) (this.bars.get(focused) ?? element ?? this.view.scroll).focus({ preventScroll: true });
  }

  flags(id, overlaps) {
    return [
      this.selected.has(id) && 'selected',
      this.highlight === id && 'hot',
      this.move?.holds(id) && 'moving',
      overlaps && 'over', // another bar lies beneath: this one lets it peep out
    ];
  }

  /** These bars look different now. */
  touch(ids) {
    for (const id of ids) {
      const entry = this.plan.entries.get(id);
      if (entry) this.plan.changed.add(entry.lane);
    }
    this.soon();
  }

  select(ids) {
    this.touch(this.selected);
    this.selected = new Set(ids);
    this.touch(ids);
  }

  /** Moves the keyboard to a bar, scrolling to it. */
  focus(entry) {
    this.cursor = entry.bar.id;
    this.reveal(entry);
    this.draw();
    this.bars.get(this.cursor)?.focus({ preventScroll: true });
  }

  reveal({ lane, start, end }) {
    const place = this.plan.byLane.get(lane);
    if (place) this.view.reveal(place, this.axis.box(start, end));
  }

  tell(name, detail) {
    this.host.dispatchEvent(new CustomEvent(`timeline-${name}`, { bubbles: true, detail }));
  }

  /** Announces a word to screen readers. */
  say(word, facts) {
    this.view.status.textContent = fill(this.words[word], facts);
  }
}
