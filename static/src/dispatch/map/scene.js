// What the parts of the map share: the places, the window, what is chosen and pointed at, and the frame in which all is
// drawn.

import { fill } from '../timeline/pieces.js';
import { areaAt } from './areas.js';
import { Colours } from './colours.js';
import { Ground, inseparable } from './ground.js';
import { List } from './list.js';
import { APART, fanned, hit, Marks } from './marks.js';
import { paint, placeNames } from './paint.js';
import { Pen } from './pen.js';
import { LISTS, Places } from './places.js';
import { around, box } from './squares.js';
import { Stamps } from './stamps.js';
import { View } from './view.js';

const GLIDE = 180; // ms
const SETTLED = 120; // ms without a frame
const NEAR = 40; // px from the edge: nearer is not well seen

export class Scene {
  places = new Places();
  ground = new Ground();
  colours = new Colours();
  stamps = new Stamps(this.colours);
  marks = new Marks(this.places, 1);
  pen = new Pen(this);
  words = {};
  data = null;
  sprite = '';
  selected = null; // {kind, id}
  highlight = null;
  compare = null;
  chosen = null; // the selected thing
  hot = new Set(); // things that are pointed at
  lit = new Set(); // technicians whose route stands out
  raised = []; // marks drawn once more above the others
  fan = []; // the members of the mark that is opened
  names = [];
  ratio = 1;
  #opened = null;
  #pointed = null; // the mark under the pointer
  #frame = 0;
  #timer = 0;
  #glide = null;
  #fresh = true; // nothing was shown yet
  #due = new Set(['look', 'places']);
  #spoken = false; // whether the next view is announced

  constructor(host) {
    this.host = host;
    this.view = new View(this);
    this.list = new List(this);
  }

  load(data) {
    this.data = data;
    this.places.load(data);
    this.renew('places');
  }

  put(kind, things) {
    for (const one of things) this.places.put(kind, one);
    this.renew('places');
  }

  drop(kind, ids) {
    for (const id of ids) this.places[kind].delete(id);
    this.renew('places');
  }

  /** Draws with the next frame; first anew: the colours and words (look), the places, or what stands out (light). */
  renew(what) {
    this.#due.add(what);
    this.soon();
  }

  soon() {
    if (this.host.isConnected) this.#frame ||= requestAnimationFrame(now => this.draw(now));
  }

  draw(now = performance.now()) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.ratio = devicePixelRatio || 1;
    this.view.measure();
    if (!this.ground.width || !this.ground.height) return;
    this.#prepare(now);
    paint(this.view.canvas.getContext('2d', { alpha: false }), this);
    this.view.scale();
    const mark = this.#pointed ?? this.list.mark;
    this.view.point(this.pen.drawing ? null : mark);
    this.#settleLater();
  }

  // In this order: what comes later asks for what was before.
  #prepare(now) {
    const due = this.#due;
    this.#due = new Set();
    this.stamps.sharp(this.ratio);
    if (due.has('look')) this.#dress();
    if (due.has('places')) this.#settlePlaces();
    this.#step(now);
    const { k } = this.ground;
    const other = due.has('places') || this.marks.level !== Marks.level(k);
    if (other) this.#gather();
    if (other || due.has('light')) this.#light();
    if (other || due.has('look') || this.k !== k) {
      this.names = placeNames(this.view.canvas.getContext('2d'), this);
      this.k = k;
    }
  }

  #dress() {
    this.colours.read();
    this.stamps.clear();
    this.view.label();
  }

  #settlePlaces() {
    const { places, view } = this;
    if (this.#fresh && this.data) {
      this.#fresh = false;
      this.#showAll();
    } else places.project(this.ground);
    places.link(this.compare);
    view.empty.hidden = !this.data || Object.keys(LISTS).some(kind => places[kind].size);
  }

  #gather() {
    this.marks = new Marks(this.places, Marks.level(this.ground.k));
    this.close();
    const pointed = this.#pointed;
    const thing = pointed?.things.length === 1 && this.places.get(pointed.things[0]); // perhaps with other facts
    this.#pointed = thing ? { ...thing, things: [thing] } : null;
    if (pointed && !thing) this.#hover(null);
  }

  // Whose route stands out, and which marks are drawn above the others for that.
  #light() {
    const { places, marks } = this;
    this.chosen = places.get(this.selected);
    const single = mark => (mark?.things.length === 1 ? mark.things[0] : undefined);
    this.hot = new Set([places.get(this.highlight), ...(this.#pointed?.things ?? []), ...(this.list.mark?.things ?? [])]);
    const shown = [this.chosen, places.get(this.highlight), single(this.#pointed), single(this.list.mark)].filter(Boolean);
    this.lit = new Set(shown.map(one => (one.kind === 'person' ? one : one.stop?.person)).filter(Boolean));
    const stops = [...this.lit].flatMap(({ stops: all }) => all);
    const open = new Set(this.fan.flatMap(({ things }) => things));
    this.raised = [...new Set([...stops, ...this.lit, ...shown])].filter(one => marks.of.has(one) && !open.has(one))
      .map(one => ({ kind: one.kind, things: [one], x: one.x, y: one.y }));
  }

  /** The colour with which a mark stands out: chosen, pointed at, or none. */
  look(things) {
    if (this.chosen && things.includes(this.chosen)) return 'accent';
    return this.hot.size && things.some(one => this.hot.has(one)) ? 'ink-2' : '';
  }

  /** Every mark from below to above. */
  drawn() {
    return [...this.marks.all.filter(mark => mark !== this.#opened), ...this.raised, ...this.fan];
  }

  /** The mark of a thing: its own when it stands out, or one that it shares. */
  markOf(thing) {
    if (thing.kind === 'area') return thing; // which has all that a mark has
    const mark = this.marks.of.get(thing);
    return mark === this.#opened ? this.fan.find(({ things: [one] }) => one === thing) : mark;
  }

  /** What is at a place of the window. */
  at(sx, sy) {
    const { ground } = this;
    const found = hit(this.fan, sx, sy, ground) ?? hit(this.raised, sx, sy, ground) ?? this.marks.at(sx, sy, ground);
    if (found && found !== this.#opened) return found;
    const area = areaAt(this.places.area, ...ground.km(sx, sy));
    return area && this.markOf(area);
  }

  /** The pointer is over a mark, or over none. */
  point(mark) {
    const before = this.#pointed;
    if (mark === before || (mark?.things[0] === before?.things[0] && mark?.things.length === before?.things.length)) return;
    this.#pointed = mark ?? null;
    this.view.stage.toggleAttribute('data-over', Boolean(mark));
    this.#hover(mark);
  }

  /** The keyboard went to another mark, or to none. */
  stand() {
    this.#hover(this.list.mark);
  }

  #hover(mark) {
    this.renew('light');
    if (mark?.things.length > 1) this.tell('hover', { kind: 'group', id: null, ids: mark.things.map(({ id }) => id) });
    else this.tell('hover', mark ? { kind: mark.kind, id: mark.things[0].id } : { kind: null, id: null });
  }

  /** Chooses a thing; a mark of several comes apart; beside all nothing is chosen. */
  choose(mark) {
    if (mark?.things.length > 1) return this.open(mark);
    if (!mark || !this.fan.includes(mark)) this.close();
    if (!mark && !this.selected) return undefined;
    this.selected = mark ? { kind: mark.kind, id: mark.things[0].id } : null;
    this.renew('light');
    return this.tell('select', this.selected ?? { kind: null, id: null });
  }

  /** Goes closer until the mark comes apart; what is at one place is spread around it. */
  open(mark) {
    const all = box(mark.things);
    this.close();
    if (inseparable(Math.max(all.right - all.left, all.bottom - all.top), APART[mark.kind])) {
      this.#opened = mark;
      this.fan = fanned(mark);
      this.say('opened', { count: mark.things.length });
      this.renew('light');
    } else this.glide(this.ground.showing(all, Math.max(this.ground.k * 8, 1)));
  }

  close() {
    if (!this.#opened) return false;
    this.#opened = null;
    this.fan = [];
    this.renew('light');
    return true;
  }

  /** Shows all; before anything was drawn that is what comes anyway. */
  fit() {
    if (this.#fresh) return;
    this.#showAll();
    this.renew('places');
  }

  #showAll() {
    const all = this.ground.centre(this.places.degrees());
    this.places.project(this.ground);
    this.window(this.ground.showing(all));
  }

  reveal(kind, id) {
    const thing = this.places.get({ kind, id });
    if (!thing) return;
    if (this.#due.has('places')) this.draw();
    if (!this.ground.sees(around(thing.x, thing.y, 0), -NEAR)) this.glide({ x: thing.x, y: thing.y, k: this.ground.k });
  }

  /** Another window at once. */
  window(place) {
    this.#glide = null;
    Object.assign(this.ground, place);
    this.soon();
  }

  /** Another window, gliding there unless somebody wishes no motion. */
  glide(to) {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this.window(to);
    else this.#glide = { from: { ...this.ground }, to, began: 0 };
    this.soon();
  }

  /** Where the window is going. */
  get target() {
    return this.#glide?.to ?? this.ground;
  }

  // The middle moves with the size of a pixel, so that what lies under the pointer stays there while it comes closer.
  #step(now) {
    if (!this.#glide) return;
    const { from, to } = this.#glide;
    this.#glide.began ||= now;
    const part = Math.min((now - this.#glide.began) / GLIDE, 1);
    const eased = 1 - (1 - part) ** 3;
    const k = from.k * (to.k / from.k) ** eased;
    const done = from.k === to.k ? eased : (1 / from.k - 1 / k) / (1 / from.k - 1 / to.k);
    Object.assign(this.ground, { x: from.x + (to.x - from.x) * done, y: from.y + (to.y - from.y) * done, k });
    if (part === 1) this.window(to);
    else this.soon();
  }

  /** The next view is announced: it was the keyboard that moved it. */
  speak() {
    this.#spoken = true;
  }

  #settleLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.settle(), SETTLED);
  }

  /** What is due when the map stands still: the list, a word, and the page's knowledge of the window. */
  settle() {
    clearTimeout(this.#timer);
    if (this.#due.size) this.draw();
    if (this.list.refresh()) this.list.mark ? this.renew('light') : this.stand();
    const { ground } = this;
    if (this.#spoken) this.say('view', { km: ground.width / ground.k, count: this.view.stage.children.length });
    this.#spoken = false;
    const seen = JSON.stringify(ground.view);
    if (seen !== this.seen) this.tell('view', ground.view);
    this.seen = seen;
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
  }

  tell(name, detail) {
    this.host.dispatchEvent(new CustomEvent(`map-${name}`, { bubbles: true, detail }));
  }

  /** Announces a word to screen readers. */
  say(word, facts) {
    this.view.status.textContent = fill(this.words[word], facts);
  }
}
