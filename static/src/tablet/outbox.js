// The sync pill, always visible, and what stands behind it: what is kept here, how it is sent, and each entry with its
// state. Nothing can be lost without somebody saying so.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { LEAST, NotOurs, OtherPerson, WrongPassword, lock, unlock } from './locker.js';
import { chip, empty, icon, notice, openDialog } from './pieces.js';
import { clock, day, dayText, when } from './times.js';

export function syncPill(app) {
  const { sync, waiting } = app;
  const stuck = app.stuck.length;
  const at = sync.synced ? t('synced %(at)s', { at: when(sync.synced, app.now) }) : t('not synced yet');
  const refused = app.in('rejected').length;
  const short = refused ? t('%(n)s refused', { n: refused })
    : stuck ? t('%(n)s set aside', { n: stuck })
      : ['signed_out', 'other_person'].includes(sync.state) ? t('Sign in again')
      : sync.state === 'owes' ? t('Your account first')
      : sync.state === 'outdated' || app.shell.waiting ? t('Update')
        : waiting ? t('%(n)s waiting', { n: waiting }) : sync.state === 'offline' ? t('No network') : t('All sent');
  const tone = stuck || app.mayBeLost || ['signed_out', 'other_person', 'owes'].includes(sync.state) ? 'bad' : waiting || !['idle', 'busy'].includes(sync.state) ? 'warn' : 'ok';
  return html`<button class="sync" type="button" data-s=${tone} aria-label="${t('Saved on this tablet')}, ${short}, ${at}" @click=${() => outbox(app)}>${icon(stuck || app.mayBeLost ? 'triangle-alert' : sync.state === 'offline' ? 'wifi-off' : 'tablet')}<span>${short}</span><span class="tablet-wide i2">· ${at}</span></button>`;
}

const KINDS = {
  move: () => t('Step'), answer: () => t('Checklist'), part: () => t('Part'), photo: () => t('Photo'), summary: () => t('Words for the customer'),
  failure: () => t('Fault'), signature: () => t('Signature'), note: () => t('Note to the office'),
  follow_up: () => t('Follow-up job'), time: () => t('Time'), consent: () => t('Check in by position'),
  need: () => t('Something is missing'), coverage: () => t('Who pays'), extra: () => t('Extra work'),
};

const size = bytes => t('%(n)s MB', { n: Math.max(0.1, bytes / 1e6).toFixed(1) });

function outbox(app) {
  const { dialog, draw } = openDialog(t('Saved on this tablet'), () => {
    const rows = [...app.stuck, ...app.in('waiting')];
    return html`${state(app)}${update(app)}
      ${rows.length ? html`<ul class="tablet-outbox">${rows.map(row => entry(app, row))}</ul>` : empty('check', t('Everything has been sent'))}
      ${keeping(app)}
      <div class="dialog-f wrap">${rows.length && globalThis.crypto?.subtle ? html`<button class="btn" type="button" @click=${() => saveFile(app)}>${icon('download')}${t('Save as a file')}</button>` : nothing}
        ${globalThis.crypto?.subtle ? html`<button class="btn" type="button" @click=${() => openFile(app)}>${icon('upload')}${t('Bring a file in')}</button>` : nothing}
        <button class="btn btn-primary end" type="button" ?disabled=${app.sync.state === 'busy'} @click=${() => app.sync.hurry()}>${icon('refresh-cw')}${t('Send now')}</button></div>`;
  });
  app.addEventListener('change', draw);
  dialog.addEventListener('close', () => app.removeEventListener('change', draw));
  app.shell.measure();
}

/** Something has to be done on the page of the account first; what was recorded waits. */
export const owed = app => html`${notice('bad', 'lock', html`${app.sync.words} ${t('Nothing is lost: what you recorded is kept here and sent afterwards.')}`)}<a class="btn btn-primary" href="/account">${t('Open your account')}</a>`;

function state(app) {
  const { sync } = app;
  if (!globalThis.crypto?.subtle) return notice('warn', 'lock', t('This address is not secure (no https), so photos cannot be sent from here. Steps and readings can.'));
  if (sync.state === 'offline') return notice('warn', 'wifi-off', t('There is no network. Go on working: everything is kept here and sent by itself.'));
  if (sync.state === 'signed_out') return html`${notice('bad', 'lock', t('Your session has ended. Nothing is lost: sign in again and it is sent.'))}<a class="btn btn-primary" href="/login?next=/tablet">${t('Sign in')}</a>`;
  if (sync.state === 'other_person') return html`${notice('bad', 'user', t('Somebody else is signed in on this tablet now. What you recorded stays here and is sent when you sign in again.'))}<a class="btn btn-primary" href="/tablet">${t('Load the page again')}</a>`;
  if (sync.state === 'owes') return owed(app);
  if (sync.state === 'forbidden') return notice('bad', 'lock', sync.words);
  if (sync.state === 'outdated') return notice('warn', 'refresh-cw', sync.words);
  if (sync.state === 'failed') return notice('warn', 'triangle-alert', t('The server did not answer properly. It is tried again by itself.'));
  return sync.synced ? notice('ok', 'check', t('Last exchange at %(at)s.', { at: when(sync.synced, app.now) })) : nothing;
}

function update(app) {
  if (!app.shell.waiting && app.sync.state !== 'outdated') return nothing;
  return html`<div class="row wrap"><span class="grow">${t('A newer version of this page is ready. What you recorded stays.')}</span><button class="btn btn-primary" type="button" @click=${() => app.shell.takeOver()}>${icon('refresh-cw')}${t('Update now')}</button></div>`;
}

// What is here for the day, and how safe it is.
function keeping(app) {
  const { shell, shown, pictures, sync } = app;
  const last = shown?.visits.at(-1);
  const lines = [
    shown && [shell.offline ? 'check' : 'triangle-alert', shell.offline ? 'ok' : 'warn',
      t('Jobs on this tablet: %(n)s, until %(day)s', { n: shown.visits.length, day: last ? dayText(last.starts_at) : dayText(shown.today) }),
      [sync.synced ? t('as of %(at)s', { at: when(sync.synced, app.now) }) : '', pictures?.all ? t('pictures %(kept)s of %(all)s', pictures) : '', shell.storage ? size(shell.storage.usage) : ''].filter(Boolean).join(' · ')],
    [shell.offline ? 'check' : 'triangle-alert', shell.offline ? 'ok' : 'warn', shell.offline ? t('Opens without a network') : t('Opens only with a network so far'), isSecureContext ? '' : t('The address must be secure (https).')],
    shell.storage && [shell.storage.persisted ? 'check' : 'triangle-alert', shell.storage.persisted ? 'ok' : 'warn',
      shell.storage.persisted ? t('The browser has promised to keep everything') : t('The browser may delete what is here when its memory runs short'),
      shell.storage.persisted ? '' : t('Add this page to the home screen and open it from there; send what waits at least once a week.')],
    Math.abs(sync.clock.offset) > 120_000 && ['clock', 'warn', t('The clock of this tablet is wrong by %(n)s min; times are corrected', { n: Math.round(Math.abs(sync.clock.offset) / 60_000) }), ''],
  ].filter(Boolean);
  return html`${app.mayBeLost ? notice('bad', 'triangle-alert', t('Entries have waited here for long and the browser may delete them. Find a network, or save them as a file now.')) : nothing}
    <ul class="tablet-kept">${lines.map(([symbol, tone, words, more]) => html`<li>${icon(symbol)}<span><b>${words}</b>${more ? html`<br><span class="s i2">${more}</span>` : nothing}</span>${tone === 'warn' ? chip(t('look'), 'warn') : nothing}</li>`)}</ul>`;
}

function entry(app, row) {
  const visit = app.shown?.visits.find(one => one.id === (row.payload?.visit ?? row.visit));
  const words = row.seq ? KINDS[row.kind]?.() || row.kind : t('Picture, %(size)s MB', { size: (row.size / 1e6).toFixed(1) });
  const why = row.state === 'held' ? t('The server fails at this entry. It was set aside so that the others could go on, and is tried again every hour.') : row.result?.detail || row.why;
  const stuck = row.state !== 'waiting';
  const label = { rejected: () => t('refused'), held: () => t('set aside'), waiting: () => t('waiting') }[row.state]();
  return html`<li><span><b>${words}${row.payload?.to ? ` · ${app.shown ? app.word('state', row.payload.to) : row.payload.to}` : ''}</b> <span class="i2 s">${visit?.title || ''} ${row.at ? clock(row.at) : ''}</span>${why ? html`<br><span class="s tone" data-s="bad">${why}</span>` : nothing}
      ${row.state === 'rejected' && row.seq ? html`<br><span class="s i2">${t('The dispatchers of your station see it too.')}</span>` : nothing}</span>
    ${chip(label, stuck ? 'bad' : 'mute', stuck ? 'triangle-alert' : 'clock')}
    <span class="row">${stuck ? html`<button class="btn" type="button" @click=${() => app.retry(row)}>${t('Send again')}</button><button class="btn btn-quiet" type="button" @click=${() => drop(app, row)}>${t('Drop')}</button>` : nothing}</span></li>`;
}

// What the server has and refused may go with one press: it is kept there. Anything else exists only here.
function drop(app, row) {
  if (row.seq && row.state === 'rejected' || confirm(t('This entry is nowhere but on this tablet. Delete it for good?'))) app.dismiss(row);
}

// Files ------------------------------------------------------------------------------------------------------

function saveFile(app) {
  let [password, busy] = ['', false];
  openDialog(t('Save as a file'), (close, draw) => {
    const save = async () => {
      busy = true;
      draw();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await lock(app.store, password));
      link.download = `tablet-${day(app.now)}-${clock(app.now).replace(':', '')}.fs360`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      close();
    };
    return html`<p>${t('Everything that waits is put into one encrypted file. Without the password nobody can read it, and nobody can recover it.')}</p>
      ${passwordField(t('Password for the file'), 'new-password', words => { password = words; draw(); })}
      <div class="dialog-f"><button class="btn btn-primary" type="button" ?disabled=${password.length < LEAST || busy} @click=${save}>${icon('download')}${t('Save')}</button></div>`;
  });
}

function openFile(app) {
  let [password, file, wrong, busy] = ['', null, '', false];
  openDialog(t('Bring a file in'), (close, draw) => {
    const bring = async () => {
      busy = true;
      draw();
      try {
        const came = await unlock(app.store, file, password);
        toast(t('Entries brought in: %(commands)s, pictures: %(uploads)s. What was sent already is not done twice.', came));
        close();
        await app.load();
        app.sync.hurry();
      } catch (error) {
        wrong = error instanceof NotOurs ? t('This is no file of a tablet.')
          : error instanceof WrongPassword ? t('The password does not fit, or the file is damaged.')
            : error instanceof OtherPerson ? t('This file belongs to somebody else. It can be brought in once that person has signed in here.') : '';
        if (!wrong) throw error;
      } finally {
        busy = false;
        draw();
      }
    };
    return html`<div class="field"><label for="locker-file">${t('File')}</label><input class="input" id="locker-file" type="file" accept=".fs360" @change=${event => { [file] = event.target.files; wrong = ''; draw(); }}></div>
      ${passwordField(t('Password of the file'), 'off', words => { password = words; wrong = ''; draw(); })}
      ${wrong ? html`<p class="err" role="alert">${icon('triangle-alert')}${wrong}</p>` : nothing}
      <div class="dialog-f"><button class="btn btn-primary" type="button" ?disabled=${!file || !password || busy} @click=${bring}>${icon('upload')}${t('Bring in')}</button></div>`;
  });
}

const passwordField = (label, autocomplete, type) => html`<div class="field"><label for="locker-password">${label}</label><input class="input" id="locker-password" type="password" minlength=${LEAST} autocomplete=${autocomplete} @input=${event => type(event.target.value)}><span class="hint">${t('At least %(n)s characters.', { n: LEAST })}</span></div>`;
