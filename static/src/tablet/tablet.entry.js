// The technician's tablet. What it shows comes from the last snapshot and the commands kept on the tablet itself, so a
// missing link stops nothing; sync.js alone talks to the server.

import { html, nothing, render } from 'lit';
import { t } from '../foundation/texts.js';
import { App } from './app.js';
import { lessonsScreen } from './lessons.js';
import { syncPill } from './outbox.js';
import { empty, icon } from './pieces.js';
import { openStore } from './store.js';
import { Sync } from './sync.js';
import { dayText } from './times.js';
import { jobsToday, todayScreen } from './today.js';
import { vanScreen } from './van.js';
import { lost, visitFooter, visitHeader, visitScreen } from './visit.js';

const REDRAW = 20_000; // clocks run
const SOON = 800; // several facts of one act are one fetch
const place = document.getElementById('tablet');
const [header, main, footer] = ['tablet-header', 'main', 'tablet-footer'].map(id => document.getElementById(id));

const SCREENS = { today: todayScreen, van: vanScreen, lessons: lessonsScreen };

function route() {
  const [name, id, tab] = location.hash.slice(1).split('/');
  return { name: name || 'today', id: Number(id), tab };
}

function screenName() {
  const { name, id } = route();
  return `${name} ${id}`;
}

function draw(app) {
  const { name, id, tab } = route();
  const visit = name === 'visit' && app.shown ? app.visit(id) : null;
  const wanted = visit ? tab || defaultTab(visit) : '';
  document.body.dataset.screen = name;
  document.title = `${visit ? visit.title : t('Today')} · FieldService 360`;
  render(html`${visit ? visitHeader(app, visit) : dayHeader(app)}${syncPill(app)}`, header);
  render(screen(app, name, visit, wanted), main);
  render(visit ? visitFooter(app, visit, wanted) : navigation(name), footer);
  footer.dataset.kind = visit ? 'act' : 'nav';
}

// At the machine the checklist is what matters; before that, the job; afterwards, the report.
function defaultTab(visit) {
  if (['in_progress', 'paused'].includes(visit.state)) return 'checklist';
  return visit.times.finished_at ? 'report' : 'job';
}

function screen(app, name, visit, tab) {
  if (!app.shown && app.sync.state === 'forbidden') return empty('lock', app.sync.words);
  if (!app.shown) return app.sync.state === 'offline' || app.sync.state === 'failed'
    ? empty('wifi-off', t('Your jobs are not on this tablet yet'), t('Open this page once with a network.'))
    : html`<div class="tablet-panel" aria-busy="true"><div class="skel"></div><div class="skel"></div><div class="skel"></div><span class="sr">${t('Loading your jobs')}</span></div>`;
  if (name === 'visit') return visit ? visitScreen(app, visit, tab) : lost();
  return (SCREENS[name] || todayScreen)(app);
}

function dayHeader(app) {
  const count = app.shown ? jobsToday(app.shown) : 0;
  return html`<button class="avatar" type="button" popovertarget="person-menu">${place.dataset.initials}<span class="sr">${t('Your menu')}</span></button>
    <div class="tablet-title"><h1>${app.shown ? (count === 1 ? t('Today · 1 job') : t('Today · %(n)s jobs', { n: count })) : t('Today')}</h1><div class="s i2">${app.shown ? `${dayText(app.shown.today)} · ${app.shown.technician.name}` : nothing}</div></div>`;
}

function navigation(name) {
  const items = [['today', 'calendar', t('Today')], ['van', 'box', t('My van')], ['lessons', 'notebook-text', t('Lessons')]];
  return html`<nav class="tablet-nav" aria-label=${t('Main')}>${items.map(([key, symbol, words]) => html`<a href="#${key}" aria-current=${key === name ? 'page' : nothing}>${icon(symbol)}${words}</a>`)}</nav>`;
}

async function start() {
  const store = await openStore(place.dataset.person);
  const sync = new Sync(store);
  const app = new App(store, sync);
  app.addEventListener('change', () => draw(app));
  let shown = screenName();
  addEventListener('hashchange', () => {
    draw(app);
    document.querySelector('.tablet-panel')?.scrollTo(0, 0);
    if (shown !== screenName()) main.focus({ preventScroll: true }); // a new screen is read from its beginning
    shown = screenName();
  });
  setInterval(() => draw(app), REDRAW);
  let timer = 0;
  document.addEventListener('live', () => {
    clearTimeout(timer);
    timer = setTimeout(() => sync.now(), SOON);
  });
  document.getElementById('sign-out')?.addEventListener('submit', event => {
    if (app.waiting && !confirm(t('Entries still on this tablet: %(n)s. They stay here and are sent when you sign in again. Sign out?', { n: app.waiting }))) event.preventDefault();
  });
  await app.load();
  await sync.start();
}

start().catch(error => {
  console.error(error);
  render(empty('triangle-alert', t('This browser keeps no data for this page'), t('Leave private mode, or allow storage for this site, then load the page again.')), main);
});
