// One bar: edge and icon by status, words as far as they fit, marks for pin, parts and risk; and behind its end, dashed,
// until when it will take by what is known now.

import { icon } from './icons.js';
import { make } from './pieces.js';

const ROOM = { icon: 18, digits: 36, digitsAndIcon: 52, words: 64, marks: 88, priority: 120, expected: 150, ghost: 46, pickup: 14 }; // px of width
const WIDEST = { letter: 8, ideograph: 12.5, icon: 16, edges: 12 }; // px
const MARKS = { pinned: 'pin', arriving: 'box', missing: 'box', risk: 'triangle-alert' };
const blank = make('div', 'tml-bar', { role: 'gridcell', tabindex: '-1' });

export function newBar() {
  return blank.cloneNode();
}

/** Draws the entry into its element; what stands there already is left alone. `flags` is a list of short words; `box.late`
 *  is where it is expected, if later than planned. */
export function paintBar(element, entry, lane, box, flags, { sprite, words }) {
  const { bar, start, end } = entry;
  if (element.left !== box.left) element.style.left = `${element.left = box.left}px`;
  if (element.width !== box.width) element.style.width = `${element.width = box.width}px`;
  const look = [bar.done && 'done', bar.proposed && 'proposed', bar.risk && 'risk', bar.expected && 'late', bar.movable && 'movable', entry.pending && 'pending', ...flags].filter(Boolean).join(' ');
  if (element.look !== look) {
    element.dataset.look = element.look = look;
    element.setAttribute('aria-selected', String(flags.includes('selected')));
  }
  if (element.travel !== box.travel) {
    element.travel = box.travel;
    element.toggleAttribute('data-travel', box.travel > 0);
    element.style.setProperty('--travel', `${box.travel}px`);
  }
  if (element.bar === bar && element.start === start && element.end === end && element.lane === lane.id && element.roomy === box.width) return;
  Object.assign(element, { bar, start, end, lane: lane.id, roomy: box.width });
  element.dataset.id = bar.id;
  element.dataset.s = bar.tone || 'mute';
  const expected = box.late ? words.expected(bar) : '';
  element.replaceChildren(...content(bar, box.width, sprite, expected));
  if (box.late) element.append(ghost(box, box.width < ROOM.expected ? expected : ''));
  element.toggleAttribute('data-tight', box.width >= ROOM.words && needed(element) > box.width);
  if (box.pickup) element.append(pickup(box.pickup, bar.pickup, sprite));
  const digits = element.querySelector('.tml-digits')?.textContent; // who speaks to it says what stands there
  element.setAttribute('aria-label', [digits, words.bar({ ...bar, start, end }, lane)].filter(Boolean).join(', '));
}

function content(bar, width, sprite, expected) {
  if (width < ROOM.icon) return [];
  const parts = [];
  if (bar.icon && (width < ROOM.digits || width >= ROOM.digitsAndIcon)) parts.push(icon(sprite, bar.icon));
  if (width < ROOM.digits) return parts;
  parts.push(width < ROOM.words ? text('tml-digits', (bar.short ?? '').slice(-4)) : text('tml-words', bar.title));
  if (bar.priority === 'P1' && width >= ROOM.priority) parts.at(-1).dataset.urgent = bar.priority;
  const marks = [bar.pinned && 'pinned', ['arriving', 'missing'].includes(bar.parts) && bar.parts, bar.risk && 'risk'].filter(Boolean);
  const told = width >= ROOM.expected && expected;
  if (width < ROOM.words || !(marks.length || told)) return parts;
  const box = make('span', 'tml-marks');
  if (told) box.append(make('span', 'tml-expected', { 'aria-hidden': 'true', 'data-at': told }));
  for (const mark of width < ROOM.marks ? marks.slice(-1) : marks) {
    const drawn = icon(sprite, MARKS[mark]);
    drawn.dataset.mark = mark;
    box.append(drawn);
  }
  return [...parts, box];
}

// A stop before the bar: what it is, is said by the bar's name to who hears it, and here to who points at it.
function pickup({ left, width }, { title, late }, sprite) {
  const element = make('span', 'tml-pickup', { 'aria-hidden': 'true', title });
  const room = Math.max(width, ROOM.pickup);
  element.style.left = `${left + width - room - 3}px`; // within the border
  element.style.width = `${room}px`;
  element.toggleAttribute('data-late', Boolean(late));
  element.append(icon(sprite, 'package-check'));
  return element;
}

// From the end of the bar, or from the expected start if that is later, to the expected end.
function ghost({ left, width, late }, words) {
  const from = Math.max(late.left, left + width);
  const room = Math.max(late.left + late.width - from, 0);
  const element = make('span', 'tml-late', { 'aria-hidden': 'true', 'data-at': room >= ROOM.ghost ? words : '' });
  element.style.left = `${from - left - 1}px`; // within the border
  element.style.width = `${room}px`;
  return element;
}

// Room that the content takes at most. Cutting words off needs a box that clips, and a clip for each of hundreds of bars
// slows every frame, so that only those get one that may need it.
function needed(element) {
  let room = WIDEST.edges + element.querySelectorAll('.i').length * WIDEST.icon + (element.querySelector('[data-urgent]') ? 2 * WIDEST.icon : 0) + (element.querySelector('.tml-expected') ? ROOM.ghost : 0);
  for (const letter of element.bar.title) room += letter > '\u2e80' ? WIDEST.ideograph : WIDEST.letter;
  return room;
}

// Hidden from screen readers: the bar's name says all of it, and in full.
function text(className, words) {
  const element = make('span', className, { 'aria-hidden': 'true' });
  element.textContent = words;
  return element;
}
