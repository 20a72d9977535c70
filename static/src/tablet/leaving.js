// Before leaving (F-04): parts, tools, certificates, permits, contact; and what a station asks to be checked (S-09).
// What the tablet cannot know is ticked; with everything ready, Set off is one touch.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { chip, icon, openDialog } from './pieces.js';

const ticked = (app, visit) => app.draft(visit).ready || [];

/** What has to be ready: [{key, code, ok, words, yes, no}]; `key` only where a person ticks it. */
export function needs(app, visit) {
  const ticks = ticked(app, visit);
  const tick = (key, code, words) => ({ key, code, ok: ticks.includes(key), words });
  const parts = visit.planned.filter(item => !item.done).map(item => {
    const facts = { part: app.part(item.part).name, n: item.quantity };
    return app.onHand(app.van, item.part) >= item.quantity
      ? { code: 'parts', ok: true, words: t('%(part)s ×%(n)s in van', facts), symbol: 'check' }
      : tick(`part-${item.item}`, 'parts', t('Collect %(part)s ×%(n)s', facts));
  });
  const papers = visit.certificates.map(one => ({ code: 'certificates', ok: one.valid, words: one.valid ? t('%(name)s valid', one) : t('%(name)s not valid', one), tone: 'bad' }));
  const tools = (visit.tools || []).map(one => tick(`tool-${one.code}`, 'tools', one.calibrated ? t('%(name)s, calibration in date', one) : one.name));
  const permits = (visit.permits || []).map(one => tick(`permit-${one.code}`, 'permits', one.name));
  const contact = visit.contact?.phone && !visit.contact.confirmed_at ? [tick('contact', 'contact', t('%(name)s expects me', visit.contact))] : [];
  return [...parts, ...papers, ...tools, ...permits, ...contact];
}

const toggle = (app, visit, keys, on) => app.keepDraft(visit, { ready: on ? [...new Set([...ticked(app, visit), ...keys])] : ticked(app, visit).filter(key => !keys.includes(key)) });

/** The chips on a job: what is known, and what is to be ticked. */
export function readiness(app, visit) {
  const all = visit.times.en_route_at ? [] : needs(app, visit);
  if (!all.length) return nothing;
  return html`<div><div class="s i2 m">${t('Before you leave')}</div><div class="row wrap tablet-ready">${all.map(one => (one.key
    ? html`<button class="btn" type="button" aria-pressed=${one.ok} @click=${() => toggle(app, visit, [one.key], !one.ok)}>${icon(one.ok ? 'check' : 'circle')}${one.words}</button>`
    : chip(one.words, one.ok ? 'ok' : 'bad', one.ok ? 'check' : 'triangle-alert')))}</div></div>`;
}

/** Set off; asks first when something is missing. `act` gets what goes with the step. */
export function leave(app, visit, act) {
  const conduct = visit.conduct ? app.shown.catalogue.codes.conduct.map(({ code, label }) => ({ key: `conduct-${code}`, code, words: label })) : [];
  const open = () => needs(app, visit).filter(one => !one.ok);
  const untidy = () => conduct.filter(one => !ticked(app, visit).includes(one.key));
  const go = reason => act({ readiness: { missing: [...new Set(open().map(one => one.code))], reason }, ...(conduct.length ? { conduct: conduct.map(one => one.code) } : {}) });
  if (!open().length && !untidy().length) return go('');
  let reason = '';
  const asked = [...open(), ...untidy()];
  return openDialog(t('Before you leave'), (close, draw) => {
    const set = async (keys, on) => { await toggle(app, visit, keys, on); draw(); };
    const leaveNow = why => { close(); go(why); };
    const all = async () => {
      await toggle(app, visit, asked.map(one => one.key).filter(Boolean), true);
      if (open().length) draw(); else leaveNow('');
    };
    const missing = open();
    const row = one => (one.key
      ? html`<label class="check"><input type="checkbox" .checked=${ticked(app, visit).includes(one.key)} @change=${event => set([one.key], event.target.checked)}><span>${one.words}</span></label>`
      : chip(one.words, 'bad', 'triangle-alert'));
    const [things, looks] = [asked.filter(one => !conduct.includes(one)), asked.filter(one => conduct.includes(one))];
    return html`${things.map(row)}
      ${looks.length ? html`<h3>${t('Your appearance')}</h3>${looks.map(row)}` : nothing}
      ${missing.length && !asked.some(one => one.key && !ticked(app, visit).includes(one.key)) ? nothing : html`<button class="btn btn-block btn-primary" type="button" data-leave="all" @click=${all}>${icon('check')}${missing.length || untidy().length ? t('All in order: set off') : t('Set off')}</button>`}
      ${missing.length ? html`<div class="field"><label for="leave-reason">${t('Or why you leave without it')}</label><input class="input" id="leave-reason" maxlength=${app.most('move.readiness.reason')} .value=${reason} @input=${event => { reason = event.target.value; draw(); }}></div>
      <div class="dialog-f"><button class="btn" type="button" data-leave="without" ?disabled=${!reason.trim() || untidy().length > 0} @click=${() => leaveNow(reason.trim())}>${icon('truck')}${t('Set off without it')}</button></div>` : nothing}`;
  });
}
