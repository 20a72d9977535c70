// Tab Job: the customer's words, what counts here (cover, access, contact), what to bring, what is open.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { consent } from './arriving.js';
import { askFollowUp } from './ask.js';
import { readiness } from './leaving.js';
import { card, chip, icon, mapLink, notice, openDialog } from './pieces.js';
import { message } from './today.js';
import { dayText, when } from './times.js';

const COVER = { warranty: () => t('Under warranty'), contract: () => t('Covered by the contract'), goodwill: () => t('Goodwill: free of charge') };
const cover = visit => (COVER[visit.coverage] || (() => t('Charged to the customer')))();

export function jobTab(app, visit) {
  return html`
    ${visit.words ? card(t('In the customer’s words'), html`<p class="pre">“${visit.words}”</p>${visit.severity ? chip(app.word('severity', visit.severity), visit.severity === 'minor' ? 'mute' : 'warn') : nothing}`) : nothing}
    ${visit.waiver ? card(t('Risk waiver: have it signed before the work'), html`<p class="pre" lang=${visit.customer_language}>${visit.waiver}</p><p class="s i2">${t('Photograph the signed paper in the checklist.')}</p>`) : nothing}
    ${visit.before.length ? notice('info', 'history', t('Second visit to this job: the checklist already holds what was found on %(at)s by %(name)s.', { at: when(visit.before.at(-1).at, app.now), name: visit.before.at(-1).technician })) : nothing}
    <div class="tablet-list">
      ${line('shield-check', cover(visit), visit.asset?.warranty_until ? t('warranty until %(day)s', { day: visit.asset.warranty_until }) : '')}
      ${visit.site.access ? line('lock', visit.site.access) : nothing}
      ${line('map-pin', [visit.site.name, visit.site.address].filter(Boolean).join(' · ') || t('Address unknown: ask the contact'), '', html`<a class="btn" href=${mapLink(visit.site)} target="_blank" rel="noreferrer">${icon('navigation')}${t('Navigate')}</a>`)}
      ${visit.contact ? line('user', visit.contact.name, visit.contact.phone_text, visit.contact.phone ? html`<a class="btn" href="tel:${visit.contact.phone}">${icon('phone')}${t('Call')}</a>` : nothing) : nothing}
      ${line('wrench', visit.work_type, visit.station)}
    </div>
    ${openItems(app, visit)}
    ${readiness(app, visit)}
    ${visit.messages.length ? card(t('Messages'), visit.messages.map(one => message(app, one))) : nothing}
    ${followUps(visit)}
    <div class="row wrap"><button class="btn" type="button" @click=${() => tellOffice(app, visit)}>${icon('message-square')}${t('Tell the office')}</button>${visit.times.on_site_at ? html`<button class="btn" type="button" @click=${() => askFollowUp(app, visit)}>${icon('repeat')}${t('Follow-up job')}</button>` : nothing}</div>
    ${consent(app)}
    <div class="tablet-narrow">${aside(app, visit)}</div>`;
}

export { card };

const line = (symbol, words, more = '', act = nothing) => html`<div class="tablet-line"><span class="ac">${icon(symbol)}</span><span><b>${words}</b>${more ? html`<br><span class="i2 s">${more}</span>` : nothing}</span>${act}</div>`;

function openItems(app, visit) {
  const open = visit.open_items.filter(item => !item.done);
  if (!open.length) return nothing;
  const { ticked } = app.draft(visit);
  const tick = (item, on) => app.keepDraft(visit, { ticked: on ? [...ticked, item.id] : ticked.filter(id => id !== item.id) });
  return card(t('Open from before'), open.map(item => html`<label class="check"><input type="checkbox" .checked=${ticked.includes(item.id)} @change=${event => tick(item, event.target.checked)}><span>${item.words}${item.required ? '' : html` <span class="i3">${t('if there is time')}</span>`}</span></label>`));
}

function followUps({ follow_ups }) {
  if (!follow_ups?.length) return nothing;
  return card(t('Follow-up work'), follow_ups.map(one => html`<div><b class="pre">${one.words}</b><div class="s i2">${one.urgency === 'soon' ? t('Soon') : t('When it suits')}${one.number ? ` · ${one.number}` : ''}</div></div>`));
}

function tellOffice(app, visit) {
  let words = '';
  openDialog(t('Tell the office'), (close, draw) => html`<div class="field"><label for="note">${t('Your words')}</label><textarea class="textarea" id="note" rows="3" maxlength=${app.most('note.words')} .value=${words} @input=${event => { words = event.target.value; draw(); }}></textarea></div>
    ${phrases(app, ['office'], document.documentElement.lang.slice(0, 2), phrase => { words = joined(words, phrase).slice(0, app.most('note.words')); draw(); })}
    <div class="dialog-f"><button class="btn btn-primary" type="button" ?disabled=${!words.trim()} @click=${() => { close(); app.record('note', visit, { words: words.trim() }); }}>${t('Send')}</button></div>`);
}

/** Sentences that are used again and again, one touch each; `use` gets the chosen one. */
export function phrases(app, places, language, use) {
  return html`<details class="tablet-phrases"><summary>${t('Phrases')}</summary><div class="stack">${places.flatMap(place => app.shown.catalogue.phrases[place]).map(one => html`<button class="btn btn-quiet" type="button" lang=${language} @click=${() => use(one[language])}>${one[language]}</button>`)}</div></details>`;
}

/** Words with one more sentence; Latin letters want a space between. */
export const joined = (words, phrase) => (words.trim() ? `${words.trim()}${/[\u4e00-\u9fff。]$/.test(words.trim()) ? '' : ' '}${phrase}` : phrase);

/** Beside the tabs on a wide screen, below the job on a narrow one: the machine, its history, the lesson. */
export function aside(app, visit) {
  const { asset } = visit;
  const lesson = app.pattern(visit.failure.pattern || visit.likely?.[0])?.lesson;
  return html`
    ${asset ? html`<div><b>${asset.name}</b><div class="s i2">${asset.brand ? `${asset.brand} ${asset.model} · ` : ''}${asset.serial ? t('S/N %(serial)s', asset) : ''}${asset.warranty_until ? ` · ${t('warranty until %(day)s', { day: asset.warranty_until })}` : ''}</div></div>
    ${asset.tree.length ? tree(app, asset.tree) : nothing}
    <div><div class="s i2 m">${t('History of this machine')}</div>${asset.history.length
      ? html`<ul class="stack">${asset.history.map(past => earlier(app, past))}</ul>`
      : html`<p class="s i3">${t('No work on it yet.')}</p>`}</div>` : nothing}
    ${lesson ? notice('info', 'notebook-text', html`<b>${t('Lesson')}</b><span>${lesson}</span>`) : nothing}
    ${visit.contact ? html`<div><div class="s i2 m">${t('Contact')}</div><b>${visit.contact.name} · ${visit.contact.phone_text}</b></div>` : nothing}`;
}

const earlier = (app, past) => html`<li><b>${past.at ? dayText(past.at, { year: 'numeric', month: 'short', day: 'numeric' }) : ''} ${past.title}</b><br><span class="s i2">${[past.technician, past.mode ? app.word('failure_mode', past.mode) : '', past.note].filter(Boolean).join(' · ')}</span></li>`;

// The whole machine; what was done to its other parts is one touch away.
function tree(app, parts) {
  const row = one => html`<b>${one.name}</b> <span class="s i2">${one.serial ? t('S/N %(serial)s', one) : ''}</span>`;
  return html`<div><div class="s i2 m">${t('The whole machine')}</div><ul class="tablet-tree">${parts.map(one => html`<li data-depth=${one.depth} aria-current=${one.here ? 'true' : nothing}>${one.history.length
    ? html`<details><summary>${row(one)}</summary><ul class="stack">${one.history.map(past => earlier(app, past))}</ul></details>` : row(one)}</li>`)}</ul></div>`;
}
