// The head: hours, over several days also the days, and the tag of now. And the lines below it.

import { HOUR, make } from './pieces.js';

const ROOM = { long: 44, short: 22 }; // px for 08:00 and for 8
const STEPS = [1, 2, 3, 4, 6, 12];
const TAG = 20; // half the tag of now
const LEAST_LINE = 14;

/** The labels of the axis. */
export function drawHours(target, { axis, words, now }) {
  const room = axis.days ? ROOM.short : ROOM.long;
  const step = STEPS.find(hours => hours * axis.hour >= room) ?? 24;
  const tag = at(now, axis);
  const parts = [];
  for (const { start, end } of axis.spans) {
    if (axis.days) parts.push(dayLabel(start, end, axis, words));
    for (let hour = 0; start + hour * HOUR < end; hour += step) {
      const left = Math.round(axis.x(start + hour * HOUR));
      const covered = tag !== null && left > tag - TAG - room && left < tag + TAG;
      if (!covered) parts.push(label('tml-hour', left, words.hour(start + hour * HOUR, axis.days)));
    }
  }
  if (tag !== null) parts.push(label('tml-now-tag', tag, words.time(now)));
  target.replaceChildren(...parts);
}

/** One line an hour, stronger ones between days, and the line of now. */
export function drawLines(target, { axis, now }) {
  const step = axis.hour >= LEAST_LINE ? 1 : 2;
  const parts = [];
  for (const { start, end } of axis.spans) {
    for (let hour = 0; start + hour * HOUR < end; hour += step) {
      parts.push(label(`tml-line ${hour || !axis.days ? '' : 'day'}`, Math.round(axis.x(start + hour * HOUR)), ''));
    }
  }
  const tag = at(now, axis);
  if (tag !== null) parts.push(label('tml-now', tag, ''));
  target.replaceChildren(...parts);
}

// Where now stands, unless its hour is not shown.
function at(now, axis) {
  return axis.spans.some(({ start, end }) => start <= now && now < end) ? Math.round(axis.x(now)) : null;
}

function dayLabel(start, end, axis, words) {
  const left = Math.round(axis.x(start));
  const day = label('tml-day', left, '');
  day.style.width = `${Math.round(axis.x(end - 1)) - left}px`;
  day.append(Object.assign(make('span'), { textContent: words.day(start) }));
  return day;
}

function label(className, left, text) {
  const element = make('div', className);
  element.style.left = `${left}px`;
  element.textContent = text;
  return element;
}
