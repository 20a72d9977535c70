// Slow areas: hatched, outlined, and labelled with what the page says of them.

import { fill } from '../timeline/pieces.js';
import { canvas, measure, write } from './stamps.js';

const STEP = 8; // px between two lines of the hatching
const HEIGHT = 18;

/** The hatching, which stays with the ground when that moves. */
export function hatch(ctx, { ground, colours, ratio }) {
  const size = STEP * ratio;
  const one = canvas(size, size);
  const on = one.getContext('2d');
  on.strokeStyle = colours['warn-e'];
  on.lineWidth = ratio;
  on.globalAlpha = 0.55;
  for (const shift of [-size, 0, size]) {
    on.moveTo(shift, size);
    on.lineTo(shift + size, 0);
  }
  on.stroke();
  const pattern = ctx.createPattern(one, 'repeat');
  const [x, y] = ground.px(0, 0);
  pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, x % STEP, y % STEP]));
  return pattern;
}

export function trace(ctx, ground, corners) {
  ctx.beginPath();
  for (const { x, y } of corners) ctx.lineTo(...ground.px(x, y));
  ctx.closePath();
}

/** An area under everything; without the hatching its label, which is above everything. */
export function paintArea(ctx, scene, area, pattern) {
  const { ground, colours: c } = scene;
  const look = scene.look([area]);
  if (!pattern) return paintLabel(ctx, scene, area, look);
  trace(ctx, ground, area.corners);
  ctx.fillStyle = c['warn-s'];
  ctx.globalAlpha = 0.6;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.fillStyle = pattern;
  ctx.fill();
  ctx.lineWidth = look ? 3 : 1.5;
  ctx.strokeStyle = c[look || 'warn-e'];
  return ctx.stroke();
}

// At the upper edge; when that is out of the window, where the area comes into it.
function paintLabel(ctx, scene, area, look) {
  const { ground, colours: c } = scene;
  const [x, top] = ground.px(area.x, area.y);
  const [, bottom] = ground.px(0, area.box.bottom);
  if (bottom < 0) return;
  const y = Math.min(Math.max(top, HEIGHT), bottom);
  const font = c.font(11, 600);
  const room = 2 * (area.box.right - area.box.left) * ground.k;
  const texts = [fill(scene.words.slow, area.data), fill(scene.words.factor, area.data)];
  const text = texts.find(one => measure(ctx, font, one) < room) ?? texts[1];
  const wide = measure(ctx, font, text) + 14;
  ctx.beginPath();
  ctx.roundRect(x - wide / 2, y - HEIGHT / 2, wide, HEIGHT, 4);
  ctx.fillStyle = c['warn-s'];
  ctx.strokeStyle = c[look || 'warn-e'];
  ctx.lineWidth = 1;
  ctx.fill();
  ctx.stroke();
  write(ctx, text, x, y + 0.5, font, c['warn-t']);
}

/** The area at a place of the ground, the one told of last first. */
export function areaAt(areas, x, y) {
  return [...areas.values()].findLast(({ corners }) => inside(corners, x, y));
}

function inside(corners, x, y) {
  let within = false;
  corners.forEach(({ x: x1, y: y1 }, at) => {
    const { x: x2, y: y2 } = corners.at(at - 1);
    if ((y1 > y) !== (y2 > y) && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
  });
  return within;
}
