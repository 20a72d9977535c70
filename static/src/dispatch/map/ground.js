// Where things lie: degrees to kilometres on a flat ground, and the window through which a part of it is seen.
//
// The projection is equirectangular around the middle latitude of what is shown. It is linear, so places are projected
// once and then only moved and scaled; and a kilometre has the same length everywhere, northward exactly and eastward
// to about 2 % within 150 km north or south of the middle, so that one scale bar is true for a region. Web Mercator is
// made for tiles, of which there are none here, and its kilometres grow towards the poles.

const DEGREE = 111.195; // km along a meridian
const CHINA = [[18, 73], [54, 135]]; // seen while there is nothing to show
const LEAST = 0.05; // px per km: China on a tablet
const MOST = 400; // a yard
const MARGIN = 44; // px kept free around what is fitted
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
    const all = places.length ? places : CHINA;
    const [south, north] = span(all.map(([lat]) => lat));
    const [west, east] = span(all.map(([, lon]) => lon));
    this.#lat = (south + north) / 2;
    this.#lon = (west + east) / 2;
    const [right, bottom] = this.project(south, east);
    return { left: -right, right, top: -bottom, bottom };
  }

  project(lat, lon) {
    return [(lon - this.#lon) * DEGREE * this.#narrow, (this.#lat - lat) * DEGREE];
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

  sees(sx, sy, beyond = 0) {
    return sx > -beyond && sy > -beyond && sx < this.width + beyond && sy < this.height + beyond;
  }

  /** The window that shows a box of km. */
  around({ left, right, top, bottom }, closest = CLOSEST_FIT) {
    const across = (this.width - 2 * MARGIN) / (right - left);
    const down = (this.height - 2 * MARGIN) / (bottom - top);
    return { x: (left + right) / 2, y: (top + bottom) / 2, k: this.#bounded(Math.min(across, down, closest)) };
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
  return km * MOST < px;
}

function span(numbers) {
  return [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))];
}
