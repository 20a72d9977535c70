// Tab Parts: what was planned, what was fitted (the van is deducted) with its serials and batch, what is missing for the
// next visit, and finding a part by words or by its label.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { exact } from './lines.js';
import { chip, empty, icon, openDialog } from './pieces.js';
import { field, scan, scanButton } from './scan.js';

const MOST_FOUND = 20;
const AT_MACHINE = ['on_site', 'in_progress', 'paused'];
const ENDED = ['completed', 'partially_completed', 'cannot_complete'];

export function partsTab(app, visit) {
  const open = [...AT_MACHINE, ...ENDED].includes(visit.state);
  const asks = AT_MACHINE.includes(visit.state);
  const planned = visit.planned.filter(item => !item.done);
  const ready = planned.filter(item => simple(app, item));
  return html`
    ${open ? html`<div class="tablet-find"><button class="btn btn-xl" type="button" @click=${() => findPart(app, visit)}>${icon('search')}${t('Find a part')}</button>${scanButton(t('Scan'), () => scanned(app, visit), 'btn-xl')}${asks ? html`<button class="btn btn-xl" type="button" @click=${() => missingForm(app, visit)}>${icon('package')}${t('Something is missing')}</button>` : nothing}</div>` : html`<p class="s i2">${t('You can book parts once you have arrived.')}</p>`}
    ${planned.length ? html`<section class="card"><div class="card-h"><h2>${t('Planned')}</h2>${open && ready.length > 1 ? html`<button class="btn end" type="button" @click=${() => fitAll(app, visit, ready)}>${icon('check')}${t('All fitted as planned')}</button>` : nothing}</div>${planned.map(item => plannedRow(app, visit, item, open))}</section>` : nothing}
    ${visit.needs.length ? html`<section class="card"><div class="card-h"><h2>${t('Missing for the next visit')}</h2></div>${visit.needs.map(item => html`<div class="tablet-part"><b>${item.words}</b>${withdraw(app, visit, item)}</div>`)}</section>` : nothing}
    <section class="card"><div class="card-h"><h2>${t('Fitted')}</h2></div>${visit.used.length ? visit.used.map(use => usedRow(app, visit, use, open)) : empty('package', t('Nothing fitted yet'))}</section>`;
}

// Where the whole quantity lies: the van first, else a warehouse of the order's stations.
export function source(app, { part, quantity }) {
  return [app.van, ...app.shown.stock.filter(one => one.kind !== 'van')].find(place => app.onHand(place, part) >= quantity);
}

/** Whether one touch books it: it lies ready, and no serial number has to be noted. */
export const simple = (app, item) => !app.part(item.part).serial && source(app, item);

export const fitAll = (app, visit, items) => app.once(`fit ${visit.id}`, async () => {
  for (const item of items) await fit(app, visit, item.part, item.quantity, source(app, item));
});

const fit = (app, visit, part, quantity, place, marks = {}) => app.record('part', visit, { part: app.part(part).number, quantity, location: place?.id ?? null, ...Object.fromEntries(Object.entries(marks).filter(([, given]) => given)) });

function plannedRow(app, visit, item, open) {
  const part = app.part(item.part);
  const place = source(app, item);
  const where = !place ? chip(t('none in van or station'), 'warn', 'triangle-alert')
    : ENDED.includes(visit.state) && !item.required ? chip(t('goes back'), 'mute', 'undo-2')
      : place.kind === 'van' ? chip(t('%(n)s in van', { n: app.onHand(place, item.part) }), 'ok', 'truck') : chip(t('%(n)s at %(place)s', { n: app.onHand(place, item.part), place: place.name }), 'info', 'box');
  const press = () => (part.serial ? chosenDialog(app, visit, item.part, { quantity: 1, place: place.id }) : fit(app, visit, item.part, item.quantity, place));
  return html`<div class="tablet-part"><div><b>${part.name} ×${item.quantity}</b><div class="s i2">${part.number}${item.required ? '' : ` · ${t('if needed')}`}${item.words ? ` · ${item.words}` : ''}</div>${item.mine ? chip(t('missing for the next visit'), 'warn', 'package') : nothing} ${where}</div>
    <span class="row wrap">${withdraw(app, visit, item)}${open ? html`<button class="btn" type="button" ?disabled=${!place} @click=${() => app.once(`fit ${visit.id}`, press)}>${icon('check')}${t('Fitted')}</button>` : nothing}</span></div>`;
}

const withdraw = (app, visit, item) => (item.mine && !item.done && AT_MACHINE.includes(visit.state)
  ? html`<button class="btn btn-quiet" type="button" @click=${() => app.record('need', visit, { returns: item.command || `item-${item.item ?? item.id}` })}>${icon('undo-2')}${t('Not missing')}</button>` : nothing);

/** What tells this piece from others, in words. */
export const marks = (app, use) => [app.part(use.part).number, use.serial ? t('S/N %(serial)s', use) : '', use.removed_serial ? t('removed S/N %(serial)s', { serial: use.removed_serial }) : '', use.batch ? t('batch %(batch)s', use) : ''].filter(Boolean);

function usedRow(app, visit, use, open) {
  const part = app.part(use.part);
  const place = app.shown.stock.find(one => one.id === use.location);
  return html`<div class="tablet-part"><div><b>${part.name} ×${use.quantity} ${part.unit}</b><div class="s i2">${[...marks(app, use), place ? t('from %(place)s, %(n)s left', { place: place.name, n: app.onHand(place, use.part) }) : ''].filter(Boolean).join(' · ')}</div></div>
    ${open && use.mine ? html`<button class="btn" type="button" aria-label=${t('Take back: %(part)s', { part: part.name })} @click=${() => app.record('part', visit, { returns: use.id })}>${icon('undo-2')}${t('Take back')}</button>` : nothing}</div>`;
}

// Finding another ------------------------------------------------------------------------------------------

const inStock = (app, id) => app.shown.stock.some(place => app.onHand(place, id) > 0);

function findPart(app, visit) {
  pickPart(app, { title: t('Find a part') }, (id, facts) => chosenDialog(app, visit, id, facts));
}

/** A dialog to choose a part by words or by its label; `then(id, marks)` is called with what was chosen. */
export function pickPart(app, { title, every = false }, then) {
  let words = '';
  openDialog(title, (close, draw) => {
    const found = search(app, words, every);
    const choose = (id, facts = {}) => { close(); then(id, facts); };
    const read = ({ part, ...facts }) => {
      const id = Object.keys(app.shown.parts).find(key => app.part(key).number === part);
      if (id) choose(id, facts);
      else { words = part || facts.text; draw(); }
    };
    return html`<div class="row"><div class="field grow"><label for="part-words">${t('Number or name')}</label><input class="input" id="part-words" type="search" autocomplete="off" .value=${words} @input=${event => { words = event.target.value; draw(); }}></div>${scanButton(t('Scan'), () => scan(app, read))}</div>
      <div class="tablet-found">${found.length ? found.map(id => html`<button class="tablet-part" type="button" @click=${() => choose(id)}><span><b>${app.part(id).name}</b><br><span class="s i2">${app.part(id).number}</span></span><span class="s">${app.shown.stock.map(place => (app.onHand(place, id) ? html`<span class="nowrap">${place.name}: ${app.onHand(place, id)}</span><br>` : nothing))}</span></button>`) : empty('search', t('No such part in your van or at the station'))}</div>`;
  });
}

export function search(app, words, every = false) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return Object.keys(app.shown.parts).filter(id => {
    const text = `${app.part(id).number} ${app.part(id).name}`.toLowerCase();
    return wanted.every(word => text.includes(word)) && (every || inStock(app, id));
  }).sort((one, other) => app.onHand(app.van, other) - app.onHand(app.van, one) || app.part(one).number.localeCompare(app.part(other).number)).slice(0, MOST_FOUND);
}

// Any label: a part to fit, or the machine to make sure.
function scanned(app, visit) {
  scan(app, code => {
    if (code.asset || !code.part && visit.asset && plain(code.serial || code.text) === plain(visit.asset.serial)) return machine(visit, code);
    const id = Object.keys(app.shown.parts).find(key => app.part(key).number === (code.part || code.text));
    if (!id) return toast(t('This label is not known here: %(text)s', { text: code.text }));
    return inStock(app, id) ? chosenDialog(app, visit, id, code) : toast(t('No such part in your van or at the station'));
  });
}

const plain = text => (text || '').toUpperCase().replace(/[^A-Z0-9]/g, '');

/** Say whether the scanned label is on the machine of this job. */
export function machine(visit, { asset, serial, text }) {
  const { asset: wanted } = visit;
  const right = wanted && (asset ? Number(asset) === wanted.id : plain(serial || text) === plain(wanted.serial));
  toast(right ? t('The right machine: %(name)s', wanted) : t('Another machine! This job is for %(name)s, S/N %(serial)s.', wanted || { name: '–', serial: '–' }));
}

function chosenDialog(app, visit, id, { quantity = 1, place = null, serial = '', batch = '' } = {}) {
  const form = { quantity, place: place ?? source(app, { part: id, quantity })?.id ?? app.van?.id, serial, batch, removed: '', unreadable: false };
  openDialog(t('Fit a part'), (close, draw) => chosenForm(app, visit, id, form, close, draw));
}

function chosenForm(app, visit, id, form, close, draw) {
  const part = app.part(id);
  const places = app.shown.stock.filter(place => app.onHand(place, id) > 0);
  const place = places.find(one => one.id === form.place) || places[0];
  const most = Math.min(app.onHand(place, id), part.serial ? 1 : Infinity); // one number, one piece
  const counts = form.quantity > 0 && form.quantity <= most && (!part.whole || Number.isInteger(form.quantity));
  const marks = { serial: form.serial.trim(), removed_serial: form.unreadable ? '' : form.removed.trim(), batch: form.batch.trim() };
  const short = app.fits('part', marks);
  const fine = counts && short && (!part.serial || form.serial.trim() && (form.removed.trim() || form.unreadable));
  const set = facts => { Object.assign(form, facts); draw(); };
  const keep = () => { close(); fit(app, visit, Number(id), form.quantity, place, marks); };
  return html`<h3>${part.name} <span class="i2 s">${part.number}</span></h3>
    <fieldset class="choices"><legend class="label">${t('Taken from')}</legend>${places.map(one => html`<label class="choice"><input type="radio" name="place" .checked=${one === place} @change=${() => set({ place: one.id })}><span>${one.name}</span><span class="s i2">${app.onHand(one, id)} ${part.unit}</span></label>`)}</fieldset>
    ${part.serial ? nothing : html`<div class="field"><label for="quantity">${t('Quantity')} (${part.unit})</label>${stepper('quantity', form.quantity, counts, value => set({ quantity: value }))}</div>`}
    ${field(app, 'serial', app.most('part.serial'), t('Serial number of the new part'), form.serial, !part.serial, given => set({ serial: given.serial || given.text, ...(given.batch ? { batch: given.batch } : {}) }))}
    ${part.serial ? html`${field(app, 'removed', app.most('part.removed_serial'), t('Serial number of the old part'), form.removed, false, given => set({ removed: given.serial || given.text, unreadable: false }))}
      <label class="check"><input type="checkbox" .checked=${form.unreadable} @change=${event => set({ unreadable: event.target.checked })}><span>${t('The old part has no number that can be read')}</span></label>` : nothing}
    ${part.batch ? field(app, 'batch', app.most('part.batch'), t('Batch'), form.batch, true, given => set({ batch: given.batch || given.text })) : nothing}
    ${short ? nothing : html`<p class="err">${icon('triangle-alert')}${t('A serial number or batch has at most %(n)s characters. Type what is printed beside the code.', { n: app.most('part.serial') })}</p>`}
    ${counts ? nothing : html`<p class="err">${icon('triangle-alert')}${t('Between 1 and %(n)s, whole pieces where it is counted in pieces.', { n: most })}</p>`}
    <div class="dialog-f"><button class="btn btn-primary btn-l" type="button" ?disabled=${!fine} @click=${keep}>${icon('check')}${t('Fitted')}</button></div>`;
}

/** A number with less and more beside it. */
export const stepper = (id, value, fine, set) => html`<span class="num-in"><button type="button" aria-label=${t('Less')} @click=${() => set(Math.max(1, value - 1))}>${icon('minus')}</button><input id=${id} inputmode="decimal" .value=${String(value)} aria-invalid=${!fine} @change=${event => set(exact(Number(event.target.value.replace(',', '.')) || 0))}><button type="button" aria-label=${t('More')} @click=${() => set(value + 1)}>${icon('plus')}</button></span>`;

// What is missing --------------------------------------------------------------------------------------------

function missingForm(app, visit) {
  const form = { part: null, quantity: 1, words: '' };
  const ask = () => openDialog(t('Missing for the next visit'), (close, draw) => {
    const set = facts => { Object.assign(form, facts); draw(); };
    const part = form.part && app.part(form.part);
    const fine = part ? form.quantity > 0 && (!part.whole || Number.isInteger(form.quantity)) && app.fits('need', { quantity: form.quantity }) : form.words.trim();
    const keep = () => { close(); app.record('need', visit, { words: form.words.trim(), ...(part ? { part: part.number, quantity: form.quantity } : {}) }); };
    return html`${part ? html`<div class="tablet-part"><div><b>${part.name}</b><div class="s i2">${part.number}</div></div><button class="btn btn-quiet" type="button" @click=${() => set({ part: null })}>${icon('x')}${t('No part')}</button></div>
        <div class="field"><label for="quantity">${t('Quantity')} (${part.unit})</label>${stepper('quantity', form.quantity, fine, value => set({ quantity: value }))}</div>`
      : html`<button class="btn btn-l" type="button" @click=${() => { close(); pickPart(app, { title: t('Which part?'), every: true }, id => { form.part = Number(id); ask(); }); }}>${icon('search')}${t('A part of the catalogue')}</button>`}
      <div class="field"><label for="missing-words">${part ? t('What for?') : t('Or in your words: a tool, a crane, a colleague')}${part ? html`<span class="opt">${t('optional')}</span>` : nothing}</label><input class="input" id="missing-words" maxlength=${app.most('need.words')} autocomplete="off" .value=${form.words} @input=${event => set({ words: event.target.value })}></div>
      <p class="hint">${t('The dispatcher and the storekeeper see it, and the job stays open until it is there.')}</p>
      <div class="dialog-f"><button class="btn btn-primary btn-l" type="button" ?disabled=${!fine} @click=${keep}>${icon('check')}${t('Note it')}</button></div>`;
  });
  ask();
}
