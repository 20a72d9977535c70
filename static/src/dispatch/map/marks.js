// What is drawn at a scale: things that would lie on each other become one mark with a count. Marks are made anew when
// the scale passes half an octave, not while it glides, so that they do not flicker; and they do not depend on where
// the window is. They lie in squares of the ground, so that the one under the pointer is found without asking all.

import { around, Squares } from './squares.js';
import { LIFT } from './stamps.js';

/** px between two marks of a kind at least; technicians are wider. */
export const APART = { job: 26, person: 40 };
const RANK = ['bad', 'warn', 'info', 'ok', 'mute']; // the worst first
const REACH = { job: 13, person: 14, station: 11 };
const RING = 34; // px: how far the members of an opened mark stand from it
const ORDER = { station: 0, person: 2, job: 1 };

export class Marks {
  all = [];
  of = new Map(); // thing → its mark
  #squares;

  static level(k) {
    return 2 ** (Math.floor(Math.log2(k) * 2) / 2);
  }

  constructor(places, level) {
    this.level = level;
    this.#squares = new Squares(APART.job / level);
    for (const thing of places.station.values()) this.#add({ kind: 'station', things: [thing], x: thing.x, y: thing.y });
    for (const kind of ['job', 'person']) this.#gather(kind, [...places[kind].values()]);
  }

  // Each joins the first mark of its kind that is near enough, or begins one.
  #gather(kind, things) {
    const near = APART[kind] / this.level;
    const begun = new Squares(near);
    const made = [];
    for (const thing of things) {
      const { x, y } = thing;
      const mark = begun.near(around(x, y, near)).find(one => Math.hypot(one.x - x, one.y - y) < near);
      if (mark) mark.things.push(thing);
      else {
        made.push({ kind, things: [thing], x, y });
        begun.put(made.at(-1), around(x, y, 0));
      }
    }
    for (const mark of made) for (const name of ['x', 'y']) mark[name] = mean(mark.things, name);
    made.sort((a, b) => a.y - b.y).forEach(mark => this.#add(mark)); // the nearer ones stand before those behind
  }

  #add(mark) {
    mark.tones = tally(mark.things);
    this.all.push(mark);
    for (const thing of mark.things) this.of.set(thing, mark);
    this.#squares.put(mark, around(mark.x, mark.y, 0));
  }

  /** The mark at a place of the window, the one on top first. */
  at(sx, sy, ground) {
    const found = this.#squares.near(around(...ground.km(sx, sy), APART.person / ground.k));
    return hit(found.sort((a, b) => ORDER[a.kind] - ORDER[b.kind] || away(b, sx, sy, ground) - away(a, sx, sy, ground)), sx, sy, ground);
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

// How far the pointer is from what is drawn for a mark.
function away({ kind, things, x, y, dx = 0, dy = 0 }, sx, sy, ground) {
  const [px, py] = ground.px(x, y);
  return Math.hypot(px + dx - sx, py + dy - (things.length > 1 && kind === 'job' ? 0 : LIFT[kind]) - sy);
}

/** The last one that is under the pointer. */
export function hit(marks, sx, sy, ground) {
  return marks.findLast(mark => away(mark, sx, sy, ground) < REACH[mark.kind]);
}

// How many of each tone, the worst first.
function tally(things) {
  const counts = RANK.map(tone => [tone, things.filter(({ data }) => (data.tone ?? 'mute') === tone).length]);
  return counts.filter(([, count]) => count);
}

function mean(things, name) {
  return things.reduce((sum, thing) => sum + thing[name], 0) / things.length;
}
