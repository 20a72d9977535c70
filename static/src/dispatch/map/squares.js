// What lies where, by squares of the ground: a question looks at a few squares and not at everything.

export class Squares {
  #all = new Map();
  #size;

  constructor(size) {
    this.#size = size;
  }

  put(one, box) {
    for (const key of this.#under(box)) {
      const square = this.#all.get(key);
      if (square) square.push(one);
      else this.#all.set(key, [one]);
    }
  }

  /** All that lies in the squares under a box, some of it perhaps beside the box. */
  near(box) {
    return this.#under(box).flatMap(key => this.#all.get(key) ?? []);
  }

  #under({ left, right, top, bottom }) {
    const keys = [];
    for (let column = Math.floor(left / this.#size); column <= right / this.#size; column += 1) {
      for (let row = Math.floor(top / this.#size); row <= bottom / this.#size; row += 1) keys.push(column * 1e6 + row);
    }
    return keys;
  }
}

/** The box so far around a place. */
export function around(x, y, across, down = across) {
  return { left: x - across, right: x + across, top: y - down, bottom: y + down };
}

/** The box of several places. */
export function box(places) {
  const [left, right] = ends(places.map(({ x }) => x));
  const [top, bottom] = ends(places.map(({ y }) => y));
  return { left, right, top, bottom };
}

export function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function ends(numbers) {
  return [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))];
}
