// Tab Checklist: one row for each field of the work type's form; a reading shows where it lies in its tolerance.

import { html, nothing, svg } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { answered, out, standing } from './apply.js';
import { askFollowUp } from './ask.js';
import { fitsField, readNumber } from './limits.js';
import { addPhoto, photoOf } from './photos.js';
import { chip, empty, icon } from './pieces.js';
import { clock } from './times.js';

const BAR = 110;

export function checklistTab(app, visit) {
  const fields = app.shown.forms[visit.form] || [];
  if (!fields.length) return empty('list-checks', t('This work type has no checklist'));
  const locked = !['on_site', 'in_progress', 'paused'].includes(visit.state);
  const open = fields.filter(field => field.type === 'check' && !answered(visit.answers[field.code]) && visit.answers[field.code]?.value !== false);
  const now = fields.find(field => !answered(visit.answers[field.code]) && visit.answers[field.code]?.value !== false);
  return html`<div class="row wrap"><h2>${visit.work_type}</h2><span class="end s i2">${t('%(n)s of %(all)s answered', { n: fields.filter(field => answered(visit.answers[field.code])).length, all: fields.length })}</span></div>
    ${locked && ['scheduled', 'dispatched', 'accepted', 'en_route'].includes(visit.state) ? html`<p class="s i2">${t('You can fill this in once you have arrived.')}</p>` : nothing}
    <div class="tablet-list">${fields.map(field => row(app, visit, field, locked, field === now))}</div>
    ${!locked && open.length > 1 ? html`<button class="btn btn-block" type="button" @click=${() => tickAll(app, visit, open)}>${icon('list-checks')}${t('All %(n)s remaining checks are done and in order', { n: open.length })}</button>` : nothing}`;
}

async function tickAll(app, visit, open) {
  for (const field of open) await app.record('answer', visit, { field: field.code, value: true });
}

function row(app, visit, field, locked, now) {
  const given = visit.answers[field.code];
  const done = answered(given);
  const wrong = Boolean(given?.out);
  return html`<div class="tablet-field" id="field-${field.code}" data-type=${field.type} ?data-out=${wrong} ?data-now=${now && !locked}>
    <span class="st" data-s=${wrong ? 'bad' : done ? 'ok' : nothing}>${icon(wrong ? 'triangle-alert' : done ? 'check' : now ? 'pencil' : 'circle')}</span>
    <span class="words"><b id="label-${field.code}">${field.label}${field.required ? '' : html` <span class="i3 s">${t('optional')}</span>`}</b>${hint(field, given, wrong)}</span>
    <span class="value">${INPUTS[field.type]?.(app, visit, field, given, locked) ?? nothing}</span>
    ${wrong ? reason(app, visit, field, given, locked) : nothing}
  </div>`;
}

function hint(field, given, wrong) {
  if (wrong && field.type === 'check') return html`<br><small class="tone" data-s="bad">${t('Not in order: mend it and tick, or say why')}</small>`;
  if (wrong) return html`<br><small class="tone" data-s="bad">${t('Out of tolerance by %(by)s %(unit)s: test again or say why', { by: beyond(field, given.value), unit: field.unit })}</small>`;
  const parts = [given && answered(given) ? clock(given.at) : '', field.hint].filter(Boolean);
  return parts.length ? html`<br><small>${parts.join(' · ')}</small>` : nothing;
}

function beyond(field, value) {
  const by = field.high !== null && Number(value) > field.high ? Number(value) - field.high : field.low - Number(value);
  return Number(by.toPrecision(6));
}

function reason(app, visit, field, given, locked) {
  const settled = visit.findings?.findLast(one => one.field === field.code)?.state === 'followed_up';
  const follow = standing(visit, field.code) && !locked
    ? html`<button class="btn" type="button" @click=${() => askFollowUp(app, visit, [field.label, field.type === 'number' ? `${given.value} ${field.unit}` : '', given.note].filter(Boolean).join(' · '), field.code)}>${icon('repeat')}${t('Follow-up job')}</button>`
    : settled ? chip(t('Follow-up work recorded'), 'info', 'repeat') : nothing;
  return html`<div class="why row wrap"><input class="input" ?disabled=${locked} maxlength=${app.most('answer.note')} aria-label=${t('Why is %(field)s out of tolerance?', { field: field.label })} placeholder=${t('Reason, if it stays so')} .value=${given.note || ''} @change=${event => app.record('answer', visit, { field: field.code, value: given.value, note: event.target.value.trim() })}>${follow}</div>`;
}

// Inputs by type ------------------------------------------------------------------------------------------

const INPUTS = { check, number, choice, text, code: text, photo };

function answer(app, visit, field, value) {
  return app.record('answer', visit, { field: field.code, value, note: value === null ? '' : visit.answers[field.code]?.note || '' });
}

function check(app, visit, field, given, locked) {
  const done = answered(given);
  const failed = given?.value === false;
  const bad = field.required && !done ? html`<button class="btn btn-icon" type="button" aria-pressed=${failed} aria-label="${t('Not in order')}: ${field.label}" ?disabled=${locked} @click=${() => answer(app, visit, field, failed ? null : false)}>${icon('x')}</button>` : nothing;
  return html`<span class="row">${bad}<button class="btn tablet-tick" type="button" aria-pressed=${done} aria-label="${done ? t('Done') : t('Tick')}: ${field.label}" ?disabled=${locked} @click=${() => answer(app, visit, field, done ? null : true)}>${icon('check')}${done ? t('Done') : t('Tick')}</button></span>`;
}

function number(app, visit, field, given, locked) {
  const value = answered(given) ? String(given.value) : '';
  const step = stepOf(field);
  const put = text => {
    const reading = readNumber(text, app.shown.limits);
    if (reading === null && text.trim()) return false;
    if (reading !== (value || null)) answer(app, visit, field, reading);
    return true;
  };
  const change = event => {
    const fine = put(event.target.value);
    event.target.setAttribute('aria-invalid', fine ? 'false' : 'true');
  };
  const nudge = by => {
    const start = value === '' ? field.nominal ?? field.low ?? 0 : Number(value) + by;
    put(String(Number(start.toFixed(6))));
  };
  return html`<span class="num-in"><button type="button" ?disabled=${locked} aria-label=${t('Less: %(field)s', { field: field.label })} @click=${() => nudge(-step)}>${icon('minus')}</button><input inputmode="decimal" autocomplete="off" maxlength="20" ?disabled=${locked} aria-labelledby="label-${field.code}" .value=${value} @change=${change}><button type="button" ?disabled=${locked} aria-label=${t('More: %(field)s', { field: field.label })} @click=${() => nudge(step)}>${icon('plus')}</button></span>
    <span class="tol">${field.low === null && field.high === null ? nothing : bar(field, given)}<span>${limits(field)} ${field.unit}</span></span>`;
}

function limits({ low, high }) {
  if (low !== null && high !== null) return low === -high ? `± ${high}` : `${low} – ${high}`;
  if (high !== null) return `≤ ${high}`;
  return low !== null ? `≥ ${low}` : '';
}

function stepOf({ low, high }) {
  const size = Math.abs(high ?? low ?? 10);
  return size >= 20 ? 1 : size >= 2 ? 0.1 : 0.01;
}

// Where the reading lies: grey the scale, green the tolerance, a dot the reading.
function bar(field, given) {
  const low = field.low ?? Math.min(0, field.high);
  const high = field.high ?? (field.low > 0 ? field.low * 2 : field.low + 10);
  const room = (high - low || 1) * 0.25;
  const at = value => Math.max(6, Math.min(BAR - 6, (BAR * (value - (low - (field.low === null ? 0 : room)))) / (high - low + room * (field.low === null || field.high === null ? 1 : 2))));
  const [from, to] = [field.low === null ? 0 : at(low), field.high === null ? BAR : at(high)];
  const dot = answered(given) ? svg`<circle class=${out(field, given.value) ? 'bad' : 'ok'} cx=${at(Number(given.value))} cy="6" r="5" />` : nothing;
  return html`<svg viewBox="0 0 ${BAR} 12" aria-hidden="true"><rect class="scale" y="3" width=${BAR} height="6" rx="3" /><rect class="fine" x=${from} y="3" width=${to - from} height="6" rx="3" />${dot}</svg>`;
}

function choice(app, visit, field, given, locked) {
  return html`<span class="tablet-options" role="group" aria-labelledby="label-${field.code}">${field.options.map(({ code, label }) => html`<button class="btn" type="button" ?disabled=${locked} aria-pressed=${given?.value === code} @click=${() => answer(app, visit, field, given?.value === code ? null : code)}>${label}</button>`)}</span>`;
}

function text(app, visit, field, given, locked) {
  const change = event => {
    const words = event.target.value.trim();
    const fine = !words || fitsField(field, words);
    event.target.setAttribute('aria-invalid', fine ? 'false' : 'true');
    if (fine) answer(app, visit, field, words || null);
    else toast(t('Use letters, digits and . _ / # : + * - only.'));
  };
  return html`<textarea class="textarea" rows="1" maxlength=${field.most} ?disabled=${locked} aria-labelledby="label-${field.code}" .value=${given?.value || ''} @change=${change}></textarea>`;
}

function photo(app, visit, field, given, locked) {
  const shown = visit.photos.filter(one => one.field === field.code);
  return html`<span class="tablet-thumbs">${shown.map(one => photoOf(app, one))}${shown.length || !answered(given) ? nothing : chip(t('%(n)s taken', { n: given.value.length }), 'ok', 'image')}${locked ? nothing : addPhoto(app, visit, field)}</span>`;
}
