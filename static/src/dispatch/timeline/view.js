// The elements of the timeline. Only lanes in view are in the document (and the one the keyboard stands in); those
// that leave give their elements to those that come.

import { drawHours, drawLines } from './head.js';
import { LaneRow } from './lane.js';
import { fill, make } from './pieces.js';
import { GROUP, ROW } from './plan.js';

const BEYOND = 6; // lanes drawn above and below the view, so that scrolling finds them there
const LATER = 100; // ms
const SPARE_BARS = 400;
let made = 0;

export class View {
  rows = new Map(); // lane → its elements
  beyond = 0;
  #spareRows = [];
  #spareBars = [];

  constructor(scene) {
    this.scene = scene;
    const hidden = { 'aria-hidden': 'true' };
    this.scroll = make('div', 'tml-scroll', { role: 'grid', 'aria-multiselectable': 'true', tabindex: '0' });
    this.corner = make('div', 'tml-corner', { role: 'columnheader' });
    const axis = make('div', 'tml-axis', { role: 'columnheader' });
    this.axisName = make('span', 'sr');
    this.hours = make('div', 'tml-hours', hidden);
    this.body = make('div', 'tml-body');
    this.ground = make('div', 'tml-ground', hidden);
    this.lines = make('div', 'tml-lines', hidden);
    this.ghosts = make('div', 'tml-ghosts', hidden);
    this.empty = make('p', 'tml-empty', { hidden: '' });
    this.help = make('p', 'sr', { id: `timeline-help-${made += 1}` });
    this.status = make('div', 'sr', { role: 'status' });
    this.chip = make('div', 'tml-chip', { hidden: '', ...hidden });
    const head = make('div', 'tml-head', { role: 'row', 'aria-rowindex': '1' });
    axis.append(this.axisName, this.hours);
    head.append(this.corner, axis);
    this.body.append(this.ground, this.lines, this.ghosts);
    this.scroll.append(head, this.body);
    this.scroll.setAttribute('aria-describedby', this.help.id);
    this.nodes = [this.scroll, this.empty, this.help, this.status, this.chip];
  }

  /** Room for the axis, and the width of the labels beside it. */
  measure() {
    this.label = this.corner.offsetWidth;
    this.width = this.scroll.clientWidth;
    this.room = Math.max(this.width - this.label, 1);
  }

  /** Everything from anew: other data, another width or other words. */
  layout() {
    const { scene, body, scroll, corner } = this;
    const { plan, axis, words } = scene;
    this.#clear();
    scroll.setAttribute('aria-label', fill(words.label));
    scroll.setAttribute('aria-rowcount', plan.rows);
    this.axisName.textContent = fill(words.axis);
    scene.host.toggleAttribute('data-days', axis.days);
    scene.host.toggleAttribute('data-wide', axis.width > this.room);
    body.style.width = `${this.label + axis.width}px`;
    body.style.height = `${plan.height}px`;
    this.help.textContent = fill(words.help);
    this.empty.textContent = fill(words.empty);
    this.empty.hidden = plan.lanes.length > 0;
    for (const section of plan.sections) section.element = station(section);
    this.mark();
    this.title();
  }

  /** The hours and the line of now. */
  mark() {
    drawHours(this.hours, this.scene);
    drawLines(this.lines, this.scene);
  }

  /** What stands over the labels: what they are, or what is being placed. */
  title() {
    const { move, words } = this.scene;
    this.corner.textContent = move ? fill(words.placing, move.facts()) : fill(words.lanes);
  }

  #clear() {
    for (const row of this.rows.values()) this.#leave(row);
    this.rows.clear();
    for (const element of this.body.querySelectorAll('.tml-group')) element.remove();
    this.#spareRows.length = this.#spareBars.length = 0; // what they show may have other words and icons now
    this.beyond = 0;
  }

  /** One frame: lanes that came and went, and those in which something changed. */
  draw() {
    const { scene, rows } = this;
    const { plan } = scene;
    const { sections, lanes: wanted } = this.#wanted();
    this.#attach(sections);
    for (const [id, row] of rows) {
      if (wanted.has(row.lane)) continue;
      rows.delete(id);
      this.#leave(row);
    }
    for (const lane of wanted) if (!rows.has(lane.id)) this.#enter(lane);
    for (const id of plan.changed) rows.get(id)?.fill(scene, this.#spareBars);
    plan.changed.clear();
    if (this.beyond === BEYOND) return;
    this.beyond = BEYOND; // first what is seen, when that stands what is beyond
    setTimeout(() => scene.soon(), LATER);
  }

  // Stations in view, in their order; each sticky head in the document costs a layer.
  #attach(wanted) {
    let next = this.ghosts;
    for (const section of [...this.scene.plan.sections].reverse()) {
      const { element } = section;
      if (!wanted.has(section)) element.remove();
      else if (element.nextSibling !== next) this.body.insertBefore(element, next);
      if (wanted.has(section)) next = element;
    }
  }

  judge() {
    for (const row of this.rows.values()) row.judge(this.scene);
  }

  #wanted() {
    const { scene: { plan, cursor }, scroll } = this;
    const top = scroll.scrollTop - this.beyond * ROW;
    const bottom = scroll.scrollTop + scroll.clientHeight + this.beyond * ROW;
    const wanted = { sections: new Set(), lanes: new Set() };
    for (const section of plan.sections) {
      const { y, height, lanes } = section;
      if (y > bottom) break;
      if (y + height < top) continue;
      wanted.sections.add(section);
      const first = Math.max(0, Math.floor((top - y - GROUP) / ROW));
      for (const lane of lanes.slice(first, Math.max(0, Math.ceil((bottom - y - GROUP) / ROW)))) wanted.lanes.add(lane);
    }
    const held = plan.byLane.get(plan.entries.get(cursor)?.lane);
    if (held) {
      wanted.sections.add(held.section);
      wanted.lanes.add(held);
    }
    return wanted;
  }

  #enter(lane) {
    const row = this.#spareRows.pop() ?? new LaneRow();
    const { element } = lane.section;
    row.take(lane, this.scene);
    row.judge(this.scene);
    row.fill(this.scene, this.#spareBars);
    this.rows.set(lane.id, row);
    this.ground.append(row.ground);
    row.element.at = lane.at;
    element.insertBefore(row.element, [...element.children].find(child => child.at > lane.at) ?? null);
  }

  #leave(row) {
    row.leave(this.scene, this.#spareBars);
    this.#spareRows.push(row);
    this.#spareBars.length = Math.min(this.#spareBars.length, SPARE_BARS);
  }

  /** Scrolls as little as needed for this place to be seen beside the labels and below the heads. */
  reveal(lane, box) {
    const { scroll, body, label } = this;
    const bottom = lane.y + ROW + body.offsetTop - scroll.clientHeight;
    if (lane.y - GROUP < scroll.scrollTop) scroll.scrollTop = lane.y - GROUP;
    else if (bottom > scroll.scrollTop) scroll.scrollTop = bottom;
    if (!box) return;
    if (box.left < scroll.scrollLeft) scroll.scrollLeft = box.left;
    else if (box.left + box.width + label > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = Math.min(box.left, box.left + box.width + label - scroll.clientWidth);
  }
}

/** What stands beside the name of a group; a warning has its hue and its sign. */
export function noteGroup(element, { note = '', warn }) {
  element.textContent = warn ? `⚠ ${note}` : note;
  if (warn) element.dataset.s = 'warn';
  else delete element.dataset.s;
}

function station({ group, y, height, row }) {
  const element = make('div', 'tml-group', { role: 'rowgroup' });
  element.style.top = `${y}px`;
  element.style.height = `${height}px`;
  const head = make('div', 'tml-station', { role: 'row', 'aria-rowindex': row });
  const title = make('div', 'tml-station-t', { role: 'rowheader' });
  const note = make('span');
  noteGroup(note, group);
  title.append(Object.assign(make('b'), { textContent: group.title }), note);
  head.append(title);
  element.append(head);
  return element;
}
