// Questions in a dialog: why, with the usual reasons one touch away; follow-up work; how long it really was.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { openDialog } from './pieces.js';

/** Ask why, with the usual reasons one touch away. */
export function askReason(app, title, reasons, act) {
  let words = '';
  openDialog(title, (close, draw) => html`
    <div class="stack">${reasons.map(reason => html`<button class="btn btn-block" type="button" @click=${() => { close(); act(reason); }}>${reason}</button>`)}</div>
    <div class="field"><label for="reason">${t('Another reason')}</label><input class="input" id="reason" maxlength=${app.most('move.reason')} .value=${words} @input=${event => { words = event.target.value; draw(); }}></div>
    <div class="dialog-f"><button class="btn btn-primary" type="button" ?disabled=${!words.trim()} @click=${() => { close(); act(words.trim()); }}>${t('Use this reason')}</button></div>`);
}

const option = (chosen, words, act) => html`<button type="button" aria-pressed=${chosen} @click=${act}>${words}</button>`;

/** Work that this visit found necessary; of a finding where `field` is given. */
export function askFollowUp(app, visit, words = '', field = null) {
  const form = { words: words.slice(0, app.most('follow_up.words')), urgency: 'normal' };
  openDialog(t('Follow-up job'), (close, draw) => {
    const set = facts => { Object.assign(form, facts); draw(); };
    const keep = () => { close(); app.record('follow_up', visit, { words: form.words.trim(), urgency: form.urgency, ...(field ? { field } : {}) }); };
    return html`<div class="field"><label for="follow-words">${t('What is to be done?')}</label><textarea class="textarea" id="follow-words" rows="3" maxlength=${app.most('follow_up.words')} .value=${form.words} @input=${event => set({ words: event.target.value })}></textarea></div>
      <div class="seg" role="group" aria-label=${t('How soon?')}>${option(form.urgency === 'soon', t('Soon'), () => set({ urgency: 'soon' }))}${option(form.urgency === 'normal', t('When it suits'), () => set({ urgency: 'normal' }))}</div>
      <p class="s i2">${t('It becomes a work order for the same machine, which the dispatcher plans.')}</p>
      <div class="dialog-f"><button class="btn btn-primary" type="button" ?disabled=${!form.words.trim()} @click=${keep}>${t('Keep')}</button></div>`;
  });
}

/** How long travel, work or waiting really was. */
export function askTime(app, visit, kind, title, minutes, reason = '') {
  const form = { minutes: String(minutes ?? ''), reason };
  openDialog(title, (close, draw) => {
    const set = facts => { Object.assign(form, facts); draw(); };
    const given = /^\d+$/.test(form.minutes) ? Number(form.minutes) : NaN;
    const ready = given >= 0 && app.fits('time', { minutes: given }) && form.reason.trim();
    const keep = () => { close(); app.record('time', visit, { kind, minutes: given, reason: form.reason.trim() }); };
    return html`<div class="field"><label for="time-minutes">${t('Minutes, as it really was')}</label><input class="input" id="time-minutes" inputmode="numeric" autocomplete="off" .value=${form.minutes} @input=${event => set({ minutes: event.target.value.trim() })}></div>
      <div class="field"><label for="time-reason">${t('Why does it differ?')}</label><input class="input" id="time-reason" maxlength=${app.most('time.reason')} .value=${form.reason} @input=${event => set({ reason: event.target.value })}></div>
      ${minutes === null ? nothing : html`<p class="s i2">${t('What the steps recorded stays beside it.')}</p>`}
      <div class="dialog-f"><button class="btn btn-primary" type="button" ?disabled=${!ready} @click=${keep}>${t('Keep')}</button></div>`;
  });
}
