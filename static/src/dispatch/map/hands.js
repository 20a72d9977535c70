// The pointer: a drag moves the map, the wheel and two fingers bring it closer, a click chooses, a double click goes
// closer; with the pen a click sets a point.

const FIRM = 4; // px: less is a click
const WHEEL = 0.0018; // per px of the wheel
const PINCH = 0.01; // of a touchpad, which sends small steps
const LINE = 20; // px of a wheel that counts lines
const CLOSER = 2;

export class Hands {
  #scene;
  #down = new Map(); // pointer → where it is
  #moved = false;

  constructor(scene) {
    const { stage, buttons } = scene.view;
    this.#scene = scene;
    stage.addEventListener('pointerdown', event => this.#press(event));
    stage.addEventListener('pointermove', event => this.#move(event));
    stage.addEventListener('pointerup', event => this.#release(event));
    stage.addEventListener('pointercancel', event => this.#forget(event));
    stage.addEventListener('pointerleave', () => { if (!this.#down.size) scene.point(null); });
    stage.addEventListener('wheel', event => this.#wheel(event), { passive: false });
    stage.addEventListener('dblclick', event => this.#twice(event));
    buttons.zoomIn.addEventListener('click', () => this.zoom(CLOSER));
    buttons.zoomOut.addEventListener('click', () => this.zoom(1 / CLOSER));
    buttons.fit.addEventListener('click', () => scene.fit());
  }

  zoom(by) {
    const { ground, target } = this.#scene;
    this.#scene.glide(ground.closer(by, undefined, undefined, target));
  }

  #press(event) {
    if (event.button) return;
    this.#moved = this.#down.size > 0;
    this.#down.set(event.pointerId, place(event));
    event.currentTarget.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const scene = this.#scene;
    const before = this.#down.get(event.pointerId);
    const [x, y] = place(event);
    if (scene.pen.drawing) scene.pen.hover(x, y);
    if (!before) {
      if (!scene.pen.drawing) scene.point(scene.at(x, y));
      return;
    }
    if (!this.#moved && Math.hypot(x - before[0], y - before[1]) < FIRM) return;
    this.#moved = true;
    const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1];
    const { ground } = scene;
    if (other) this.#pinch(before, [x, y], other);
    else scene.window(ground.moved(before[0] - x, before[1] - y));
    scene.view.stage.toggleAttribute('data-held', true);
    this.#down.set(event.pointerId, [x, y]);
  }

  // The middle between the fingers stays between them.
  #pinch(before, now, other) {
    const { ground } = this.#scene;
    const apart = ([x, y]) => Math.max(Math.hypot(x - other[0], y - other[1]), 1);
    const middle = ([x, y]) => [(x + other[0]) / 2, (y + other[1]) / 2];
    const [from, to] = [middle(before), middle(now)];
    const closer = ground.closer(apart(now) / apart(before), ...from);
    this.#scene.window(ground.moved(from[0] - to[0], from[1] - to[1], closer));
  }

  #release(event) {
    const held = this.#down.has(event.pointerId);
    const click = held && !this.#moved;
    this.#forget(event);
    if (!click) return;
    const scene = this.#scene;
    if (scene.pen.drawing) scene.pen.click(...place(event));
    else scene.choose(scene.at(...place(event)));
  }

  #forget(event) {
    this.#down.delete(event.pointerId);
    if (!this.#down.size) this.#scene.view.stage.toggleAttribute('data-held', false);
  }

  #wheel(event) {
    event.preventDefault();
    const { ground } = this.#scene;
    const by = event.deltaY * (event.deltaMode ? LINE : 1) * (event.ctrlKey ? PINCH : WHEEL);
    this.#scene.window(ground.closer(Math.exp(-by), ...place(event)));
  }

  #twice(event) {
    const scene = this.#scene;
    const at = place(event);
    if (!scene.pen.drawing && !scene.at(...at)) scene.glide(scene.ground.closer(CLOSER, ...at));
  }
}

function place({ offsetX, offsetY }) {
  return [offsetX, offsetY];
}
