// The service report as a page on the screen, in the customer's language or the other one, made of what is on the tablet:
// it can be handed over in a plant without any network. The PDF of the server says the same.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { dayOf, linesOf, sum } from './lines.js';
import { called, money, says, why } from './lines.view.js';
import { chip, openDialog } from './pieces.js';
import { when } from './times.js';

/** Whether the server's PDF can be opened now. */
export const canPrint = (app, visit) => Boolean(visit.times.finished_at) && navigator.onLine && app.sync.state !== 'offline';

export function showReport(app, visit) {
  let lang = visit.customer_language;
  const { dialog } = openDialog(t('Service report'), (_close, draw) => html`<div class="seg end" role="group" aria-label=${t('Language')}>${[['zh', '中文'], ['en', 'English']].map(([code, label]) => html`<button type="button" aria-pressed=${code === lang} lang=${code} @click=${() => { lang = code; draw(); }}>${label}</button>`)}</div>
    <article class="tablet-paper" lang=${lang}>${paper(app, visit, lang)}</article>`);
  dialog.classList.add('tablet-sheet');
}

function paper(app, visit, lang) {
  const say = (key, facts) => says(app, lang, key, facts);
  const names = visit.names[lang];
  const day = new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(`${dayOf(visit)}T00:00:00Z`));
  const facts = [
    ['customer', names.customer, visit.contact?.name], ['site', names.site, visit.site.address],
    ['machine', names.asset || visit.asset?.name, [visit.asset?.brand, visit.asset?.model, visit.asset?.serial].filter(Boolean).join(' ')],
    ['work', names.work], ['technician', names.technician],
  ].filter(([, fact]) => fact);
  const open = [...visit.open_items, ...visit.needs].filter(item => !item.done).map(item => item.words);
  const wanted = visit.planned.filter(item => item.required && !item.done).map(item => `${called(app, { kind: 'part', part: item.part }, lang)} ×${item.quantity}`);
  const lines = linesOf(visit, app.shown, app.now);
  const photos = visit.photos.filter(one => one.of === 'visit' && app.picture(one));
  return html`<header><div><b>${names.station}</b></div><h3>${say('heading')}</h3><p class="s i2">${visit.number} · ${day}</p>${visit.times.finished_at ? nothing : chip(say('unfinished'), 'warn')}</header>
    <dl class="facts">${facts.map(([key, fact, more]) => html`<dt>${say(key)}</dt><dd><b>${fact}</b>${more ? html`<br><span class="s i2">${more}</span>` : nothing}</dd>`)}</dl>
    ${part(visit.words, say('told'), html`<p class="pre i2">${visit.words}</p>`)}
    ${part(true, say('summary'), html`<p class="pre">${summary(app, visit, lang) || '–'}</p>`)}
    ${part(open.length || wanted.length, say('open'), html`<ul>${[...open, ...wanted].map(words => html`<li>${words}</li>`)}</ul>`)}
    ${part(true, say('times'), html`<dl class="facts"><dt>${say('arrived')}</dt><dd>${when(visit.times.on_site_at, app.now)}</dd>${lines.filter(line => line.kind === 'labour' || line.kind === 'travel').map(line => html`<dt>${say(line.kind)}</dt><dd>${say('minutes', { n: line.quantity })}</dd>`)}</dl>`)}
    ${checks(app, visit, lang, say)}
    ${part(lines.length, say('lines'), html`<ul class="tablet-sums">${lines.map(line => html`<li><span>${called(app, line, lang)} ${line.kind === 'part' || line.kind === 'extra' ? html`×${line.quantity}` : nothing}<br><span class="s i2">${line.use ? `${marksIn(app, line.use, say).join(' · ')} · ` : ''}${say(`cover_${line.coverage}`)}: ${why(app, visit, line, lang)}</span></span><span class="num">${money(line.pays, lang)}</span></li>`)}
      <li class="i2"><span>${say('saved')}</span><span class="num">${money(sum(lines, line => (line.coverage === 'billable' ? 0 : line.worth)), lang)}</span></li><li class="b"><span>${say('total')}</span><span class="num">${money(sum(lines), lang)}</span></li></ul><p class="s i2">${say('prices')}</p>`)}
    ${part(visit.extras.length, say('extra'), html`<ul class="tablet-sums">${visit.extras.map(one => html`<li><span>${one.words}<br><span class="s i2">${one.decision === 'declined' ? say('declined') : one.name ? say('approved_by', one) : say('why_approved')}</span></span><span class="num">${money(one.total, lang)}</span></li>`)}</ul>`)}
    ${part(photos.length, say('photos'), html`<div class="tablet-thumbs">${photos.map(one => html`<img src=${app.picture(one)} alt=${say('photos')}>`)}</div>`)}
    ${part(true, say('signature'), visit.signature ? html`${app.picture(visit.signature) ? html`<img class="tablet-signed" src=${app.picture(visit.signature)} alt=${say('signature')}>` : nothing}<p>${visit.signature.name} · ${when(visit.signature.at, app.now)}</p>` : html`<p class="i2">${say('unsigned')}</p>`)}
    <p class="i2">${say('thanks')}</p>`;
}

const part = (wanted, title, content) => (wanted ? html`<section><h4>${title}</h4>${content}</section>` : nothing);

const marksIn = (app, use, say) => [app.part(use.part).number, use.serial && say('serial', use), use.removed_serial && say('removed', { serial: use.removed_serial }), use.batch && say('batch', use)].filter(Boolean);

// A pattern's own words are known in both languages; what somebody wrote stays as written.
function summary(app, visit, lang) {
  const remedy = app.pattern(visit.failure.pattern)?.remedy;
  return remedy && Object.values(remedy).includes(visit.summary) ? remedy[lang] : visit.summary;
}

function checks(app, visit, lang, say) {
  const rows = (app.shown.forms[visit.form] || []).filter(field => visit.answers[field.code] && field.type !== 'photo' && field.type !== 'signature');
  return part(rows.length, say('checks'), html`<table class="table"><thead><tr><th scope="col">${say('check')}</th><th scope="col" class="num">${say('result')}</th><th scope="col" class="num">${say('tolerance')}</th></tr></thead><tbody>${rows.map(field => {
    const { value, out, note } = visit.answers[field.code];
    const words = field.type === 'check' ? say(value ? 'yes' : 'no') : field.type === 'choice' ? field.option_labels[value]?.[lang] || value : `${value} ${field.unit || ''}`;
    return html`<tr><td>${field.labels[lang]}${note ? html`<br><span class="s i2">${note}</span>` : nothing}</td><td class="num">${words} ${chip(say(out ? 'out' : 'ok'), out ? 'bad' : 'ok')}</td><td class="num i2">${tolerance(field)}</td></tr>`;
  })}</tbody></table>`);
}

function tolerance({ low, high, unit }) {
  const words = low !== null && high !== null ? `${low} – ${high}` : low !== null ? `≥ ${low}` : high !== null ? `≤ ${high}` : '';
  return words && `${words} ${unit || ''}`;
}
