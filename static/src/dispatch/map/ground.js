// Where things lie: degrees to kilometres on a flat ground, and the window through which a part of it is seen.
//
// The projection is equirectangular around the middle latitude of what is shown. It is linear, so places are projected
// once and then only moved and scaled; and a kilometre has the same length everywhere, northward exactly and eastward
// to about 2 % within 150 km north or south of the middle, so that one scale bar is true for a region. Web Mercator is
// made for tiles, of which there are none here, and its kilometres grow towards the poles.

import { around, box, overlap } from './squares.js';

const DEGREE = 111.195; // km along a meridian
const CHINA = [[18, 73], [54, 135]]; // seen while there is nothing to show
const LEAST = 0.05; // px per km: China on a tablet
const MOST = 400; // a yard
const SURELY = 1.5; // marks come apart in steps of half an octave, so perhaps only a little later
const SIDES = 88; // px kept free left and right of what is fitted, together
const ABOVE = 46; // where pins rise above their places
const BELOW = 22;
const CLOSEST_FIT = 40; // px per km: a single place is not blown up further

export class Ground {
  x = 0; // km of the window's middle, east and south of the origin
  y = 0;
  k = 1; // px per km
  width = 0;
  height = 0;
  #lat = 35;
  #lon = 105;

  /** Puts the origin into the middle of these places ([lat, lon]) and returns them as a box in km. */
  centre(places) {
    const { left, right, top, bottom } = box((places.length ? places : CHINA).map(([y, x]) => ({ x, y })));
    this.#lat = (top + bottom) / 2;
    this.#lon = (left + right) / 2;
    const { x, y } = this.project(top, right);
    return around(0, 0, x, y);
  }

  project(lat, lon) {
    return { x: (lon - this.#lon) * DEGREE * this.#narrow, y: (this.#lat - lat) * DEGREE };
  }

  /** Degrees of a place in the window. */
  degrees(sx, sy) {
    const [x, y] = this.km(sx, sy);
    return [this.#lat - y / DEGREE, this.#lon + x / (DEGREE * this.#narrow)];
  }

  get #narrow() {
    return Math.cos((this.#lat * Math.PI) / 180);
  }

  px(x, y) {
    return [(x - this.x) * this.k + this.width / 2, (y - this.y) * this.k + this.height / 2];
  }

  km(sx, sy) {
    return [(sx - this.width / 2) / this.k + this.x, (sy - this.height / 2) / this.k + this.y];
  }

  /** The degrees of the window's sides. */
  get view() {
    const [north, west] = this.degrees(0, 0);
    const [south, east] = this.degrees(this.width, this.height);
    return { south, west, north, east };
  }

  /** Whether a box of km reaches into the window, or so many pixels beyond it. */
  sees(one, beyond = 0) {
    return overlap(one, around(this.x, this.y, (this.width / 2 + beyond) / this.k, (this.height / 2 + beyond) / this.k));
  }

  /** The window that shows a box of km. */
  showing({ left, right, top, bottom }, closest = CLOSEST_FIT) {
    const across = (this.width - SIDES) / (right - left);
    const down = (this.height - ABOVE - BELOW) / (bottom - top);
    const k = this.#bounded(Math.min(across, down, closest));
    return { x: (left + right) / 2, y: (top + bottom - (ABOVE - BELOW) / k) / 2, k };
  }

  /** The window so many times closer, in which the place at these pixels stays where it is. */
  closer(by, sx = this.width / 2, sy = this.height / 2, from = this) {
    const k = this.#bounded(from.k * by);
    const keep = 1 / from.k - 1 / k;
    return { x: from.x + (sx - this.width / 2) * keep, y: from.y + (sy - this.height / 2) * keep, k };
  }

  moved(dx, dy, from = this) {
    return { x: from.x + dx / from.k, y: from.y + dy / from.k, k: from.k };
  }

  #bounded(k) {
    return Math.min(Math.max(k, LEAST), MOST);
  }
}

/** Whether places so far apart (km) would still lie on each other at the closest look. */
export function inseparable(km, px) {
  return km * MOST < px * SURELY;
}
