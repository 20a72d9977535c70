// Small pieces of the screens, in the shape of templates/macros/ui.html.

import { html, nothing, render } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { length, minutes, when } from './times.js';

const sprite = document.getElementById('tablet').dataset.icons;

export const icon = (name, size = '') => html`<svg class="i ${size}" aria-hidden="true"><use href="${sprite}#${name}"></use></svg>`;

export const chip = (words, tone = 'mute', symbol = null) => html`<span class="chip chip-l" data-s=${tone}>${symbol ? icon(symbol) : nothing}${words}</span>`;

export const priority = code => html`<span class="prio" data-p=${code.slice(-1)}>${code}</span>`;

export const notice = (tone, symbol, words) => html`<div class="notice" data-s=${tone}>${icon(symbol)}<div>${words}</div></div>`;

export const empty = (symbol, title, text = '') => html`<div class="empty">${icon(symbol)}<b>${title}</b>${text ? html`<span class="s">${text}</span>` : nothing}</div>`;

export const card = (title, content) => html`<section class="card"><div class="card-h"><h2>${title}</h2></div><div class="card-b stack">${content}</div></section>`;

/** The promise that runs now: what is left and when it is due. */
export function promise(visit, now) {
  const open = visit.clocks.find(one => !one.stopped_at && one.state !== 'void');
  return open ? pill(open, now) : nothing;
}

function pill({ kind, started_at, due_at }, now) {
  const left = minutes(now, due_at);
  const share = Math.max(0, Math.min(1, left / Math.max(1, minutes(started_at, due_at))));
  const tone = left < 0 ? 'bad' : share > 0.5 ? 'ok' : share >= 0.25 ? 'mute' : 'warn';
  const due = { due: when(due_at, now) };
  return html`<span class="clock clock-pill" data-s=${tone}>
    ${left < 0
      ? icon('triangle-alert')
      : html`<svg class="ring" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" /><circle cx="8" cy="8" r="6" pathLength="100" stroke-dasharray="${Math.round(share * 100)} 100" /></svg>`}
    <span>${left < 0 ? t('%(time)s over', { time: length(-left) }) : length(left)}</span>
    <span class="due">${kind === 'arrival' ? t('arrive by %(due)s', due) : t('running by %(due)s', due)}</span></span>`;
}

const TONES = { scheduled: 'mute', dispatched: 'info', accepted: 'info', en_route: 'info', on_site: 'ok', in_progress: 'ok', paused: 'warn', partially_completed: 'warn', cannot_complete: 'bad' };
const SYMBOLS = { scheduled: 'calendar', dispatched: 'arrow-right', accepted: 'check', en_route: 'truck', on_site: 'map-pin', in_progress: 'wrench', paused: 'pause', partially_completed: 'contrast', cannot_complete: 'x' };

export const stateChip = (app, code) => chip(app.word('state', code), TONES[code] || 'mute', SYMBOLS[code] || 'check');

/** A link that opens a map at the place, or searches the address where the place is not known well enough. */
export function mapLink({ point, name, address }) {
  const query = point
    ? `marker?${new URLSearchParams({ position: `${point[1]},${point[0]}`, coordinate: 'wgs84', name: name || address })}`
    : `search?${new URLSearchParams({ keyword: address || name })}`;
  return `https://uri.amap.com/${query}`;
}

/** A dialog; `fill(close, draw)` gives its content, `draw` draws it again. Returns {dialog, draw}. */
export function openDialog(title, fill) {
  const dialog = document.createElement('dialog');
  dialog.className = 'dialog tablet-dialog';
  dialog.setAttribute('aria-label', title);
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  const close = () => dialog.close();
  const draw = () => render(html`<div class="card-h"><h2>${title}</h2><button class="btn btn-quiet btn-icon end" type="button" @click=${close} aria-label=${t('Close')}>${icon('x')}</button></div><div class="card-b stack">${fill(close, draw)}</div>`, dialog);
  draw();
  dialog.showModal();
  return { dialog, draw };
}
