// Room for texts: which boxes are taken. Boxes are in pixels from the origin of the ground, not of the window, so what
// fits at a scale fits wherever the window is.

const SQUARE = 64;

export class Room {
  #squares = new Map();

  /** Takes a box around a place if nothing is there. */
  claim(x, y, width, height) {
    const box = { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
    const squares = [...this.#under(box)];
    const taken = squares.some(key => this.#squares.get(key)?.some(one => one.left < box.right && box.left < one.right && one.top < box.bottom && box.top < one.bottom));
    if (!taken) this.#take(box, squares);
    return !taken;
  }

  /** Takes a box whatever is there. */
  take(x, y, width, height) {
    const box = { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
    this.#take(box, [...this.#under(box)]);
  }

  #take(box, squares) {
    for (const key of squares) {
      if (this.#squares.has(key)) this.#squares.get(key).push(box);
      else this.#squares.set(key, [box]);
    }
  }

  * #under({ left, right, top, bottom }) {
    for (let column = Math.floor(left / SQUARE); column <= right / SQUARE; column += 1) {
      for (let row = Math.floor(top / SQUARE); row <= bottom / SQUARE; row += 1) yield `${column} ${row}`;
    }
  }
}
