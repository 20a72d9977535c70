// Drawing an area: points are set one after another by click or by keyboard with a crosshair, until it is closed.

import { trace } from './areas.js';

const CLOSE = 8; // px to the first point, or to the last one: that is where a double click ends
const LEAST = 3; // points
const STEP = 10; // px
const LEAP = 60;
const EDGE = 30; // px: nearer to the edge the map comes along
const CROSS = 11; // px from the middle of the crosshair to its ends
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pen {
  drawing = false;
  #points = []; // in km
  #at = null; // where the pointer or the crosshair is, in px
  #cross = false;

  constructor(scene) {
    this.scene = scene;
  }

  start(drawing) {
    if (drawing === this.drawing) return;
    this.drawing = drawing;
    this.#points = [];
    this.#at = null;
    this.#cross = false;
    this.scene.host.toggleAttribute('data-drawing', drawing);
    if (drawing) {
      this.scene.say('drawing');
      this.#tell();
    }
    this.scene.soon();
  }

  hover(sx, sy) {
    this.#at = [sx, sy];
    this.#cross = false;
    this.scene.soon();
  }

  click(sx, sy) {
    this.hover(sx, sy);
    const enough = this.#points.length >= LEAST;
    if (enough && (this.#near(0) || this.#near(-1))) this.#finish();
    else if (!this.#near(-1)) this.#set();
  }

  press({ key, shiftKey }) {
    if (MOVES[key]) this.#move(MOVES[key].map(by => by * (shiftKey ? LEAP : STEP)));
    else if (key === ' ') this.#place();
    else if (key === 'Enter') this.#finish();
    else if (key === 'Escape') this.#give();
    else if (key === 'Backspace') this.#takeBack();
    else return false;
    this.scene.soon();
    return true;
  }

  #place() {
    this.#show();
    if (this.#points.length >= LEAST && this.#near(0)) this.#finish();
    else if (!this.#near(-1)) this.#set();
  }

  // The crosshair begins in the middle, or where the pointer was.
  #show() {
    const { ground } = this.scene;
    this.#at ??= [ground.width / 2, ground.height / 2];
    this.#cross = true;
  }

  #move([dx, dy]) {
    const { scene, scene: { ground } } = this;
    this.#show();
    const [x, y] = [this.#at[0] + dx, this.#at[1] + dy];
    const over = (at, size) => Math.max(at - size + EDGE, 0) + Math.min(at - EDGE, 0);
    const beyond = [over(x, ground.width), over(y, ground.height)];
    if (beyond[0] || beyond[1]) scene.window(ground.moved(...beyond));
    this.#at = [x - beyond[0], y - beyond[1]];
  }

  #near(at) {
    const point = this.#points.at(at);
    if (!point) return false;
    const [x, y] = this.scene.ground.px(point.x, point.y);
    return Math.hypot(x - this.#at[0], y - this.#at[1]) < CLOSE;
  }

  #set() {
    const { scene } = this;
    const [lat, lon] = scene.ground.degrees(...this.#at);
    this.#points.push(scene.ground.project(lat, lon));
    scene.say('point', { count: this.#points.length, lat, lon });
    this.#tell();
  }

  #takeBack() {
    this.#points.pop();
    this.#tell();
  }

  #tell() {
    this.scene.tell('corner', { count: this.#points.length, least: LEAST });
  }

  /** Closes the outline, if it has corners enough. */
  finish() {
    if (this.drawing) this.#finish();
  }

  #finish() {
    const { scene } = this;
    if (this.#points.length < LEAST) {
      scene.say('few', { count: this.#points.length, least: LEAST });
      scene.tell('few', { count: this.#points.length, least: LEAST });
      return;
    }
    const points = this.#points.map(({ x, y }) => scene.ground.degrees(...scene.ground.px(x, y)).map(angle => Number(angle.toFixed(6))));
    this.start(false);
    scene.say('closed', { count: points.length });
    scene.tell('area', { points });
  }

  #give() {
    this.start(false);
    this.scene.say('cancelled');
    this.scene.tell('cancel', {});
  }

  paint(ctx) {
    if (!this.drawing) return;
    const { ground, colours: c } = this.scene;
    const at = this.#at && ground.project(...ground.degrees(...this.#at));
    trace(ctx, ground, at ? [...this.#points, at] : this.#points);
    ctx.fillStyle = c['accent-soft'];
    ctx.globalAlpha = 0.6;
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.lineWidth = 2;
    ctx.strokeStyle = c.accent;
    ctx.setLineDash([6, 4]);
    ctx.stroke();
    ctx.setLineDash([]);
    this.#points.forEach((point, number) => corner(ctx, ground.px(point.x, point.y), number ? 4 : 6, c));
    if (this.#cross) crosshair(ctx, this.#at, c);
  }
}

function corner(ctx, [x, y], radius, c) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = c.surface;
  ctx.strokeStyle = c.accent;
  ctx.lineWidth = 2;
  ctx.fill();
  ctx.stroke();
}

function crosshair(ctx, [x, y], c) {
  for (const [width, colour] of [[5, c.surface], [2, c.ink]]) {
    ctx.beginPath();
    for (const [dx, dy] of Object.values(MOVES)) {
      ctx.moveTo(x + dx * 3, y + dy * 3);
      ctx.lineTo(x + dx * CROSS, y + dy * CROSS);
    }
    ctx.lineWidth = width;
    ctx.strokeStyle = colour;
    ctx.stroke();
  }
}
