// Tab Time: what the steps recorded by themselves.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { askTime } from './ask.js';
import { isOpen, pause } from './steps.js';
import { icon } from './pieces.js';
import { length, minutes, when } from './times.js';

export function timeTab(app, visit) {
  const { times } = visit;
  const end = times.finished_at || app.now;
  const work = times.started_at ? minutes(times.started_at, end) - visit.paused_min : 0;
  const arrival = visit.clocks.find(one => one.kind === 'arrival');
  const rows = [
    times.dispatched_at && ['send', t('Sent to you'), '', times.dispatched_at],
    times.accepted_at && ['check', t('Accepted'), times.dispatched_at ? t('after %(time)s', { time: length(minutes(times.dispatched_at, times.accepted_at)) }) : '', times.accepted_at],
    times.en_route_at && ['truck', t('Set off'), times.on_site_at ? t('%(time)s drive', { time: length(minutes(times.en_route_at, times.on_site_at)) }) : '', times.en_route_at],
    times.on_site_at && ['map-pin', t('Arrived'), arrival ? promised(arrival, times.on_site_at) : '', times.on_site_at],
    times.started_at && ['play', t('Started'), '', times.started_at],
    times.paused_at && ['pause', t('Paused'), t('for %(time)s', { time: length(minutes(times.paused_at, app.now)) }), times.paused_at],
    times.finished_at && ['flag', t('Ended'), app.word('state', visit.state), times.finished_at],
  ].filter(Boolean);
  return html`<section class="card"><div class="card-h"><h2>${t('This visit')}</h2><span class="end b">${times.started_at ? length(work) : ''}</span></div>
      <div class="card-b">${rows.length ? html`<ul class="tl">${rows.map(([symbol, words, more, at]) => html`<li data-s="mute"><span class="dot">${icon(symbol)}</span><span><b>${words}</b>${more ? html`<br><span class="s i2">${more}</span>` : nothing}</span><time>${when(at, app.now)}</time></li>`)}</ul>` : html`<p class="s i2">${t('Times are recorded by your steps.')}</p>`}
      ${visit.paused_min ? html`<p class="s i2">${t('Pauses together: %(time)s', { time: length(visit.paused_min) })}</p>` : nothing}</div></section>
    ${times.on_site_at ? spent(app, visit, { travel: times.en_route_at ? minutes(times.en_route_at, times.on_site_at) : null, work: times.started_at ? work : null, waiting: times.started_at ? visit.paused_min : null }) : nothing}
    ${isOpen(visit) && visit.state === 'in_progress' ? html`<button class="btn btn-block btn-xl" type="button" @click=${() => pause(app, visit)}>${icon('pause')}${t('Pause')}</button>` : nothing}`;
}

// What the steps recorded, and what the technician says it really was; both stay.
function spent(app, visit, recorded) {
  const names = { travel: t('Travel'), work: t('Work'), waiting: t('Waiting') };
  return html`<section class="card"><div class="card-h"><h2>${t('Travel and work')}</h2></div><div>${Object.entries(names).map(([kind, name]) => {
    const said = visit.corrections?.[kind];
    const before = recorded[kind] === null ? '' : length(recorded[kind]);
    return html`<div class="tablet-part" data-time=${kind}><div><b>${name} · ${said ? length(said.minutes) : before || '–'}</b>${said ? html`<div class="s i2">${[before && t('recorded %(time)s', { time: before }), said.reason].filter(Boolean).join(' · ')}</div>` : nothing}</div>
      <button class="btn" type="button" aria-label=${t('Correct: %(what)s', { what: name })} @click=${() => askTime(app, visit, kind, name, said?.minutes ?? (recorded[kind] === null ? null : Math.round(recorded[kind])), said?.reason)}>${icon('pencil')}${t('Correct')}</button></div>`;
  })}</div></section>`;
}

function promised({ due_at }, at) {
  const early = minutes(at, due_at);
  return early >= 0 ? t('%(time)s before the promise', { time: length(early) }) : t('%(time)s after the promise', { time: length(-early) });
}
