// Room for texts: which boxes are taken. Boxes are in pixels from the origin of the ground, not of the window, so what
// fits at a scale fits wherever the window is.

import { around, overlap, Squares } from './squares.js';

export class Room {
  #taken = new Squares(64);

  /** Takes a box around a place, whatever is there. */
  take(x, y, wide, high) {
    const box = around(x, y, wide / 2, high / 2);
    this.#taken.put(box, box);
  }

  /** Takes it if nothing is there. */
  claim(x, y, wide, high) {
    const box = around(x, y, wide / 2, high / 2);
    const free = !this.#taken.near(box).some(one => overlap(one, box));
    if (free) this.#taken.put(box, box);
    return free;
  }
}
