// Today: the next job fills the upper half; below it the rest of the day, tomorrow, later.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { AT_WORK } from './apply.js';
import { readiness } from './leaving.js';
import { chip, empty, icon, mapLink, priority, promise, stateChip } from './pieces.js';
import { decline, isOpen, stepButton } from './steps.js';
import { clock, day, dayText, length, minutes, stamp, when } from './times.js';

const BUSY = [...AT_WORK, 'en_route'];
const WAITING_FOR_ME = ['dispatched', 'accepted'];

let tab = 'today';

/** The job at hand: the one begun, else the first that was sent. */
export function nextVisit(visits) {
  return visits.find(one => BUSY.includes(one.state)) || visits.find(one => WAITING_FOR_ME.includes(one.state));
}

export function todayScreen(app) {
  const { visits } = app.shown;
  const next = nextVisit(visits);
  return html`<div class="tablet-today">
    ${next ? nextCard(app, next) : html`<section class="tablet-next">${empty('circle-check', t('No job waits for you'), t('New jobs appear here by themselves.'))}</section>`}
    <div class="tablet-rest">${schedule(app, visits, next)}${next ? messages(app, next) : nothing}</div>
  </div>`;
}

export const jobsToday = ({ visits, today }) => visits.filter(one => day(one.starts_at) <= today).length;

// The next job ------------------------------------------------------------------------------------------

function nextCard(app, visit) {
  const begun = BUSY.includes(visit.state);
  return html`<section class="tablet-next" aria-label=${t('Next job')}>
    <div class="row wrap">${priority(visit.priority)}<span class="i2 s">${visit.number}</span>${visit.customer && ['vip', 'key'].includes(visit.customer.tier) ? html`<span class="chip chip-l chip-line ac b">${icon('star')}${app.word('tier', visit.customer.tier)}</span>` : nothing}${stateChip(app, visit.state)}<span class="end">${promise(visit, app.now)}</span></div>
    <h2><a href="#visit/${visit.id}">${visit.customer ? `${visit.customer.name} · ` : ''}${visit.title}</a></h2>
    <div class="tablet-facts">
      ${fact('map-pin', visit.site.address || visit.site.name || t('Address unknown: ask the contact'), visit.site.access)}
      ${visit.pickup ? fact('package-check', t('First collect at %(place)s, %(from)s–%(to)s', pickupFacts(app, visit.pickup)), visit.pickup.parts.join(' · ')) : nothing}
      ${travel(app, visit)}
      ${fact('clock', t('Window %(from)s–%(to)s', { from: when(visit.window[0], app.now), to: clock(visit.window[1]) }), t('about %(time)s', { time: length(visit.duration_min) }))}
      ${visit.contact ? fact('user', `${visit.contact.name} · ${visit.contact.phone_text}`, visit.contact.confirmed_at ? t('Confirmed the time at %(at)s', { at: when(visit.contact.confirmed_at, app.now) }) : t('Has not confirmed the time yet')) : nothing}
    </div>
    ${begun && visit.state !== 'en_route' ? nothing : readiness(app, visit)}
    <div class="tablet-act">${begun && visit.state !== 'en_route'
      ? html`<a class="btn btn-primary btn-xl" href="#visit/${visit.id}">${icon('wrench')}${t('Continue the work')}</a>`
      : stepButton(app, visit, () => { if (visit.state === 'en_route') location.hash = `#visit/${visit.id}`; })}
      <a class="btn btn-xl" href=${mapLink(visit.site)} target="_blank" rel="noreferrer">${icon('navigation')}${t('Navigate')}</a>
      ${visit.pickup ? html`<a class="btn btn-xl" href=${mapLink(visit.pickup)} target="_blank" rel="noreferrer">${icon('navigation')}${t('To the store')}</a>` : nothing}
      ${visit.contact?.phone ? html`<a class="btn btn-xl" href="tel:${visit.contact.phone}" aria-label=${t('Call %(name)s', { name: visit.contact.name })}>${icon('phone')}</a>` : nothing}
      ${visit.state === 'dispatched' ? html`<button class="btn btn-xl" type="button" @click=${() => decline(app, visit)}>${t('Decline')}</button>` : nothing}</div>
  </section>`;
}

const fact = (symbol, words, more = '') => html`<div>${icon(symbol)}<b>${words}</b>${more ? html`<span>${more}</span>` : nothing}</div>`;

function travel(app, visit) {
  if (!visit.travel_min) return nothing;
  const there = stamp(Date.parse(app.now) + visit.travel_min * 60_000, app.now);
  const more = visit.state === 'en_route' && visit.times.eta_at
    ? t('You arrive about %(at)s', { at: clock(visit.times.eta_at) })
    : minutes(app.now, visit.starts_at) < 240 ? t('Leave now, arrive %(at)s', { at: clock(there) }) : t('Leave at %(at)s', { at: clock(stamp(Date.parse(visit.starts_at) - visit.travel_min * 60_000, app.now)) });
  return fact('truck', t('%(time)s drive', { time: length(visit.travel_min) }), more);
}

// The days ------------------------------------------------------------------------------------------------

function schedule(app, visits, next) {
  const { today } = app.shown;
  const tomorrow = day(stamp(Date.parse(`${today}T12:00:00${app.now.slice(-6)}`) + 86_400_000, app.now));
  const groups = {
    today: visits.filter(one => day(one.starts_at) <= today && isOpen(one) && one !== next),
    tomorrow: visits.filter(one => day(one.starts_at) === tomorrow && one !== next),
    later: visits.filter(one => day(one.starts_at) > tomorrow && one !== next),
    done: visits.filter(one => !isOpen(one)),
  };
  const labels = { today: t('Rest of today'), tomorrow: t('Tomorrow'), later: t('Later'), done: t('Finished') };
  const shown = groups[tab];
  return html`<section class="tablet-day" aria-label=${t('Schedule')}>
    <div class="tabs" role="tablist">${Object.keys(groups).map(name => html`<button role="tab" type="button" id="day-${name}" aria-controls="day-list" aria-selected=${tab === name} @click=${() => { tab = name; app.dispatchEvent(new Event('change')); }}>${labels[name]} <span class="count">${groups[name].length}</span></button>`)}</div>
    <div id="day-list" role="tabpanel" aria-labelledby="day-${tab}">${shown.length ? rows(app, shown) : html`<p class="empty s">${tab === 'done' ? t('Nothing finished yet today.') : t('Nothing planned.')}</p>`}</div>
  </section>`;
}

// Jobs and the stops at stores before them, by time. What is collected for the next job stands with that.
function rows(app, visits) {
  const stops = visits.filter(one => one.pickup && isOpen(one)).map(one => [one.pickup.starts_at, stopRow(app, one.pickup)]);
  const jobs = visits.map(one => [one.starts_at, jobRow(app, one)]);
  return [...stops, ...jobs].sort(([one], [other]) => Date.parse(one) - Date.parse(other)).map(([, row]) => row);
}

const pickupFacts = (app, { name, starts_at, ends_at }) => ({ place: name, from: when(starts_at, app.now), to: clock(ends_at) });

function stopRow(app, pickup) {
  return html`<div class="tablet-job tablet-stop"><span class="tm">${clock(pickup.starts_at)}</span><span><b>${t('Collect at %(place)s', { place: pickup.name })}</b><br><small>${pickup.parts.join(' · ')}</small></span><a class="btn" href=${mapLink(pickup)} target="_blank" rel="noreferrer">${icon('navigation')}${t('Navigate')}</a></div>`;
}

function jobRow(app, visit) {
  const missing = visit.planned.filter(item => !item.done && app.onHand(app.van, item.part) < item.quantity).length;
  const state = !isOpen(visit) ? stateChip(app, visit.state)
    : missing ? chip(t('Collect %(n)s', { n: missing }), 'warn', 'box')
      : visit.planned.length ? chip(t('Parts ready'), 'ok', 'box') : stateChip(app, visit.state);
  const where = [visit.site.name || visit.site.address, t('%(time)s drive', { time: length(visit.travel_min) }), t('about %(time)s', { time: length(visit.duration_min) })];
  return html`<a class="tablet-job" href="#visit/${visit.id}"><span class="tm">${day(visit.starts_at) === app.shown.today ? clock(visit.starts_at) : html`<small>${dayText(visit.starts_at, { day: 'numeric', month: 'numeric' })}</small> ${clock(visit.starts_at)}`}</span><span><b>${visit.customer ? `${visit.customer.name} · ` : ''}${visit.title}</b><br><small>${where.filter(Boolean).join(' · ')}</small></span>${state}</a>`;
}

function messages(app, visit) {
  if (!visit.messages.length) return nothing;
  return html`<section class="tablet-messages" aria-label=${t('Messages')}><h2 class="row">${icon('message-square')}${t('Messages')} <span class="count">${visit.messages.length}</span></h2>${visit.messages.map(one => message(app, one))}</section>`;
}

export const message = (app, { author, words, at }) => html`<div><b>${author === 'customer' ? t('Customer') : t('Station')} ${when(at, app.now)}</b> <span class="i2 pre">${words}</span></div>`;
