// Tab Report: what is left, the fault, the words for the customer beside the technical note, the lines, the signature.

import { html, nothing } from 'lit/html.js';
import { ref } from 'lit/directives/ref.js';
import { t } from '../foundation/texts.js';
import { card, joined, phrases } from './job.js';
import { find } from './lessons.js';
import { linesCard } from './lines.view.js';
import { fitAll, simple } from './parts.js';
import { icon, notice, openDialog } from './pieces.js';
import { canPrint, showReport } from './shown.js';
import { clear, mount, release, take } from './sign.js';
import { isOpen } from './steps.js';
import { when } from './times.js';

const OFFERED = 3;

export function reportTab(app, visit) {
  const open = ['on_site', 'in_progress', 'paused'].includes(visit.state);
  const late = open || !isOpen(visit);
  return html`
    ${visit.state === 'in_progress' ? html`${left(app, visit)}${unbooked(app, visit)}` : nothing}
    ${open || visit.failure.failure_mode ? fault(app, visit, late) : nothing}
    ${words(app, visit, late)}
    ${late ? linesCard(app, visit, late) : nothing}
    ${open && !visit.corrective ? html`<label class="check card tablet-runs"><input type="checkbox" .checked=${app.draft(visit).restored} @change=${event => app.keepDraft(visit, { restored: event.target.checked })}><span>${t('The machine runs again')}</span></label>` : nothing}
    ${signature(app, visit, late)}
    ${late ? html`<div class="tablet-papers"><button class="btn btn-xl" type="button" @click=${() => showReport(app, visit)}>${icon('file-text')}${t('Show the report')}</button>
      ${canPrint(app, visit) ? html`<a class="btn btn-xl" href="/work-orders/${visit.number}/report.pdf" target="_blank">${icon('download')}${t('Open the service report (PDF)')}</a>` : nothing}</div>` : nothing}`;
}

// What is left ----------------------------------------------------------------------------------------------

function left(app, visit) {
  const found = app.missing(visit);
  if (!found.length) return html`<div id="left" tabindex="-1">${notice('ok', 'check', visit.signature ? t('Nothing is left. Finish the visit.') : t('Nothing is left. Let the customer sign, then finish.'))}</div>`;
  const go = tab => () => { location.hash = `#visit/${visit.id}/${tab}`; };
  return html`<section class="card" id="left" tabindex="-1"><div class="card-h"><h2>${t('%(n)s left before you can finish', { n: found.length })}</h2></div>
    ${found.map(one => (one.tab === 'report'
      ? html`<div class="tablet-line"><span class="i3">${icon('circle')}</span><b>${one.words}</b><span class="s i2">${t('below')}</span></div>`
      : html`<a class="tablet-line" href="#visit/${visit.id}/${one.tab}" @click=${go(one.tab)}><span class="i3">${icon('circle')}</span><b>${one.words}</b><span class="ac">${icon('chevron-right')}</span></a>`))}</section>`;
}

// Planned parts that lie ready: one touch books them all, so that the van's stock stays true.
function unbooked(app, visit) {
  const ready = visit.planned.filter(item => !item.done && simple(app, item));
  if (!ready.length) return nothing;
  return html`<section class="card"><div class="tablet-part"><div><b>${t('Planned parts')}</b><div class="s i2">${ready.map(item => `${app.part(item.part).name} ×${item.quantity}`).join(' · ')}</div></div><button class="btn" type="button" @click=${() => fitAll(app, visit, ready)}>${icon('check')}${t('Fitted as planned')}</button></div></section>`;
}

// The fault --------------------------------------------------------------------------------------------------

function fault(app, visit, open) {
  const { failure } = visit;
  const chosen = app.pattern(failure.pattern);
  const codes = ['failure_mode', 'failure_mechanism', 'failure_cause'].map(name => failure[name] && app.word(name, failure[name])).filter(Boolean).join(' · ');
  const offered = (visit.likely || []).filter(code => code !== failure.pattern).slice(0, OFFERED).map(code => app.pattern(code)).filter(Boolean);
  const choose = pattern => app.record('failure', visit, { pattern });
  return card(t('What was the fault?'), html`
    ${chosen ? html`<div class="row start"><span class="ac">${icon('check')}</span><div><b>${chosen.symptom}</b><div class="s i2">${codes}</div></div></div>` : codes ? html`<div><b>${codes}</b>${failure.unknown_reason ? html`<div class="s i2">${failure.unknown_reason}</div>` : nothing}</div>` : nothing}
    ${open && !codes ? html`<div class="stack">${offered.map(one => html`<button class="btn btn-block tablet-pattern" type="button" @click=${() => choose(one.code)}>${one.symptom}</button>`)}</div>` : nothing}
    ${open ? html`<div class="row wrap"><button class="btn" type="button" @click=${() => searchFault(app, visit, choose)}>${icon('search')}${codes ? t('Another fault') : t('Search by words')}</button><button class="btn btn-quiet" type="button" @click=${() => byCode(app, visit)}>${t('By code')}</button></div>` : nothing}`);
}

function searchFault(app, visit, choose) {
  let given = '';
  openDialog(t('Find the fault'), (close, draw) => html`<div class="field"><label for="fault-words">${t('What you saw or found')}</label><input class="input" id="fault-words" type="search" autocomplete="off" .value=${given} @input=${event => { given = event.target.value; draw(); }}></div>
    <div class="tablet-found">${find(app, given || visit.words, visit.work_type_code).map(one => html`<button class="tablet-part" type="button" @click=${() => { close(); choose(one.code); }}><span><b>${one.symptom}</b><br><span class="s i2">${[app.word('failure_mode', one.failure_mode), app.word('failure_mechanism', one.failure_mechanism), app.word('failure_cause', one.failure_cause)].join(' · ')}</span></span></button>`)}</div>`);
}

function byCode(app, visit) {
  const form = { ...visit.failure, unknown_reason: visit.failure.unknown_reason || '' };
  const labels = { failure_mode: t('Failure mode'), failure_mechanism: t('Mechanism'), failure_cause: t('Cause'), detection: t('Found by'), activity: t('What was done') };
  openDialog(t('Failure codes'), (close, draw) => {
    const set = facts => { Object.assign(form, facts); draw(); };
    const unknown = form.failure_mode === 'UNK';
    const ready = unknown ? form.unknown_reason.trim() : form.failure_mode && form.failure_mechanism && form.failure_cause;
    const keep = () => {
      close();
      const codes = Object.fromEntries(Object.keys(labels).filter(name => form[name]).map(name => [name, form[name]]));
      app.record('failure', visit, { codes, ...(unknown ? { unknown_reason: form.unknown_reason.trim() } : {}) });
    };
    return html`${Object.entries(labels).map(([name, label]) => html`<div class="field"><label for="code-${name}">${label}</label><select class="select" id="code-${name}" @change=${event => set({ [name]: event.target.value })}><option value="" ?selected=${!form[name]}>${t('Choose')}</option>${app.shown.catalogue.codes[name].map(({ code, label: words }) => html`<option value=${code} ?selected=${form[name] === code}>${words}</option>`)}</select></div>`)}
      ${unknown ? html`<div class="field"><label for="unknown">${t('Why is it unknown?')}</label><input class="input" id="unknown" maxlength=${app.most('failure.unknown_reason')} .value=${form.unknown_reason} @input=${event => set({ unknown_reason: event.target.value })}></div>` : nothing}
      <div class="dialog-f"><button class="btn btn-primary btn-l" type="button" ?disabled=${!ready} @click=${keep}>${t('Use these codes')}</button></div>`;
  });
}

// Words ------------------------------------------------------------------------------------------------------

function words(app, visit, open) {
  const save = event => {
    const [summary, note] = ['summary', 'technical'].map(id => document.getElementById(id).value.trim());
    if (!summary && event.target.id === 'summary') return;
    app.record('summary', visit, { summary: summary || visit.summary, technical_note: note });
  };
  const language = visit.customer_language === 'zh' ? t('Chinese') : t('English');
  return html`<section class="card"><div class="card-b stack">
    <div class="field"><label for="summary">${t('For the customer, in plain words (%(language)s)', { language })}</label><textarea class="textarea" id="summary" rows="3" maxlength=${app.most('summary.summary')} lang=${visit.customer_language} ?disabled=${!open} .value=${visit.summary} @change=${save}></textarea><span class="hint">${t('What was found, what was done, what to watch. The fault you choose writes the first draft.')}</span></div>
    ${open ? phrases(app, ['found', 'done', 'watch'], visit.customer_language, phrase => app.record('summary', visit, { summary: joined(visit.summary, phrase).slice(0, app.most('summary.summary')), technical_note: visit.technical_note || '' })) : nothing}
    <div class="field"><label for="technical">${t('Technical note for colleagues')}<span class="opt">${t('optional')}</span></label><textarea class="textarea" id="technical" rows="2" maxlength=${app.most('summary.technical_note')} ?disabled=${!open || !visit.summary.trim()} .value=${visit.technical_note || ''} @change=${save}></textarea></div>
  </div></section>`;
}

// The signature -------------------------------------------------------------------------------------------------

function signature(app, visit, open) {
  if (visit.signature) return card(t('Signed'), html`<p>${t('%(name)s, %(at)s', { name: visit.signature.name || t('Customer'), at: when(visit.signature.at, app.now) })}</p>${app.picture(visit.signature) ? html`<img class="tablet-signed" src=${app.picture(visit.signature)} alt=${t('Signature')}>` : nothing}`);
  if (!open) return nothing;
  const name = app.draft(visit).name || visit.contact?.name || '';
  return html`<section class="card tablet-sign"><div class="card-b"><div class="field"><span class="label">${t('Signature of the customer')}</span><div class="sign"><canvas ${ref(canvas => { mount(visit.id, canvas); })} aria-label=${t('Sign here')} role="img"></canvas></div></div>
    <div class="stack"><div class="field"><label for="signer">${t('Signed by')}</label><input class="input" id="signer" maxlength=${app.most('signature.name')} autocomplete="off" .value=${name} @change=${event => app.keepDraft(visit, { name: event.target.value.trim() })}></div>
    <div class="row"><button class="btn" type="button" @click=${() => clear(visit.id)}>${icon('rotate-ccw')}${t('Clear')}</button><button class="btn" type="button" @click=${() => saveSignature(app, visit)}>${icon('check')}${t('Keep the signature')}</button></div>
    <span class="hint">${t('With the signature the customer confirms the work, not the price.')}</span></div></div></section>`;
}

/** Keep what was drawn, if anything was; also pressed by finishing. */
export const saveSignature = (app, visit) => app.once(`sign ${visit.id}`, async () => {
  const bytes = visit.signature ? null : await take(visit.id);
  if (!bytes) return;
  await app.addUpload('signature', visit, bytes, 'signature.png', { name: (app.draft(visit).name || visit.contact?.name || '').slice(0, app.most('signature.name')) });
  release(visit.id);
});
