// The lines as the technician sees them in tab Report: what, who pays and why, and changing that.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { askExtra } from './extra.js';
import { beyondGoodwill, coverOf, linesOf, needsApproval, sum } from './lines.js';
import { marks } from './parts.js';
import { chip, icon, openDialog } from './pieces.js';
import { length } from './times.js';

const COVERAGES = ['warranty', 'contract', 'goodwill', 'billable'];
const here = () => document.documentElement.lang.slice(0, 2);

/** A phrase of the report in that language, from the snapshot; `%(name)s` is filled from `facts`. */
export const says = (app, lang, key, facts = {}) => (app.shown.catalogue.report[lang][key] || key).replace(/%\((\w+)\)s/g, (whole, name) => facts[name] ?? whole);

export const money = (minor, lang = here()) => new Intl.NumberFormat(lang, { style: 'currency', currency: 'CNY', currencyDisplay: 'narrowSymbol' }).format(minor / 100);

/** Why this line is paid by whom, in that language. */
export function why(app, visit, line, lang = here()) {
  const reason = line.reason === 'chosen' ? line.words : says(app, lang, `why_${line.reason}`, { day: visit.cover.until });
  return [reason, line.pending ? says(app, lang, 'pending') : '', line.included ? says(app, lang, 'included') : ''].filter(Boolean).join(' · ');
}

/** What a line is called in that language. */
export function called(app, line, lang = here()) {
  if (line.kind === 'extra') return line.words;
  return line.kind === 'part' ? app.part(line.part).names?.[lang] || app.part(line.part).name : says(app, lang, line.kind);
}

const tone = line => (line.pending ? 'warn' : line.coverage === 'billable' ? 'info' : 'ok');

export function linesCard(app, visit, open) {
  const lines = linesOf(visit, app.shown, app.now);
  const waiting = lines.filter(line => line.pending);
  const asked = visit.extras.filter(one => one.decision === 'declined');
  return html`<section class="card" id="lines"><div class="card-h"><h2>${t('Work and parts')}</h2>${open ? html`<button class="btn end" type="button" @click=${() => askExtra(app, visit)}>${icon('plus')}${t('Extra work')}</button>` : nothing}</div>
    ${waiting.length && open ? html`<div class="tablet-part"><div><b>${t('The customer pays this inside the warranty')}</b><div class="s i2">${waiting.map(line => called(app, line)).join(' · ')}</div></div><button class="btn btn-primary" type="button" @click=${() => askExtra(app, visit, waiting)}>${icon('signature')}${t('Ask the customer')}</button></div>` : nothing}
    ${lines.map(line => html`<div class="tablet-paid"><div><b>${called(app, line)} ${line.kind === 'labour' || line.kind === 'travel' ? html`<span class="m i2">${length(line.quantity)}</span>` : html`×${line.quantity}`}</b>${line.use ? html`<div class="s i2">${marks(app, line.use).join(' · ')}</div>` : nothing}<div class="row wrap s">${chip(app.word('coverage', line.coverage), tone(line))}${line.over ? chip(t('beyond your limit'), 'warn', 'triangle-alert') : nothing}<span class="i2">${why(app, visit, line)}</span></div></div><span class="num">${money(line.pays)}</span>
      ${open && line.mine && !line.included ? html`<button class="btn btn-icon btn-quiet" type="button" aria-label=${t('Change who pays: %(what)s', { what: called(app, line) })} @click=${() => change(app, visit, line)}>${icon('pencil')}</button>` : html`<span></span>`}</div>`)}
    ${asked.map(one => html`<div class="tablet-paid"><div><b>${one.words}</b><div class="row s">${chip(t('Declined'), 'warn', 'x')}</div></div><span class="num i3">${money(one.total)}</span><span></span></div>`)}
    <div class="tablet-paid"><b>${t('The customer pays')}</b><b class="num">${money(sum(lines))}</b><span></span></div>
    <p class="s i2 card-b">${t('List prices; the invoice decides.')}</p></section>`;
}

function change(app, visit, line) {
  const form = { coverage: line.coverage, reason: line.reason === 'chosen' ? line.words : '' };
  openDialog(t('Who pays?'), (close, draw) => {
    const set = facts => { Object.assign(form, facts); draw(); };
    const asks = needsApproval(coverOf(visit), form.coverage);
    const over = form.coverage === 'goodwill' && beyondGoodwill(linesOf(visit, app.shown, app.now), line, visit.cover.goodwill_limit);
    const keep = () => { close(); app.record('coverage', visit, { line: line.key, coverage: form.coverage, reason: form.reason.trim() }); };
    return html`<p><b>${called(app, line)}</b> · ${money(line.worth)}</p>
      <fieldset class="choices"><legend class="label">${t('Covered by')}</legend>${COVERAGES.map(code => html`<label class="choice"><input type="radio" name="coverage" .checked=${form.coverage === code} @change=${() => set({ coverage: code })}><span>${app.word('coverage', code)}</span></label>`)}</fieldset>
      ${asks ? html`<p class="err">${icon('triangle-alert')}${t('Paid work under warranty needs the customer’s approval.')}</p><div class="dialog-f"><button class="btn btn-primary btn-l" type="button" @click=${() => { close(); askExtra(app, visit, line.kind === 'part' ? [line] : []); }}>${icon('signature')}${t('Ask the customer')}</button></div>`
        : html`${over ? html`<p class="hint">${t('More than %(limit)s of goodwill for this job: it counts at once, and your station manager is asked.', { limit: money(visit.cover.goodwill_limit) })}</p>` : nothing}<div class="field"><label for="why">${t('Reason, as the customer will read it')}</label><input class="input" id="why" maxlength=${app.most('coverage.reason')} .value=${form.reason} @input=${event => set({ reason: event.target.value })}></div>
      <div class="dialog-f"><button class="btn btn-primary btn-l" type="button" ?disabled=${!form.reason.trim()} @click=${keep}>${icon('check')}${t('Keep')}</button></div>`}`;
  });
}
