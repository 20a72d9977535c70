// One visit: header, tabs, aside, and the footer with its one primary action.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { checklistTab } from './checklist.js';
import { jobTab, aside } from './job.js';
import { partsTab } from './parts.js';
import { photosTab } from './photos.js';
import { chip, empty, icon, promise } from './pieces.js';
import { reportTab, saveSignature } from './report.js';
import { endOtherwise, isOpen, path, pause, stepButton } from './steps.js';
import { timeTab } from './time.js';
import { length, minutes } from './times.js';

const TABS = { job: jobTab, checklist: checklistTab, parts: partsTab, photos: photosTab, time: timeTab, report: reportTab };
const AT_MACHINE = ['on_site', 'in_progress', 'paused'];

export function visitHeader(app, visit) {
  const digits = visit.number.split('-').pop();
  return html`<a class="btn btn-icon btn-quiet" href="#today" aria-label=${t('Back to today')}>${icon('arrow-left')}</a>
    <div class="tablet-title"><h1>${visit.title}</h1><div class="s i2 cut">${visit.customer ? `${visit.customer.name} · ` : ''}${digits}</div></div>${promise(visit, app.now)}`;
}

export function visitScreen(app, visit, tab) {
  const shown = TABS[tab] ? tab : 'job';
  const counts = tabCounts(app, visit);
  const labels = { job: t('Job'), checklist: t('Checklist'), parts: t('Parts'), photos: t('Photos'), time: t('Time'), report: t('Report') };
  return html`<aside class="tablet-aside" aria-label=${t('Machine and history')}>${aside(app, visit)}</aside>
    <div class="tablet-tabs"><div class="tabs" role="tablist" aria-label=${t('Visit')}>${Object.keys(TABS).map(name => html`<button role="tab" type="button" id="tab-${name}" aria-controls="tab-panel" aria-selected=${name === shown} tabindex=${name === shown ? 0 : -1} @keydown=${arrows} @click=${() => show(visit, name)}>${labels[name]}${counts[name] ? html` <span class="count">${counts[name]}</span>` : nothing}</button>`)}</div></div>
    <div class="tablet-panel" id="tab-panel" role="tabpanel" aria-labelledby="tab-${shown}" tabindex="0">${TABS[shown](app, visit)}</div>`;
}

export const lost = () => html`<div class="tablet-panel">${empty('calendar-x', t('This job is not on your tablet any more'), t('It was moved, or given to a colleague. What you recorded is kept with it.'))}</div>`;

function tabCounts(app, visit) {
  const fields = app.shown.forms[visit.form] || [];
  const given = fields.filter(field => visit.answers[field.code]?.value).length;
  return { checklist: fields.length ? `${given}/${fields.length}` : 0, parts: visit.used.length || visit.planned.length, photos: visit.photos.length };
}

// Arrow keys go between tabs, as everywhere.
function arrows(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...event.target.parentElement.children];
  const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
}

const show = (visit, tab) => history.replaceState(null, '', `#visit/${visit.id}/${tab}`) ?? dispatchEvent(new HashChangeEvent('hashchange'));

// The footer ------------------------------------------------------------------------------------------------

export function visitFooter(app, visit, tab) {
  if (!isOpen(visit)) return html`<span class="grow row wrap">${ended(app, visit)}</span><a class="btn btn-xl" href="#today">${t('Back to today')}</a>`;
  if (visit.state === 'scheduled') return html`<span class="grow i2">${t('Planned. You can accept it once the dispatcher has sent it.')}</span>`;
  const more = AT_MACHINE.includes(visit.state);
  return html`<div class="tablet-path grow">${path(visit)}${visit.state === 'in_progress' ? html`<b class="ac">· ${t('at work for %(time)s', { time: length(worked(app, visit)) })}</b>` : nothing}</div>
    ${more ? html`<button class="btn btn-xl" type="button" aria-label=${t('End without completing')} @click=${() => endOtherwise(app, visit)}>${icon('flag')}</button>` : nothing}
    ${visit.state === 'in_progress'
      ? html`<button class="btn btn-xl" type="button" aria-label=${t('Pause')} @click=${() => pause(app, visit)}>${icon('pause')}</button>${finishButton(app, visit, tab)}`
      : stepButton(app, visit, () => { if (visit.state === 'on_site') show(visit, 'checklist'); })}`;
}

const worked = (app, visit) => minutes(visit.times.started_at, app.now) - visit.paused_min;

const ended = (app, visit) => html`${chip(app.word('state', visit.state), visit.state === 'completed' ? 'ok' : 'warn', visit.state === 'completed' ? 'check' : 'contrast')}${visit.end_reason ? app.word('cannot_complete_reason', visit.end_reason) : ''}`;

// "Finish · 3 left" leads to what is left; with nothing left it finishes, signature included.
function finishButton(app, visit, tab) {
  const left = app.missing(visit);
  const press = async () => {
    if (app.pressedTwice) return null;
    if (left.length) return lead(visit, left, tab);
    return app.once(`finish ${visit.id}`, async () => {
      await saveSignature(app, visit);
      const { restored, ticked } = app.draft(visit);
      await app.step(visit, 'completed', { restored: visit.corrective ? true : restored, done_items: ticked });
    });
  };
  return html`<button class="btn btn-primary btn-xl" type="button" data-step="completed" @click=${press}>${icon('check')}${left.length ? t('Finish · %(n)s left', { n: left.length }) : t('Finish')}</button>`;
}

function lead(visit, left, tab) {
  if (tab !== 'report') show(visit, 'report');
  document.getElementById('left')?.focus();
}
