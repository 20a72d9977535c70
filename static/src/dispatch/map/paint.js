// One drawing of the map, from the ground up: grid, quiet names, slow areas, routes, marks, what is pointed at, the pen.

import { hatch, paintArea } from './areas.js';
import { Room } from './room.js';
import { around } from './squares.js';
import { LIFT, measure, write } from './stamps.js';

const SQUARE = 60; // px at least between two lines of the grid
const ARROW = 36; // px: shorter ways have no arrowhead
const CALM = 30; // routes that may be drawn in full strength
const BESIDE = 11; // px from a station to its name
const OUTSIDE = 60; // px beyond the window where something may still reach in

/** 1, 2 or 5 times a power of ten: the km between two lines, which the scale bar shows too. */
export function gridStep(k) {
  const least = SQUARE / k;
  const ten = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].find(times => times * ten >= least) * ten;
}

export function paint(ctx, scene) {
  const { ground, colours: c, ratio, places } = scene;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.fillStyle = c.canvas;
  ctx.fillRect(0, 0, ground.width, ground.height);
  grid(ctx, ground, c);
  const lines = hatch(ctx, scene);
  for (const area of places.area.values()) paintArea(ctx, scene, area, lines);
  names(ctx, scene, false);
  routes(ctx, scene);
  names(ctx, scene, true);
  marks(ctx, scene);
  for (const area of places.area.values()) paintArea(ctx, scene, area);
  scene.pen.paint(ctx);
}

function grid(ctx, { x, y, k, width, height }, c) {
  const step = gridStep(k) * k;
  const first = (middle, size) => (((size / 2 - middle * k) % step) + step) % step;
  ctx.beginPath();
  for (let at = first(x, width); at < width; at += step) line(ctx, Math.round(at) + 0.5, 0, Math.round(at) + 0.5, height);
  for (let at = first(y, height); at < height; at += step) line(ctx, 0, Math.round(at) + 0.5, width, Math.round(at) + 0.5);
  ctx.lineWidth = 1;
  ctx.strokeStyle = c.line;
  ctx.stroke();
}

function line(ctx, x1, y1, x2, y2) {
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
}

function names(ctx, { ground, colours: c, names: shown }, strong) {
  for (const { thing: { kind, x, y, data }, font, colour, dx } of shown) {
    const [px, py] = ground.px(x, y);
    if (Boolean(kind) === strong && ground.sees(around(x, y, 0), 4 * OUTSIDE)) write(ctx, data.title, px + dx, py, font, colour, c.canvas);
  }
}

// The routes with which to compare lie dashed below; those that are lit lie on top.
function routes(ctx, { ground, colours: c, places, lit }) {
  const people = [...places.person.values()].filter(({ stops }) => stops.length);
  const calm = people.filter(person => !lit.has(person) && !person.changed);
  const changed = people.filter(person => !lit.has(person) && person.changed);
  const bright = people.filter(person => lit.has(person));
  const some = bright.length > 0;
  ctx.lineJoin = ctx.lineCap = 'round';
  const crowd = Math.min(1, Math.max(CALM / calm.length, 0.2)); // many lines are one grey: each says less
  way(ctx, ground, calm, { colour: c.s3, width: 1.5, strength: 0.8 * crowd * (places.before.length || some ? 0.4 : 1), plain: crowd < 0.3 });
  ctx.setLineDash([2, 5]);
  const before = places.before.filter(({ person }) => person.changed);
  way(ctx, ground, before, { colour: c['ink-3'], width: 2, strength: some ? 0.5 : 1, plain: true });
  ctx.setLineDash([]);
  way(ctx, ground, changed, { colour: c.accent, width: 2, strength: some ? 0.4 : 1 });
  way(ctx, ground, bright, { colour: c.canvas, width: 5.5, strength: 1, plain: true });
  way(ctx, ground, bright, { colour: c.accent, width: 2.5, strength: 1, head: 6 });
}

// A path for each route: thousands of lines in one path take the rasterizer twice as long.
function way(ctx, ground, people, { colour, width, strength, plain, head = 4.5 }) {
  Object.assign(ctx, { globalAlpha: strength, strokeStyle: colour, fillStyle: colour, lineWidth: width });
  for (const one of people) {
    const legs = legsOf(one, ground);
    if (!legs.length) continue;
    ctx.beginPath();
    for (const [x1, y1, x2, y2] of legs) line(ctx, x1, y1, x2, y2);
    ctx.stroke();
    ctx.beginPath();
    if (!plain) for (const leg of legs) arrow(ctx, leg, head);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

function legsOf(one, ground) {
  const legs = [];
  const from = one.person ?? one;
  let [x1, y1] = ground.px(from.x, from.y);
  for (const stop of one.stops) {
    const [x2, y2] = ground.px(stop.x, stop.y);
    if (Math.max(x1, x2) > 0 && Math.min(x1, x2) < ground.width && Math.max(y1, y2) > 0 && Math.min(y1, y2) < ground.height) legs.push([x1, y1, x2, y2]);
    [x1, y1] = [x2, y2];
  }
  return legs;
}

function arrow(ctx, [x1, y1, x2, y2], size) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < ARROW) return;
  const [dx, dy] = [((x2 - x1) / length) * size, ((y2 - y1) / length) * size];
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  ctx.moveTo(x + dx, y + dy);
  ctx.lineTo(x - dx - dy * 0.8, y - dy + dx * 0.8);
  ctx.lineTo(x - dx + dy * 0.8, y - dy - dx * 0.8);
}

function marks(ctx, scene) {
  const { ground, stamps, colours: c } = scene;
  for (const mark of scene.drawn()) {
    const [x, y] = ground.px(mark.x, mark.y);
    if (!ground.sees(around(mark.x, mark.y, 0), OUTSIDE)) continue;
    if (mark.dx !== undefined) leg(ctx, x, y, mark, c);
    one(ctx, scene, mark, x + (mark.dx ?? 0), y + (mark.dy ?? 0), stamps);
  }
  shorts(ctx, scene);
}

// The jobs of a lit route say who they are, where that fits.
function shorts(ctx, { ground, colours: c, raised }) {
  const room = new Room();
  const font = c.font(11, 600);
  const pins = raised.filter(({ kind }) => kind === 'job').map(({ things: [{ data }], x, y }) => ({ text: data.short, at: ground.px(x, y) }));
  for (const { at: [x, y] } of pins) room.take(x, y - 13, 24, 28);
  for (const { text, at: [x, y] } of pins) {
    const wide = text && measure(ctx, font, text);
    if (text && room.claim(x + 14 + wide / 2, y - 15, wide, 14)) write(ctx, text, x + 14, y - 15, font, c.ink, c.canvas, 'left');
  }
}

function one(ctx, scene, { kind, things, tones }, x, y, stamps) {
  const look = scene.look(things);
  const [{ data, stop }] = things;
  if (things.length > 1) return stamps.group(ctx, x, y, kind, things.length, tones, look);
  stamps[kind](ctx, x, y, data, look);
  const lit = stop && scene.lit.has(stop.person);
  if (lit || (stop && scene.places.person.size < CALM)) stamps.number(ctx, x - 10, y - 26, stop.number, lit);
  return undefined;
}

// From an opened mark to one of its members.
function leg(ctx, x, y, { dx, dy }, c) {
  ctx.beginPath();
  line(ctx, x, y, x + dx, y + dy);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = c['ink-3'];
  ctx.stroke();
}

/** Which names fit at this scale, and where: those of stations, then the quiet ones by rank. */
export function placeNames(ctx, { places, marks: { all }, colours: c, ground: { k } }) {
  const room = new Room();
  for (const { kind, things, x, y } of all) {
    if (kind === 'job') room.take(x * k, y * k - (things.length > 1 ? 0 : 13), 26, 30);
    else room.take(x * k, y * k - LIFT[kind], kind === 'station' ? 16 : 26, 20);
  }
  const bold = c.font(12, 600);
  const names = [...places.station.values()].map(thing => {
    const away = BESIDE + measure(ctx, bold, thing.data.title) / 2;
    const fits = [away, -away].find(dx => room.claim(thing.x * k + dx, thing.y * k, 2 * (away - BESIDE), 14));
    return { thing, font: bold, colour: c.ink, dx: fits ?? away }; // the name of a station is never left out
  });
  for (const thing of places.names) {
    const font = thing.data.rank > 1 ? c.font(11) : c.font(12, 500);
    const free = room.claim(thing.x * k, thing.y * k, measure(ctx, font, thing.data.title) + 28, 44);
    if (free) names.push({ thing, font, colour: c['ink-3'], dx: 0 });
  }
  return names;
}
