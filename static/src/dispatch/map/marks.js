// What is drawn at a scale: things that would lie on each other become one mark with a count. Marks are made anew when
// the scale passes half an octave, not while it glides, so that they do not flicker; and they do not depend on where
// the window is. They lie in squares of the ground, so that the one under the pointer is found without asking all.

import { LIFT } from './stamps.js';

const APART = 26; // px between two marks at least
const RANK = ['bad', 'warn', 'info', 'ok', 'mute']; // the worst first
const REACH = { job: 13, person: 14, station: 11 };
const RING = 34; // px: how far the members of an opened mark stand from it
const ORDER = { station: 0, person: 2, job: 1 };

export class Marks {
  all = [];
  of = new Map(); // thing → its mark
  #squares = new Map();
  #size = 1;

  static level(k) {
    return 2 ** (Math.floor(Math.log2(k) * 2) / 2);
  }

  constructor(places, level) {
    this.level = level;
    this.#size = (2 * APART) / level;
    for (const thing of places.station.values()) this.#add({ kind: 'station', things: [thing], x: thing.x, y: thing.y });
    for (const kind of ['job', 'person']) this.#gather(kind, [...places[kind].values()]);
  }

  // Each joins the first mark of its kind that is near enough, or begins one.
  #gather(kind, things) {
    const near = APART / this.level;
    const fresh = new Map();
    const made = [];
    for (const thing of things) {
      const column = Math.floor(thing.x / near);
      const row = Math.floor(thing.y / near);
      const mark = around(fresh, column, row).find(one => Math.hypot(one.x - thing.x, one.y - thing.y) < near);
      if (mark) mark.things.push(thing);
      else {
        const begun = { kind, things: [thing], x: thing.x, y: thing.y };
        push(fresh, column, row, begun);
        made.push(begun);
      }
    }
    for (const mark of made) {
      mark.x = mean(mark.things, 'x');
      mark.y = mean(mark.things, 'y');
    }
    made.sort((a, b) => a.y - b.y).forEach(mark => this.#add(mark)); // the nearer ones stand before those behind
  }

  #add(mark) {
    if (mark.things.length > 1) mark.tones = tally(mark.things);
    this.all.push(mark);
    for (const thing of mark.things) this.of.set(thing, mark);
    push(this.#squares, Math.floor(mark.x / this.#size), Math.floor(mark.y / this.#size), mark);
  }

  /** The mark at a place of the window, the one on top first. */
  at(sx, sy, ground) {
    const [x, y] = ground.km(sx, sy);
    return around(this.#squares, Math.floor(x / this.#size), Math.floor(y / this.#size))
      .map(mark => ({ mark, off: away(mark, sx, sy, ground) }))
      .filter(({ mark, off }) => off < REACH[mark.kind])
      .sort((a, b) => ORDER[b.mark.kind] - ORDER[a.mark.kind] || a.off - b.off)[0]?.mark;
  }
}

/** The members of an opened mark, each with where it stands beside it. */
export function fanned({ kind, things, x, y }) {
  const radius = Math.max(RING, (things.length * 26) / (2 * Math.PI));
  return things.map((thing, at) => {
    const turn = (at / things.length) * 2 * Math.PI - Math.PI / 2;
    return { kind, things: [thing], x, y, dx: radius * Math.cos(turn), dy: radius * Math.sin(turn) };
  });
}

/** How far the pointer is from what is drawn for a mark. */
export function away({ kind, things, x, y, dx = 0, dy = 0 }, sx, sy, ground) {
  const [px, py] = ground.px(x, y);
  return Math.hypot(px + dx - sx, py + dy - (things.length > 1 ? 0 : LIFT[kind]) - sy);
}

export function hit(marks, sx, sy, ground) {
  return marks.findLast(mark => away(mark, sx, sy, ground) < REACH[mark.kind]);
}

export function box(things) {
  const xs = things.map(({ x }) => x);
  const ys = things.map(({ y }) => y);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

// How many of each tone, the worst first.
function tally(things) {
  const counts = RANK.map(tone => [tone, things.filter(({ data }) => (data.tone ?? 'mute') === tone).length]);
  return counts.filter(([, count]) => count);
}

function around(squares, column, row) {
  const found = [];
  for (let across = -1; across <= 1; across += 1) {
    for (let down = -1; down <= 1; down += 1) found.push(...(squares.get(key(column + across, row + down)) ?? []));
  }
  return found;
}

function push(squares, column, row, mark) {
  const square = key(column, row);
  if (squares.has(square)) squares.get(square).push(mark);
  else squares.set(square, [mark]);
}

function key(column, row) {
  return column * 1e6 + row;
}

function mean(things, name) {
  return things.reduce((sum, thing) => sum + thing[name], 0) / things.length;
}
