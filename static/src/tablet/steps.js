// The one primary action of a visit, which always names the next step; and the ways to end or refuse one.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { ENDED } from './apply.js';
import { arrive } from './arriving.js';
import { askReason } from './ask.js';
import { leave } from './leaving.js';
import { icon, openDialog } from './pieces.js';

const NEXT = {
  dispatched: () => ({ to: 'accepted', words: t('Accept'), symbol: 'check' }),
  accepted: () => ({ to: 'en_route', words: t('Set off'), symbol: 'truck' }),
  en_route: () => ({ to: 'on_site', words: t('Arrived'), symbol: 'map-pin' }),
  on_site: () => ({ to: 'in_progress', words: t('Start'), symbol: 'play' }),
  paused: () => ({ to: 'in_progress', words: t('Go on'), symbol: 'play' }),
};

const ASKS = { en_route: leave, on_site: arrive }; // what may be asked before a step is kept

/** The next step of a visit before its end; null when the office or nobody has to act. */
export const nextStep = visit => NEXT[visit.state]?.() || null;

/** The button of the next step; `then` runs after it was kept. */
export function stepButton(app, visit, then = () => {}) {
  const step = nextStep(visit);
  if (!step) return nothing;
  const act = facts => app.step(visit, step.to, facts).then(then);
  const press = () => app.pressedTwice || (ASKS[step.to] ? ASKS[step.to](app, visit, act) : act());
  return html`<button class="btn btn-primary btn-xl" type="button" data-step=${step.to} @click=${press}>${icon(step.symbol)}${step.words}</button>`;
}

export function pause(app, visit) {
  askReason(app, t('Why does the work stand still?'), [t('Waiting for a part'), t('Waiting for the customer'), t('Waiting for a shutdown permit'), t('Break')],
    reason => app.step(visit, 'paused', { reason }));
}

export function decline(app, visit) {
  askReason(app, t('Why can you not take this job?'), [t('I cannot be there in time'), t('A tool or part is missing'), t('I lack the skill or certificate'), t('I am ill')],
    reason => app.step(visit, 'declined', { reason }).then(() => { location.hash = '#today'; }));
}

/** End other than completed: part of it is left to do, or it cannot be done at all. */
export function endOtherwise(app, visit) {
  const form = { to: visit.state === 'on_site' ? 'cannot_complete' : 'partially_completed', left: '', runs: false, reason: '' };
  const end = close => {
    const lines = form.left.split('\n').map(line => line.trim()).filter(Boolean);
    close();
    const facts = form.to === 'cannot_complete' ? { reason: form.reason, restored: form.runs } : { restored: form.runs, open_items: lines };
    app.step(visit, form.to, { ...facts, done_items: app.draft(visit).ticked });
  };
  openDialog(t('End without completing'), (close, draw) => {
    const set = facts => { Object.assign(form, facts); draw(); };
    const nothingLeft = !form.left.trim() && !app.missing(visit).some(one => ['field', 'part', 'item'].includes(one.what));
    const lines = form.left.split('\n');
    const long = !app.fits('move', { open_items: lines.map(line => line.trim()).filter(Boolean) });
    const ready = form.to === 'cannot_complete' ? form.reason : visit.summary.trim() && !nothingLeft && !long;
    return html`
    ${visit.state === 'on_site' ? nothing : html`<div class="seg" role="group" aria-label=${t('How does it end?')}>
      ${option(form.to === 'partially_completed', t('Partly done'), () => set({ to: 'partially_completed' }))}
      ${option(form.to === 'cannot_complete', t('Cannot be done'), () => set({ to: 'cannot_complete' }))}</div>`}
    ${form.to === 'cannot_complete'
      ? html`<fieldset class="choices"><legend class="label">${t('Why?')}</legend>${app.shown.catalogue.codes.cannot_complete_reason.map(({ code, label }) => html`<label class="choice"><input type="radio" name="why" .checked=${form.reason === code} @change=${() => set({ reason: code })}><span>${label}</span></label>`)}</fieldset>`
      : html`<div class="field"><label for="open-lines">${t('What is left to do, one line each')}</label><textarea class="textarea" id="open-lines" rows="3" .value=${form.left} @input=${event => set({ left: event.target.value })}></textarea><span class="hint">${t('What is still open on the lists is carried over by itself.')}</span>${long ? html`<span class="err">${t('At most %(lines)s lines of %(most)s characters each.', { lines: app.most('move.open_items'), most: app.most('move.open_items.each') })}</span>` : nothing}</div>
        ${visit.summary.trim() ? nothing : html`<p class="err">${icon('triangle-alert')}${t('First write for the customer what was found and done (tab Report).')}</p>`}`}
    <label class="check"><input type="checkbox" .checked=${form.runs} @change=${event => set({ runs: event.target.checked })}><span>${t('The machine runs again')}</span></label>
    <div class="dialog-f"><button class="btn btn-primary btn-l" type="button" ?disabled=${!ready} @click=${() => end(close)}>${t('End the visit')}</button></div>`;
  });
}

const option = (chosen, words, act) => html`<button type="button" aria-pressed=${chosen} @click=${act}>${words}</button>`;

/** The way gone so far, in words. */
export function path(visit) {
  const steps = [['accepted_at', t('Accepted')], ['en_route_at', t('Set off')], ['on_site_at', t('Arrived')], ['started_at', t('Started')]];
  return steps.filter(([name]) => visit.times[name]).map(([, words]) => html`${icon('check')}<span>${words}</span>`);
}

export const isOpen = visit => !ENDED.includes(visit.state);
