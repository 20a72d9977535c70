// My van: what lies in it, by name or number.

import { html } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { empty, icon } from './pieces.js';
import { scan, scanButton } from './scan.js';

let words = '';

export function vanScreen(app) {
  const { van } = app;
  if (!van) return html`<div class="tablet-panel">${empty('truck', t('No van is registered for you'), t('Ask your storekeeper: parts you fit are taken from it.'))}</div>`;
  const wanted = words.toLowerCase();
  const rows = Object.entries(van.on_hand).filter(([, quantity]) => quantity > 0)
    .map(([id, quantity]) => ({ part: app.part(id), quantity }))
    .filter(({ part }) => `${part.number} ${part.name}`.toLowerCase().includes(wanted))
    .sort((one, other) => one.part.number.localeCompare(other.part.number));
  const needed = neededSoon(app);
  return html`<div class="tablet-panel"><div class="row wrap"><h2>${van.name}</h2><span class="end s i2">${t('Kinds of parts: %(n)s', { n: Object.values(van.on_hand).filter(quantity => quantity > 0).length })}</span></div>
    <div class="row"><div class="affix grow">${icon('search')}<input class="input" type="search" autocomplete="off" aria-label=${t('Number or name')} placeholder=${t('Number or name')} .value=${words} @input=${event => { words = event.target.value; app.dispatchEvent(new Event('change')); }}></div>${scanButton(t('Scan'), () => scan(app, code => { words = code.part || code.text; app.dispatchEvent(new Event('change')); }))}</div>
    <section class="card">${rows.length ? rows.map(({ part, quantity }) => html`<div class="tablet-part"><div><b>${part.name}</b><div class="s i2">${part.number}${needed[part.number] ? ` · ${t('%(n)s needed in the next days', { n: needed[part.number] })}` : ''}</div></div><b class="num">${quantity} ${part.unit}</b></div>`) : empty('package', t('Nothing by this name in your van'))}</section></div>`;
}

function neededSoon(app) {
  const needed = {};
  for (const visit of app.shown.visits) {
    for (const item of visit.planned) if (!item.done) needed[app.part(item.part).number] = (needed[app.part(item.part).number] || 0) + item.quantity;
  }
  return needed;
}
