// <resource-timeline>: technicians as lanes by station, time from left to right, visits as bars. It is fed with plain
// data and tells by DOM events what somebody does; it knows neither server nor language.
//
// Properties
//   data      {start, end, now, axis: [{start, end}], snapMin, groups, lanes, bars}; times are epoch milliseconds.
//             axis: the spans that are shown, one after another, each beginning at a full hour; without it start…end.
//               groups: {id, title, note, warn}
//               lanes:  {id, group, title, note, warn, menu: whether its head has a button, shifts: [{start, end, onCall}],
//                        breaks: [{start, end}],
//                        away: [{start, end, title}]}
//               bars:   {id, lane, start, end, title, short, state, tone, icon, priority, pinned, risk, parts, travelMin,
//                        version, movable, proposed, done, expected: {start, end} where that is later,
//                        pickup: {start, end, title, late} of a stop that is made for it before}; tone: ok, warn, bad, info or mute; parts: 'ready',
//                        'arriving' or 'missing'; icon: a name of the sprite
//   words     every text: label, lanes, axis, help, empty, menu (of a lane), hour(ms, short), day(ms), time(ms), bar(bar, lane) which names
//             all that matters of it, expected(bar) when it is later, and for
//             what is announced, as function of the facts or text with %(title)s, %(lane)s, %(start)s, %(end)s, %(text)s,
//             %(count)s: placing, picked, at, dropped, resized, refused, cancelled, taken, fixed, selected, settled
//   sprite    address of the icons, also as attribute
//   selected  ids, set and read
//   highlight id of the bar that is pointed at elsewhere, or null
//   verdicts  {lane: {fits: 'yes' | 'warn' | 'no', text}} or null; a drop on a lane that does not fit is refused here
//   now       moves the line of now
//
// Methods
//   upsert(bars), remove(ids)   what changed; drawn together in the next frame
//   settle(ids)                 what was dropped goes back to where the page said (what came from outside goes away)
//   carry(item, pointerEvent)   {id, title, durationMin, tone, short} from outside; without an event by keyboard
//   reveal(id)                  scrolls to a bar
//   note(groups, lanes)         what stands beside their names: maps of id to {note, warn}
//   bar(id)                     what the page said last of a bar, if it is there
//
// Events (bubbling): timeline-select {ids} · timeline-pick {ids, carried} · timeline-over {ids, lane, start} ·
//   timeline-drop {ids, lane, start, end, from, moves} (of the one in the hand; moves: {id, lane, start, end, from, version}
//   of each, version as it was when picked up) · timeline-resize {id, start, end, version} · timeline-refuse {ids, lane,
//   start, text} · timeline-menu {lane, at: the button} · timeline-cancel {ids, carried} · timeline-hover {id} · timeline-open {id}

import { Drag } from './drag.js';
import { readIcons } from './icons.js';
import { Keys } from './keys.js';
import { Scene } from './scene.js';
import { noteGroup } from './view.js';

export class ResourceTimeline extends HTMLElement {
  static observedAttributes = ['sprite'];
  #scene = new Scene(this);
  #drag = new Drag(this.#scene);
  #keys = new Keys(this.#scene);
  #size = new ResizeObserver(() => { if (this.#scene.view.scroll.clientWidth !== this.#scene.view.width) this.#scene.renew(); else this.#scene.soon(); });

  connectedCallback() {
    const { view } = this.#scene;
    if (!view.scroll.isConnected) this.replaceChildren(...view.nodes);
    view.scroll.addEventListener('scroll', this.#scrolled, { passive: true });
    this.#size.observe(view.scroll);
    this.#scene.renew();
  }

  disconnectedCallback() {
    this.#size.disconnect();
    this.#scene.move?.cancel();
  }

  attributeChangedCallback(_name, _before, address) {
    this.sprite = address;
  }

  #scrolled = () => this.#scene.soon();

  get data() { return this.#scene.data; }
  set data(data) { this.#scene.load(data); }

  get words() { return this.#scene.words; }
  set words(words) {
    this.#scene.words = words;
    this.#scene.renew();
  }

  get sprite() { return this.#scene.sprite; }
  set sprite(address) {
    this.#scene.sprite = address;
    readIcons(address).then(fresh => { if (fresh) this.#scene.renew(); });
  }

  get selected() { return [...this.#scene.selected]; }
  set selected(ids) { this.#scene.select(ids); }

  get highlight() { return this.#scene.highlight; }
  set highlight(id) {
    const before = this.#scene.highlight;
    this.#scene.highlight = id;
    this.#scene.touch([before, id]);
  }

  get verdicts() { return this.#scene.verdicts; }
  set verdicts(verdicts) {
    this.#scene.verdicts = verdicts;
    this.#scene.view.judge();
    this.#scene.move?.judged();
  }

  get now() { return this.#scene.now; }
  set now(moment) {
    this.#scene.data.now = moment;
    if (this.#scene.axis) this.#scene.view.mark();
  }

  upsert(bars) {
    for (const bar of bars) this.#scene.hear(bar.id, bar);
  }

  remove(ids) {
    for (const id of ids) this.#scene.hear(id, null);
  }

  settle(ids) {
    for (const id of ids) {
      const entry = this.#scene.plan.entries.get(id);
      if (entry?.pending) this.#scene.say('settled', { title: entry.bar.title, count: ids.length });
      this.#scene.plan.settle(id);
    }
    this.#scene.soon();
  }

  carry(item, pointerEvent) {
    if (pointerEvent) this.#drag.carry(item, pointerEvent);
    else this.#keys.carry(item);
  }

  reveal(id) {
    const entry = this.#scene.plan.entries.get(id);
    if (entry) this.#scene.reveal(entry);
  }

  note(groups, lanes = new Map()) {
    for (const section of this.#scene.plan.sections) {
      const { note = '', warn = false } = groups.get(section.group.id) ?? {};
      section.group = { ...section.group, note, warn };
      if (section.element) noteGroup(section.element.querySelector('.tml-station-t > span'), section.group);
    }
    for (const lane of this.#scene.plan.lanes) {
      const { note = '', warn = false } = lanes.get(lane.id) ?? lane;
      Object.assign(lane, { note, warn });
    }
    this.#scene.view.judge();
  }

  bar(id) {
    return this.#scene.plan.entries.get(id)?.bar;
  }
}
