// One lane: the label of a technician with the verdict, the ground (shifts, breaks, absences) and the bars.

import { newBar, paintBar } from './bar.js';
import { icon } from './icons.js';
import { fill, make } from './pieces.js';
import { ROW } from './plan.js';

const FITS = { yes: ['ok', 'check'], warn: ['warn', 'triangle-alert'], no: ['bad', 'x'] };

/** Elements of a lane that are filled again for another one when it leaves the view. */
export class LaneRow {
  constructor() {
    this.element = make('div', 'tml-lane', { role: 'row' });
    this.label = make('div', 'tml-who', { role: 'rowheader' });
    this.track = make('div', 'tml-track');
    this.ground = make('div', 'tml-row');
    this.element.append(this.label, this.track);
  }

  /** Stands for this lane now: everything but bars and verdict. */
  take(lane, scene) {
    this.lane = lane;
    this.ground.style.top = `${lane.y}px`;
    this.element.style.top = `${lane.y - lane.section.y}px`;
    this.element.setAttribute('aria-rowindex', lane.row);
    this.element.dataset.lane = lane.id;
    const shades = [
      ...(lane.shifts ?? []).map(one => ['shift', one, one.onCall ? 'on-call' : '']),
      ...(lane.breaks ?? []).map(one => ['break', one]),
      ...(lane.away ?? []).map(one => ['away', one]),
    ];
    this.ground.replaceChildren(...shades.map(([kind, one, look]) => shade(kind, one, scene.axis, look)).filter(Boolean));
  }

  judge({ sprite, verdicts, words }) {
    const verdict = verdicts?.[this.lane.id];
    const { note = '', warn } = this.lane;
    if (this.judged === verdict && this.named === this.lane && this.noted === note) return;
    Object.assign(this, { judged: verdict, named: this.lane, noted: note });
    const name = make('b', 'cut');
    name.textContent = this.lane.title;
    const aside = make('span', verdict ? 'tml-fit' : 'tml-note cut');
    if (verdict) {
      const [tone, drawn] = FITS[verdict.fits];
      aside.dataset.s = tone;
      aside.append(icon(sprite, drawn), Object.assign(make('span', 'cut'), { textContent: verdict.text }));
    } else if (warn) {
      aside.className = 'tml-fit';
      aside.dataset.s = 'warn';
      aside.append(icon(sprite, 'triangle-alert'), Object.assign(make('span', 'cut'), { textContent: note }));
    } else {
      aside.textContent = aside.title = note;
    }
    this.label.replaceChildren(name, aside, ...(this.lane.menu ? [menu(this.lane, words, sprite)] : []));
    this.element.dataset.fits = verdict?.fits ?? '';
  }

  /** The bars, those that are there already kept, in the order of time as a screen reader reads them. */
  fill(scene, pool) {
    const { axis, plan, bars } = scene;
    for (const element of [...this.track.children]) if (plan.entries.get(element.dataset.id)?.lane !== this.lane.id) this.#release(element, bars, pool);
    let at = this.track.firstChild;
    let busyUntil = -Infinity;
    let right = 0; // of the bars before, as far as they will take: the way is not drawn over them
    for (const entry of this.lane.entries) {
      const box = axis.box(entry.start, entry.end);
      if (!box) continue;
      const { id } = entry.bar;
      const element = bars.get(id) ?? pool.pop() ?? newBar();
      bars.set(id, element);
      if (element === at) at = at.nextSibling;
      else this.track.insertBefore(element, at);
      box.travel = Math.min(Math.round(((entry.bar.travelMin ?? 0) / 60) * axis.hour), Math.max(0, box.left - right));
      box.late = entry.bar.expected && entry.start === entry.bar.start ? axis.box(entry.bar.expected.start, entry.bar.expected.end) : null;
      box.pickup = stop(entry, box, axis);
      paintBar(element, entry, this.lane, box, scene.flags(id, entry.start < busyUntil), scene);
      busyUntil = Math.max(busyUntil, entry.end);
      right = Math.max(right, box.left + box.width, box.late ? box.late.left + box.late.width : 0);
    }
  }

  leave({ bars }, pool) {
    for (const element of [...this.track.children]) this.#release(element, bars, pool);
    this.element.remove();
    this.ground.remove();
  }

  #release(element, bars, pool) {
    element.remove();
    element.tabIndex = -1;
    bars.delete(element.dataset.id);
    pool.push(element);
  }
}

// Where a stop stands that is made for the bar, from the bar's own edge: it goes wherever that goes.
function stop({ bar, start }, { left }, axis) {
  if (!bar.pickup) return null;
  const moved = start - bar.start;
  const found = axis.box(bar.pickup.start + moved, bar.pickup.end + moved);
  return found && { left: found.left - left, width: found.width };
}

// Out of the order of Tab, or two hundred lanes would be two hundred stops: the arrows lead there.
function menu(lane, words, sprite) {
  const element = make('button', 'btn btn-quiet tml-menu', { type: 'button', tabindex: '-1', 'aria-haspopup': 'menu', 'aria-label': fill(words.menu, lane) });
  element.append(icon(sprite, 'chevron-down'));
  return element;
}

function shade(kind, { start, end, title }, axis, look = '') {
  const box = axis.box(start, end);
  if (!box) return null;
  const element = make('div', `tml-${kind} ${look}`);
  element.style.left = `${box.left}px`;
  element.style.width = `${box.width}px`;
  if (title && box.width > ROW) element.textContent = title;
  return element;
}
