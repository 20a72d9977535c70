// My van: what is to be brought back to the store, and what lies in it, by name or number.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { chip, empty, icon } from './pieces.js';
import { scan, scanButton } from './scan.js';
import { day, dayText } from './times.js';

let words = '';

export function vanScreen(app) {
  const { van } = app;
  if (!van) return html`<div class="tablet-panel">${toReturn(app)}${empty('truck', t('No van is registered for you'), t('Ask your storekeeper: parts you fit are taken from it.'))}</div>`;
  const wanted = words.toLowerCase();
  const rows = Object.entries(van.on_hand).filter(([, quantity]) => quantity > 0)
    .map(([id, quantity]) => ({ part: app.part(id), quantity }))
    .filter(({ part }) => `${part.number} ${part.name}`.toLowerCase().includes(wanted))
    .sort((one, other) => one.part.number.localeCompare(other.part.number));
  const needed = neededSoon(app);
  return html`<div class="tablet-panel"><div class="row wrap"><h2>${van.name}</h2><span class="end s i2">${t('Kinds of parts: %(n)s', { n: Object.values(van.on_hand).filter(quantity => quantity > 0).length })}</span></div>
    <div class="row"><div class="affix grow">${icon('search')}<input class="input" type="search" autocomplete="off" aria-label=${t('Number or name')} placeholder=${t('Number or name')} .value=${words} @input=${event => { words = event.target.value; app.dispatchEvent(new Event('change')); }}></div>${scanButton(t('Scan'), () => scan(app, code => { words = code.part || code.text; app.dispatchEvent(new Event('change')); }))}</div>
    ${wanted ? nothing : toReturn(app)}
    <section class="card">${rows.length ? rows.map(({ part, quantity }) => html`<div class="tablet-part"><div><b>${part.name}</b><div class="s i2">${part.number}${needed[part.number] ? ` · ${t('%(n)s needed in the next days', { n: needed[part.number] })}` : ''}</div></div><b class="num">${quantity} ${part.unit}</b></div>`) : empty('package', t('Nothing by this name in your van'))}</section></div>`;
}

function neededSoon(app) {
  const needed = {};
  for (const visit of app.shown.visits) {
    for (const item of visit.planned) if (!item.done) needed[app.part(item.part).number] = (needed[app.part(item.part).number] || 0) + item.quantity;
  }
  return needed;
}

// What is to be brought back; a snapshot from before this was told has nothing.
function toReturn(app) {
  const { old_parts: old = [], unused = [] } = app.shown.to_return || {};
  return html`${owed(app, old, t('Old parts to drop off'), 'undo-2')}${owed(app, unused, t('Unused parts to give back'), 'package')}`;
}

function owed(app, rows, title, symbol) {
  if (!rows.length) return nothing;
  return html`<section class="card"><div class="card-h">${icon(symbol)}<h2>${title}</h2><span class="end num">${rows.length}</span></div>
    ${rows.map(row => html`<div class="tablet-part"><div><b>${app.part(row.part).name}</b>${row.serial ? html` <span class="mono s">${row.serial}</span>` : nothing}
      <div class="s i2">${[app.part(row.part).number, row.order, row.title].filter(Boolean).join(' · ')}</div>
      <div class="row wrap s i2">${ago(row.since, app.now)}${due(row.due_at, app.now)}</div></div><b class="num">${row.quantity} ${app.part(row.part).unit}</b></div>`)}</section>`;
}

const days = (from, to) => Math.round((Date.parse(day(to)) - Date.parse(day(from))) / 86_400_000);

/** How long it is owed, in days of the calendar: “today”, “3 days ago”. */
const ago = (since, now) => new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'auto' }).format(-days(since, now), 'day');

const due = (at, now) => (Date.parse(at) < Date.parse(now) ? chip(t('overdue'), 'warn', 'triangle-alert') : html`<span>${t('due %(day)s', { day: dayText(at) })}</span>`);
