// Tab Parts: what was planned, what was fitted (the van is deducted), and finding another part.

import { html, nothing } from 'lit';
import { t } from '../foundation/texts.js';
import { chip, empty, icon, openDialog } from './pieces.js';

const MOST_FOUND = 20;

export function partsTab(app, visit) {
  const open = ['on_site', 'in_progress', 'paused', 'completed', 'partially_completed', 'cannot_complete'].includes(visit.state);
  const planned = visit.planned.filter(item => !item.done);
  const ready = planned.filter(item => source(app, item));
  return html`
    ${open ? html`<div class="row"><button class="btn btn-xl grow" type="button" @click=${() => findPart(app, visit)}>${icon('search')}${t('Find a part')}</button></div>` : html`<p class="s i2">${t('You can book parts once you have arrived.')}</p>`}
    ${planned.length ? html`<section class="card"><div class="card-h"><h2>${t('Planned')}</h2>${open && ready.length > 1 ? html`<button class="btn end" type="button" @click=${() => fitAll(app, visit, ready)}>${icon('check')}${t('All fitted as planned')}</button>` : nothing}</div>${planned.map(item => plannedRow(app, visit, item, open))}</section>` : nothing}
    <section class="card"><div class="card-h"><h2>${t('Fitted')}</h2></div>${visit.used.length ? visit.used.map(use => usedRow(app, visit, use, open)) : empty('package', t('Nothing fitted yet'))}</section>`;
}

// Where the whole quantity lies: the van first, else a warehouse of the order's stations.
export function source(app, { part, quantity }) {
  return [app.van, ...app.shown.stock.filter(one => one.kind !== 'van')].find(place => app.onHand(place, part) >= quantity);
}

export async function fitAll(app, visit, items) {
  for (const item of items) await fit(app, visit, item.part, item.quantity, source(app, item));
}

const fit = (app, visit, part, quantity, place, serial = null) => app.record('part', visit, { part: app.part(part).number, quantity, location: place?.id ?? null, ...(serial ? { serial } : {}) });

function plannedRow(app, visit, item, open) {
  const part = app.part(item.part);
  const place = source(app, item);
  const where = !place ? chip(t('none in van or station'), 'warn', 'triangle-alert')
    : place.kind === 'van' ? chip(t('%(n)s in van', { n: app.onHand(place, item.part) }), 'ok', 'truck') : chip(t('%(n)s at %(place)s', { n: app.onHand(place, item.part), place: place.name }), 'info', 'box');
  return html`<div class="tablet-part"><div><b>${part.name} ×${item.quantity}</b><div class="s i2">${part.number}${item.required ? '' : ` · ${t('if needed')}`}</div>${where}</div>
    ${open ? html`<button class="btn" type="button" ?disabled=${!place} @click=${() => fit(app, visit, item.part, item.quantity, place)}>${icon('check')}${t('Fitted')}</button>` : nothing}</div>`;
}

function usedRow(app, visit, use, open) {
  const part = app.part(use.part);
  const place = app.shown.stock.find(one => one.id === use.location);
  return html`<div class="tablet-part"><div><b>${part.name} ×${use.quantity} ${part.unit}</b><div class="s i2">${[part.number, use.serial ? t('S/N %(serial)s', use) : '', place ? t('from %(place)s, %(n)s left', { place: place.name, n: app.onHand(place, use.part) }) : ''].filter(Boolean).join(' · ')}</div></div>
    ${open && use.mine ? html`<button class="btn" type="button" aria-label=${t('Take back: %(part)s', { part: part.name })} @click=${() => app.record('part', visit, { returns: use.id })}>${icon('undo-2')}${t('Take back')}</button>` : nothing}</div>`;
}

// Finding another ------------------------------------------------------------------------------------------

function findPart(app, visit) {
  let words = '';
  let chosen = null;
  const form = { quantity: 1, place: null, serial: '' };
  openDialog(t('Find a part'), (close, draw) => {
    if (chosen) return chosenForm(app, visit, chosen, form, close, draw, () => { chosen = null; draw(); });
    const found = search(app, words);
    return html`<div class="field"><label for="part-words">${t('Number or name')}</label><input class="input" id="part-words" type="search" autocomplete="off" .value=${words} @input=${event => { words = event.target.value; draw(); }}></div>
      <div class="tablet-found">${found.length ? found.map(id => html`<button class="tablet-part" type="button" @click=${() => { chosen = id; form.place = source(app, { part: id, quantity: 1 })?.id ?? app.van?.id; draw(); }}><span><b>${app.part(id).name}</b><br><span class="s i2">${app.part(id).number}</span></span><span class="s">${app.shown.stock.map(place => (app.onHand(place, id) ? html`<span class="nowrap">${place.name}: ${app.onHand(place, id)}</span><br>` : nothing))}</span></button>`) : empty('search', t('No such part in your van or at the station'))}</div>`;
  });
}

export function search(app, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return Object.keys(app.shown.parts).filter(id => {
    const text = `${app.part(id).number} ${app.part(id).name}`.toLowerCase();
    return wanted.every(word => text.includes(word)) && app.shown.stock.some(place => app.onHand(place, id) > 0);
  }).sort((one, other) => app.onHand(app.van, other) - app.onHand(app.van, one) || app.part(one).number.localeCompare(app.part(other).number)).slice(0, MOST_FOUND);
}

function chosenForm(app, visit, id, form, close, draw, back) {
  const part = app.part(id);
  const places = app.shown.stock.filter(place => app.onHand(place, id) > 0);
  const place = places.find(one => one.id === form.place) || places[0];
  const most = app.onHand(place, id);
  const fine = form.quantity > 0 && form.quantity <= most && (!part.whole || Number.isInteger(form.quantity));
  const set = facts => { Object.assign(form, facts); draw(); };
  return html`<button class="btn btn-quiet" type="button" @click=${back}>${icon('arrow-left')}${t('Another part')}</button>
    <h3>${part.name} <span class="i2 s">${part.number}</span></h3>
    <fieldset class="choices"><legend class="label">${t('Taken from')}</legend>${places.map(one => html`<label class="choice"><input type="radio" name="place" .checked=${one === place} @change=${() => set({ place: one.id })}><span>${one.name}</span><span class="s i2">${app.onHand(one, id)} ${part.unit}</span></label>`)}</fieldset>
    <div class="two"><div class="field"><label for="quantity">${t('Quantity')} (${part.unit})</label><span class="num-in"><button type="button" aria-label=${t('Less')} @click=${() => set({ quantity: Math.max(1, form.quantity - 1) })}>${icon('minus')}</button><input id="quantity" inputmode="decimal" .value=${String(form.quantity)} aria-invalid=${!fine} @change=${event => set({ quantity: Number(event.target.value.replace(',', '.')) || 0 })}><button type="button" aria-label=${t('More')} @click=${() => set({ quantity: form.quantity + 1 })}>${icon('plus')}</button></span></div>
    <div class="field"><label for="serial">${t('Serial number')}<span class="opt">${t('optional')}</span></label><input class="input" id="serial" maxlength="60" autocomplete="off" .value=${form.serial} @input=${event => { form.serial = event.target.value; }}></div></div>
    ${fine ? nothing : html`<p class="err">${icon('triangle-alert')}${t('Between 1 and %(n)s, whole pieces where it is counted in pieces.', { n: most })}</p>`}
    <div class="dialog-f"><button class="btn btn-primary btn-l" type="button" ?disabled=${!fine} @click=${() => { close(); fit(app, visit, Number(id), form.quantity, place, form.serial.trim()); }}>${icon('check')}${t('Fitted')}</button></div>`;
}
