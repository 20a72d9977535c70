// What is planned: lanes in the order of their stations, and bars in them. A bar that was dropped stands at its new
// place, pending, until the page confirms or settles it; `entry.bar` stays what the page said last.

export const ROW = 28; // px, as in timeline.entry.css
export const GROUP = 24;

/** @typedef {{bar: object, lane: string, start: number, end: number, pending: boolean, carried: boolean}} Entry */

export class Plan {
  lanes = []; // in the order drawn, each with its bars: {id, …, at, y, row, entries}
  sections = []; // stations: {group, y, height, row, lanes}
  height = 0;
  rows = 1; // for screen readers; the first is the head
  byLane = new Map();
  /** @type {Map<string, Entry>} */
  entries = new Map();
  changed = new Set(); // lanes to draw again

  load({ groups = [], lanes = [], bars = [] }) {
    Object.assign(this, { lanes: [], sections: [], height: 0, rows: 1 });
    this.byLane.clear();
    this.entries.clear();
    const members = new Map();
    for (const lane of lanes) members.has(lane.group) ? members.get(lane.group).push(lane) : members.set(lane.group, [lane]);
    for (const group of groups) this.#place(group, members.get(group.id) ?? []);
    for (const bar of bars) this.put(bar);
  }

  #place(group, lanes) {
    const section = { group, y: this.height, row: ++this.rows, lanes: [], height: GROUP + lanes.length * ROW };
    for (const lane of lanes) {
      const placed = { ...lane, at: this.lanes.length, y: this.height + GROUP + section.lanes.length * ROW, row: ++this.rows, section, entries: [] };
      section.lanes.push(placed);
      this.lanes.push(placed);
      this.byLane.set(lane.id, placed);
    }
    this.sections.push(section);
    this.height += section.height;
  }

  /** What the page says of a bar; the last word, also over a pending drop. */
  put(bar) {
    this.#stand(bar.id, { bar, lane: bar.lane, start: bar.start, end: bar.end, pending: false, carried: false });
  }

  drop(id) {
    this.#stand(id, null);
  }

  /** A bar stands where it was dropped, until the page has answered. */
  hold(bar, { lane, start, end }) {
    this.#stand(bar.id, { bar, lane, start, end, pending: true, carried: !this.entries.has(bar.id) || this.entries.get(bar.id).carried });
  }

  /** Back to where the page said; what came from outside goes. */
  settle(id) {
    const entry = this.entries.get(id);
    if (!entry?.pending) return;
    if (entry.carried) this.drop(id);
    else this.put(entry.bar);
  }

  #stand(id, entry) {
    const before = this.entries.get(id);
    const old = before && this.byLane.get(before.lane);
    if (old) {
      old.entries.splice(old.entries.indexOf(before), 1);
      this.changed.add(old.id);
    }
    if (!entry) {
      this.entries.delete(id);
      return;
    }
    this.entries.set(id, entry);
    const lane = this.byLane.get(entry.lane);
    if (!lane) return;
    let at = lane.entries.length;
    while (at && lane.entries[at - 1].start > entry.start) at -= 1;
    lane.entries.splice(at, 0, entry);
    this.changed.add(lane.id);
  }

  /** The lane at a height of the body; over the head of a station, its first one. */
  laneAt(y) {
    const section = this.sections.findLast(one => one.y <= y && one.lanes.length) ?? this.sections.find(one => one.lanes.length);
    if (!section) return null;
    return section.lanes[Math.min(Math.max(Math.floor((y - section.y - GROUP) / ROW), 0), section.lanes.length - 1)];
  }

  /** The bar nearest in time in the next lane that has one, `step` 1 down or -1 up. */
  nearest({ lane, start, end }, step) {
    for (let at = this.byLane.get(lane).at + step; this.lanes[at]; at += step) {
      const [first, ...rest] = this.lanes[at].entries;
      const gap = one => Math.abs(one.start + one.end - start - end);
      if (first) return rest.reduce((best, one) => (gap(one) < gap(best) ? one : best), first);
    }
    return null;
  }

  /** What is left beside a bar that is gone. */
  beside(entry) {
    const before = this.byLane.get(entry.lane)?.entries.filter(one => one.start <= entry.start).at(-1);
    return before ?? (this.byLane.has(entry.lane) ? this.nearest(entry, 1) ?? this.nearest(entry, -1) : null);
  }

  /** The first bar of all, where the keyboard comes in. */
  firstEntry() {
    return this.lanes.find(lane => lane.entries.length)?.entries[0] ?? null;
  }
}
