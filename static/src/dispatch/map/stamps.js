// What stands on the map, each drawn once and then only stamped: thousands of pins a frame cost little more than so
// many copies. A status is never told by colour alone: each tone has its sign, and what is urgent keeps it when counted.

const KEPT = 600; // stamps; clusters have many faces
const SIXTHS = 6;
const BOX = 24; // of the icons
const SIGNS = { ok: 'M20 6 9 17l-5-5', warn: 'M12 4v10M12 19.500v.500', bad: 'M18 6 6 18M6 6l12 12', info: 'M4 12h16m-7-7 7 7-7 7', mute: 'M12 10v4M10 12h4' };
const PEOPLE = 'M5 21v-2a5 5 0 0 1 5-5h4a5 5 0 0 1 5 5v2M8 7a4 4 0 1 0 8 0 4 4 0 1 0-8 0';
const PIN = 9; // px: the radius of its head

/** How far above a place that which stands for it has its middle. */
export const LIFT = { job: 15, person: 18, station: 0 };

export class Stamps {
  #made = new Map();
  #ratio = 1;
  #colours;

  constructor(colours) {
    this.#colours = colours;
  }

  clear() {
    this.#made.clear();
  }

  sharp(ratio) {
    if (ratio !== this.#ratio) this.clear();
    this.#ratio = ratio;
  }

  /** A job: its tip at the place, the sign of its tone in it. */
  job(ctx, x, y, { tone = 'mute' }, look) {
    this.#put(ctx, `job ${tone} ${look}`, x, y, 34, 72, on => {
      const c = this.#colours;
      if (look) { // chosen or pointed at: a second, wider outline
        drop(on, PIN + 3.5, 3, c[look]);
        drop(on, PIN + 1.5, 1, c.surface);
      }
      drop(on, PIN, 0, c[`${tone}-s`]);
      on.strokeStyle = c[`${tone}-e`];
      on.lineWidth = 1.5;
      on.stroke();
      sign(on, SIGNS[tone], 0, -LIFT.job, 11, c[`${tone}-t`]);
    });
  }

  /** A technician: a round name on a short stem. */
  person(ctx, x, y, { tone, short, title }, look) {
    const text = short ?? title;
    const font = this.#colours.font(11, 600);
    const wide = Math.max(22, measure(ctx, font, text) + 12);
    this.#put(ctx, `person ${tone} ${text} ${look}`, x, y, wide + 24, 76, on => {
      const c = this.#colours;
      pin(on, wide, 20, c, look);
      write(on, text, 0, -LIFT.person, font, c.surface);
      if (tone && tone !== 'mute') badge(on, wide / 2 - 2, -27, tone, c);
    });
  }

  /** Several of one kind: how many, and a ring that shows the shares of their tones. */
  group(ctx, x, y, kind, count, tones, look) {
    const text = count > 999 ? '999+' : String(count);
    const radius = 9 + 2 * text.length;
    const c = this.#colours;
    const font = c.font(11, 700);
    if (kind === 'person') {
      const wide = measure(ctx, font, text) + 26;
      this.#put(ctx, `people ${wide} ${look}`, x, y, wide + 12, 76, on => {
        pin(on, wide, 20, c, look);
        sign(on, PEOPLE, 11 - wide / 2, -LIFT.person, 10, c.surface);
      });
      write(ctx, text, x + 6, y - LIFT.person + 0.5, font, c.surface);
      return;
    }
    const parts = shares(tones, count);
    this.#put(ctx, `jobs ${radius} ${parts.join()} ${look}`, x, y, 2 * radius + 20, 2 * radius + 20, on => {
      if (look) disc(on, radius + 4, c[look]);
      disc(on, radius + 1.5, c.surface);
      ring(on, radius - 1.5, parts, c);
      if (['bad', 'warn'].includes(parts[0][0])) badge(on, radius * 0.8, -radius * 0.8, parts[0][0], c);
    });
    write(ctx, text, x, y + 0.5, font, c.ink);
  }

  station(ctx, x, y, _data, look) {
    this.#put(ctx, `station ${look}`, x, y, 28, 28, on => {
      const c = this.#colours;
      if (look) rounded(on, -9, -9, 18, 18, 4, c[look]);
      rounded(on, -7, -7, 14, 14, 3, c.surface);
      rounded(on, -5.5, -5.5, 11, 11, 2, c.ink);
    });
  }

  /** The how many-th stop of a route, strong when that stands out. */
  number(ctx, x, y, number, strong) {
    this.#put(ctx, `number ${number} ${strong}`, x, y, 28, 20, on => {
      const c = this.#colours;
      const font = c.font(10, 700);
      const wide = Math.max(14, measure(on, font, String(number)) + 7);
      rounded(on, -wide / 2 - 1, -8, wide + 2, 16, 8, c.surface);
      rounded(on, -wide / 2, -7, wide, 14, 7, c[strong ? 'accent' : 'line-2']);
      write(on, String(number), 0, 0.5, font, c[strong ? 'on-solid' : 'ink']);
    });
  }

  #put(ctx, key, x, y, wide, high, draw) {
    const ratio = this.#ratio;
    let stamp = this.#made.get(key);
    if (!stamp) {
      if (this.#made.size > KEPT) this.clear();
      stamp = canvas(wide * ratio, high * ratio);
      const on = stamp.getContext('2d');
      on.scale(ratio, ratio);
      on.translate(wide / 2, high / 2);
      draw(on);
      this.#made.set(key, stamp);
    }
    const sharp = (at, size) => Math.round((at - size / 2) * ratio) / ratio;
    ctx.drawImage(stamp, sharp(x, wide), sharp(y, high), stamp.width / ratio, stamp.height / ratio);
  }
}

/** A canvas that is in no document. */
export function canvas(width, height) {
  return Object.assign(document.createElement('canvas'), { width: Math.ceil(width), height: Math.ceil(height) });
}

const widths = new Map(); // font and text → px: measuring is slow, and names come again

export function measure(ctx, font, text) {
  const key = `${font} ${text}`;
  if (!widths.has(key)) {
    ctx.font = font;
    widths.set(key, ctx.measureText(text).width);
  }
  return widths.get(key);
}

/** A text around its middle; with a halo it is read over lines. */
export function write(ctx, text, x, y, font, colour, halo, align = 'center') {
  Object.assign(ctx, { font, textAlign: align, textBaseline: 'middle', lineJoin: 'round' });
  if (halo) {
    ctx.lineWidth = 3.5;
    ctx.strokeStyle = halo;
    ctx.strokeText(text, x, y);
  }
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

// A drop whose tip is at the place, or so far below it.
function drop(on, radius, below, colour) {
  const turn = Math.asin(radius / (LIFT.job + radius)) * 0.75;
  on.beginPath();
  on.arc(0, -LIFT.job, radius, Math.PI - turn, turn);
  on.lineTo(0, below);
  on.closePath();
  on.fillStyle = colour;
  on.fill();
}

// A pill on a stem.
function pin(on, wide, high, c, look) {
  disc(on, 4, c.surface);
  if (look) pill(on, wide + 7, high + 7, c[look]);
  pill(on, wide + 3, high + 3, c.surface);
  rounded(on, -1, -9, 2, 9, 0, c['ink-2']);
  disc(on, 2.5, c['ink-2']);
  pill(on, wide, high, c['ink-2']);
}

function pill(on, wide, high, colour) {
  rounded(on, -wide / 2, -LIFT.person - high / 2, wide, high, high / 2, colour);
}

function disc(on, radius, colour, x = 0, y = 0) {
  rounded(on, x - radius, y - radius, 2 * radius, 2 * radius, radius, colour);
}

// The tones in sixths, the worst with one at least: few different rings, so few stamps.
function shares(tones, count) {
  let seen = 0;
  let given = 0;
  return tones.map(([tone, many], at) => {
    seen += many;
    const sixths = Math.max(Math.round((seen / count) * SIXTHS) - given, at ? 0 : 1);
    given += sixths;
    return [tone, sixths];
  }).filter(([, sixths]) => sixths);
}

function ring(on, radius, parts, c) {
  let from = -Math.PI / 2;
  on.lineWidth = 3;
  for (const [tone, sixths] of parts) {
    const to = from + (sixths / SIXTHS) * 2 * Math.PI;
    on.beginPath();
    on.arc(0, 0, radius, from, to);
    on.strokeStyle = c[`${tone}-e`];
    on.stroke();
    from = to;
  }
}

function badge(on, x, y, tone, c) {
  disc(on, 6.5, c.surface, x, y);
  disc(on, 5.5, c[`${tone}-t`], x, y);
  sign(on, SIGNS[tone], x, y, 7, c.surface);
}

function sign(on, shape, x, y, size, colour) {
  on.save();
  on.translate(x - size / 2, y - size / 2);
  on.scale(size / BOX, size / BOX);
  on.lineWidth = 3.4;
  on.lineCap = on.lineJoin = 'round';
  on.strokeStyle = colour;
  on.stroke(new Path2D(shape));
  on.restore();
}

function rounded(on, x, y, wide, high, corner, colour) {
  on.beginPath();
  on.roundRect(x, y, wide, high, corner);
  on.fillStyle = colour;
  on.fill();
}
