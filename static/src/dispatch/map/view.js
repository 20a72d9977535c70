// The elements of the map: the canvas, above it the list that screen readers read and the keyboard stands on, and
// beside them the scale, the buttons and the tip.

import { fill, make } from '../timeline/pieces.js';
import { gridStep } from './paint.js';

const BUTTONS = { zoomIn: 'plus', zoomOut: 'minus', fit: 'maximize' };
const ASIDE = 16; // px from a mark to its tip
let made = 0;

export class View {
  buttons = {};

  constructor(scene) {
    this.scene = scene;
    this.id = `dispatch-map-${made += 1}`;
    this.canvas = make('canvas', 'dmap-canvas', { 'aria-hidden': 'true' });
    this.stage = make('div', 'dmap-stage', { role: 'listbox', tabindex: '0', 'aria-describedby': `${this.id}-help` });
    this.bar = make('div', 'dmap-scale', { 'aria-hidden': 'true' });
    this.tip = make('div', 'dmap-tip', { hidden: '', 'aria-hidden': 'true' });
    this.empty = make('p', 'dmap-empty', { hidden: '' });
    this.help = make('p', 'sr', { id: `${this.id}-help` });
    this.status = make('div', 'sr', { role: 'status' });
    const group = make('div', 'dmap-buttons');
    for (const name of Object.keys(BUTTONS)) {
      this.buttons[name] = make('button', 'btn btn-icon', { type: 'button' });
      group.append(this.buttons[name]);
    }
    this.nodes = [this.canvas, this.stage, this.bar, group, this.tip, this.empty, this.help, this.status, scene.colours.probe];
  }

  /** The words and icons, when they are other ones. */
  label() {
    const { words, sprite } = this.scene;
    this.stage.setAttribute('aria-label', fill(words.label));
    this.help.textContent = fill(words.help);
    this.empty.textContent = fill(words.empty);
    for (const [name, button] of Object.entries(this.buttons)) {
      button.replaceChildren(icon(`${sprite}#${BUTTONS[name]}`));
      button.title = fill(words[name]);
      button.setAttribute('aria-label', button.title);
    }
  }

  /** The canvas in as many dots as the screen has. */
  measure() {
    const { ground, ratio } = this.scene;
    ground.width = this.stage.clientWidth;
    ground.height = this.stage.clientHeight;
    const [width, height] = [Math.round(ground.width * ratio), Math.round(ground.height * ratio)];
    if (this.canvas.width === width && this.canvas.height === height) return;
    Object.assign(this.canvas, { width, height });
  }

  scale() {
    const { words, ground: { k } } = this.scene;
    const km = gridStep(k);
    this.bar.style.inlineSize = `${Math.round(km * k)}px`;
    this.bar.textContent = fill(words.scale, { km });
  }

  /** The tip beside a mark, or none. */
  point(mark) {
    const { ground, words } = this.scene;
    const [text, more] = mark ? about(mark, words) : [];
    this.tip.hidden = !text;
    if (!text) return;
    const title = make('b');
    title.textContent = text;
    this.tip.replaceChildren(title, ...(more ? [Object.assign(make('span'), { textContent: more })] : []));
    const [x, y] = ground.px(mark.x, mark.y);
    const [left, top] = [x + (mark.dx ?? 0), y + (mark.dy ?? 0)];
    const before = left > ground.width / 2; // towards the middle, where there is room
    this.tip.style.transform = `translate(${Math.round(left + (before ? -ASIDE : ASIDE))}px, ${Math.round(Math.min(Math.max(top - ASIDE, 28), ground.height - 28))}px) translate(${before ? '-100%' : '0'}, -50%)`;
  }
}

function icon(address) {
  const [svg, use] = ['svg', 'use'].map(tag => document.createElementNS('http://www.w3.org/2000/svg', tag));
  svg.setAttribute('class', 'i');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', address);
  svg.append(use);
  return svg;
}

/** What is said of a mark of several. */
export function group({ kind, things, tones }, words) {
  return fill(words.group, { kind, count: things.length, tones: Object.fromEntries(tones) });
}

function about(mark, words) {
  const { kind, things } = mark;
  const [{ data }] = things;
  if (things.length > 1) return [group(mark, words)];
  if (kind === 'area') return [data.title, fill(words.slow, data)];
  return [data.title, data.about];
}
