// The dispatch page: arrow keys go between cards, filters apply at once, undo by key, and the board in the middle.

import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { beginAbsence, carryCard, heard, pressCard, settleBoard } from './board/board.js';
import { startSaved } from './board/saved.js';
import './map.entry.js';
import './timeline.entry.js';

const KEPT = 'hx-morph-skip'; // htmx leaves such an element as it is
const opened = new Set();

document.documentElement.classList.add('scripted');
document.addEventListener('change', event => event.target.form?.matches('[data-submit-on-change]') && event.target.form.requestSubmit());
document.addEventListener('keydown', walk);
document.addEventListener('click', pressed);
document.addEventListener('pointerdown', event => {
  const card = event.button === 0 && event.pointerType !== 'touch' && event.target.closest('[data-carry]');
  if (card) pressCard(card, event);
});
document.addEventListener('input', ({ target }) => target.form?.closest('.drawer') && target.form.setAttribute(KEPT, ''));
document.addEventListener('live-fetch', event => { if (heard(event.target)) event.preventDefault(); });
document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => { if (ctx.target?.id === 'dispatch') letGo(); });
document.addEventListener('htmx:after:swap', () => {
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
  document.querySelector('[data-error-focus]')?.focus();
  settleBoard();
});
settleBoard();
startSaved();

function pressed({ target }) {
  const summary = target.closest('summary')?.parentElement;
  if (summary?.id) opened[summary.open ? 'delete' : 'add'](summary.id); // the click is about to turn it over
  const place = target.closest('[data-place]');
  if (place) carryCard(place.parentElement.querySelector('[data-carry]'));
  if (target.closest('[data-undo]')) undo();
  if (target.closest('[data-absent]')) beginAbsence();
}

// News must not close what somebody opened, nor wipe what is being typed; going elsewhere does.
function letGo() {
  for (const form of document.querySelectorAll(`form[${KEPT}]`)) form.removeAttribute(KEPT);
}

// The latest step that can still be taken back has a message with a button.
function undo() {
  const button = [...document.querySelectorAll('.toast .btn')].at(-1);
  if (button) button.click();
  else toast(t('There is nothing to undo: a step can be taken back for ten seconds.'));
}

// Up and down between cards of the queue. Esc closes the drawer, Ctrl+Z takes the last step back.
function walk(event) {
  const { target, key } = event;
  if (event.defaultPrevented || target.matches('input, select, textarea') || document.querySelector('dialog[open]')) return;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'z' && !event.shiftKey) {
    event.preventDefault();
    undo();
    return;
  }
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (key === 'Escape' && !document.querySelector('[popover]:popover-open')) {
    document.querySelector('[data-close-drawer]')?.click();
    return;
  }
  const from = target.closest('.queue-b [data-key]');
  const step = from && { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!step) return;
  const all = [...from.closest('.queue-b').querySelectorAll('[data-key]')];
  const next = all[all.indexOf(from) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}
