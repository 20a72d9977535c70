// The sync pill, always visible, and the list behind it: each entry, its state, retry.

import { html, nothing } from 'lit';
import { t } from '../foundation/texts.js';
import { chip, empty, icon, notice, openDialog } from './pieces.js';
import { clock } from './times.js';

export function syncPill(app) {
  const { sync, waiting } = app;
  const refused = app.rejected.length;
  const at = sync.synced ? t('synced %(at)s', { at: clock(sync.synced) }) : t('not synced yet');
  const short = refused ? t('%(n)s refused', { n: refused })
    : waiting ? t('%(n)s waiting', { n: waiting })
      : sync.state === 'offline' ? t('No network') : sync.state === 'signed_out' ? t('Sign in again') : t('All sent');
  const tone = refused || sync.state === 'signed_out' ? 'bad' : waiting || sync.state !== 'idle' && sync.state !== 'busy' ? 'warn' : 'ok';
  return html`<button class="sync" type="button" data-s=${tone} aria-label="${t('Saved on this tablet')}, ${short}, ${at}" @click=${() => outbox(app)}>${icon(refused ? 'triangle-alert' : sync.state === 'offline' ? 'wifi-off' : 'tablet')}<span>${short}</span><span class="tablet-wide i2">· ${at}</span></button>`;
}

const KINDS = {
  move: () => t('Step'), answer: () => t('Checklist'), part: () => t('Part'), photo: () => t('Photo'), summary: () => t('Words for the customer'),
  failure: () => t('Fault'), signature: () => t('Signature'), note: () => t('Note to the office'),
  follow_up: () => t('Follow-up job'), time: () => t('Time'), consent: () => t('Check in by position'),
};

function outbox(app) {
  const { dialog, draw } = openDialog(t('Saved on this tablet'), () => {
    const rows = [...app.rejected, ...app.commands.filter(row => row.state === 'waiting'), ...app.uploads.filter(row => row.state === 'waiting')];
    return html`${state(app)}
      ${rows.length ? html`<ul class="tablet-outbox">${rows.map(row => entry(app, row))}</ul>` : empty('check', t('Everything has been sent'))}
      <div class="dialog-f"><button class="btn btn-primary" type="button" ?disabled=${app.sync.state === 'busy'} @click=${() => app.sync.now()}>${icon('refresh-cw')}${t('Send now')}</button></div>`;
  });
  app.addEventListener('change', draw);
  dialog.addEventListener('close', () => app.removeEventListener('change', draw));
}

function state(app) {
  const { sync } = app;
  if (!globalThis.crypto?.subtle) return notice('warn', 'lock', t('This address is not secure (no https), so photos cannot be sent from here. Steps and readings can.'));
  if (sync.state === 'offline') return notice('warn', 'wifi-off', t('There is no network. Go on working: everything is kept here and sent by itself.'));
  if (sync.state === 'signed_out') return html`${notice('bad', 'lock', t('Your session has ended. Nothing is lost: sign in again and it is sent.'))}<a class="btn btn-primary" href="/login?next=/tablet">${t('Sign in')}</a>`;
  if (sync.state === 'forbidden') return notice('bad', 'lock', sync.words);
  if (sync.state === 'failed') return notice('warn', 'triangle-alert', t('The server did not answer properly. It is tried again by itself.'));
  return sync.synced ? notice('ok', 'check', t('Last exchange at %(at)s.', { at: clock(sync.synced) })) : nothing;
}

function entry(app, row) {
  const visit = app.shown?.visits.find(one => one.id === (row.payload?.visit ?? row.visit));
  const words = row.seq ? KINDS[row.kind]?.() || row.kind : t('Picture, %(size)s MB', { size: (row.bytes.byteLength / 1e6).toFixed(1) });
  const why = row.result?.detail || row.why;
  const rejected = row.state === 'rejected';
  return html`<li><span><b>${words}${row.payload?.to ? ` · ${app.shown ? app.word('state', row.payload.to) : row.payload.to}` : ''}</b> <span class="i2 s">${visit?.title || ''} ${row.at ? clock(row.at) : ''}</span>${why ? html`<br><span class="s tone" data-s="bad">${why}</span>` : nothing}</span>
    ${rejected ? chip(t('refused'), 'bad', 'triangle-alert') : chip(t('waiting'), 'mute', 'clock')}
    ${rejected ? html`<span class="row"><button class="btn" type="button" @click=${() => app.retry(row)}>${t('Send again')}</button><button class="btn btn-quiet" type="button" @click=${() => app.dismiss(row)}>${t('Drop')}</button></span>` : nothing}</li>`;
}
