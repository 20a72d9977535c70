// Tab Photos: those the checklist asks for, others, and the customer's own.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { answered } from './apply.js';
import { room } from './limits.js';
import { icon, notice } from './pieces.js';
import { clock } from './times.js';

export function photosTab(app, visit) {
  const fields = (app.shown.forms[visit.form] || []).filter(field => field.type === 'photo');
  const mine = visit.photos.filter(one => one.of === 'visit');
  const theirs = visit.photos.filter(one => one.of === 'customer');
  const named = fields.map(field => field.code);
  const pairs = fields.filter(field => field.moment);
  const open = ['on_site', 'in_progress', 'paused', 'completed', 'partially_completed'].includes(visit.state);
  const asked = field => group(app, field.label, mine.filter(one => one.field === field.code),
    field.required && !answered(visit.answers[field.code]) ? t('1 more needed') : '', open ? addPhoto(app, visit, field) : nothing, Boolean(field.moment));
  return html`
    ${pairs.length ? html`<div class="tablet-pair">${['before', 'after'].map(moment => html`<div class="stack"><h2>${moment === 'before' ? t('Before the work') : t('After the work')}</h2>${pairs.filter(field => field.moment === moment).map(field => asked(field))}</div>`)}</div>` : nothing}
    ${fields.filter(field => !field.moment).map(asked)}
    ${group(app, fields.length ? t('Other photos') : t('Photos'), mine.filter(one => !named.includes(one.field)), '', open ? addPhoto(app, visit) : nothing)}
    ${open ? nothing : html`<p class="s i2">${t('You can take photos once you have arrived.')}</p>`}
    ${theirs.length ? group(app, t('From the customer'), theirs, '', nothing) : nothing}
    ${saved(app, visit)}`;
}

function group(app, title, photos, need, add, inPair = false) {
  return html`<div class="row wrap">${inPair ? html`<h3>${title}</h3>` : html`<h2>${title}</h2>`}${need ? html`<span class="end s tone b" data-s="warn">${need}</span>` : nothing}</div>
    <div class="photos tablet-photos">${photos.map(one => photoOf(app, one))}${add}</div>`;
}

/** One picture; a waiting one says so. */
export function photoOf(app, one) {
  const source = app.picture(one);
  const upload = app.uploads.find(row => row.id === one.upload);
  const waits = upload?.state === 'waiting';
  const caption = one.state === 'refused' || upload?.state === 'rejected' ? t('cannot be used') : waits ? t('waiting') : one.at ? clock(one.at) : '';
  return html`<figure class="photo">${source ? html`<img src=${source} alt=${t('Photo of %(at)s', { at: one.at ? clock(one.at) : '' })} loading="lazy">` : icon('image')}<figcaption>${icon(waits ? 'upload' : 'check', 'i-s')}${caption}</figcaption></figure>`;
}

/** A button that opens the camera or the gallery. */
export function addPhoto(app, visit, field = null) {
  const take = async event => {
    const files = [...event.target.files];
    event.target.value = '';
    await app.addPictures(visit, files, field);
  };
  const ask = event => {
    if (room(visit, app.shown.limits, field)) return;
    event.preventDefault(); // no camera for a picture that the server would refuse
    toast(field && room(visit, app.shown.limits) ? t('“%(field)s” has its %(n)s photos, those waiting included. Add more under Other photos.', { field: field.label, n: field.most })
      : t('This visit has its %(n)s photos, those waiting included. It holds no more.', { n: app.most('photos') }));
  };
  return html`<label class="photo photo-add">${icon('camera', 'i-l')}${t('Take photo')}<input class="sr" type="file" accept="image/*" multiple aria-label=${field ? t('Take photo: %(field)s', { field: field.label }) : t('Take photo')} @click=${ask} @change=${take}></label>`;
}

function saved(app, visit) {
  const rows = app.uploads.filter(row => row.visit === visit.id && row.state === 'waiting');
  if (!rows.length) return nothing;
  const size = (rows.reduce((sum, row) => sum + row.size - row.sent * 262_144, 0) / 1e6).toFixed(1);
  return notice('info', 'tablet', t('Pictures on this tablet that wait for a link: %(n)s (%(size)s MB).', { n: rows.length, size: Math.max(0.1, size) }));
}
