// The technician's tablet. What it shows comes from the last snapshot and the commands kept on the tablet itself, so a
// missing link stops nothing; sync.js alone talks to the server.

import { html, nothing, render } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { App } from './app.js';
import { Clock } from './clock.js';
import { lessonsScreen } from './lessons.js';
import { Link } from './link.js';
import { owed, syncPill } from './outbox.js';
import { empty, icon, openDialog } from './pieces.js';
import { Shell } from './shell.js';
import { openStore } from './store.js';
import { Sync } from './sync.js';
import { dayText } from './times.js';
import { jobsToday, todayScreen } from './today.js';
import { vanScreen } from './van.js';
import { lost, visitFooter, visitHeader, visitScreen } from './visit.js';
import { endSession, signOut, whoIsHere } from './who.js';

const REDRAW = 20_000; // clocks run
const SOON = 800; // several facts of one act are one fetch
const CROWD = 500; // ms over which tablets spread that find the network at the same moment
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
  if (!app.shown && app.sync.state === 'owes') return html`<div class="tablet-panel">${owed(app)}</div>`;
  if (!app.shown) return app.sync.state === 'offline' || app.sync.state === 'failed'
    ? empty('wifi-off', t('Your jobs are not on this tablet yet'), t('Open this page once with a network.'))
    : html`<div class="tablet-panel" aria-busy="true"><div class="skel"></div><div class="skel"></div><div class="skel"></div><span class="sr">${t('Loading your jobs')}</span></div>`;
  if (name === 'visit') return visit ? visitScreen(app, visit, tab) : lost();
  return (SCREENS[name] || todayScreen)(app);
}

function dayHeader(app) {
  const count = app.shown ? jobsToday(app.shown) : 0;
  return html`<button class="avatar" type="button" popovertarget="person-menu">${initials(app.person?.name)}<span class="sr">${t('Your menu')}</span></button>
    <div class="tablet-title"><h1>${app.shown ? (count === 1 ? t('Today · 1 job') : t('Today · %(n)s jobs', { n: count })) : t('Today')}</h1><div class="s i2">${app.shown ? `${dayText(app.shown.today)} · ${app.shown.technician.name}` : nothing}</div></div>`;
}

// As templates/macros/ui.html does.
function initials(name) {
  const words = (name || '?').split(/\s+/);
  return /^[a-z]/i.test(words[0]) ? (words[0][0] + (words.length > 1 ? words.at(-1)[0] : '')).toUpperCase() : words[0][0];
}

function navigation(name) {
  const items = [['today', 'calendar', t('Today')], ['van', 'box', t('My van')], ['lessons', 'notebook-text', t('Lessons')]];
  return html`<nav class="tablet-nav" aria-label=${t('Main')}>${items.map(([key, symbol, words]) => html`<a href="#${key}" aria-current=${key === name ? 'page' : nothing}>${icon(symbol)}${words}</a>`)}</nav>`;
}

async function start() {
  const person = whoIsHere();
  if (!person) return nobody();
  const store = await openStore(person);
  const link = new Link(person);
  const clock = new Clock({ offset: (await store.kept('offset')) || 0, last: latest(await store.commands()) });
  const sync = new Sync(store, link, clock);
  const shell = new Shell();
  const app = new App(store, sync, shell);
  app.addEventListener('change', () => draw(app));
  followAddress(app);
  setInterval(() => draw(app), REDRAW);
  sync.addEventListener('left', () => leave(link));
  sync.addEventListener('change', () => { if (sync.state === 'outdated') shell.look(); });
  sync.addEventListener('snapshot', () => meet(app, link), { once: true });
  addEventListener('online', () => setTimeout(() => sync.hurry(), Math.random() * CROWD));
  document.addEventListener('visibilitychange', () => { if (!document.hidden) sync.now(); });
  menu(app, link);
  place.app = app; // for the console of whoever helps by telephone, and for trials
  await app.load();
  shell.start();
  await sync.start();
}

const latest = commands => Math.max(0, ...commands.map(row => Date.parse(row.at)).filter(Boolean));

function followAddress(app) {
  let shown = screenName();
  addEventListener('hashchange', () => {
    draw(app);
    document.querySelector('.tablet-panel')?.scrollTo(0, 0);
    if (shown !== screenName()) main.focus({ preventScroll: true }); // a new screen is read from its beginning
    shown = screenName();
  });
}

// The first exchange has told who is signed in; from then on the office is heard as it speaks.
async function meet(app, link) {
  const { person, after } = await link.whoIsThere();
  await app.store.keep('person', person);
  await app.load();
  for (const [name, content] of [['live-scope', `user:${person.id}`], ['live-after', after]]) document.head.append(Object.assign(document.createElement('meta'), { name, content }));
  let timer = 0;
  document.addEventListener('live', () => {
    clearTimeout(timer);
    timer = setTimeout(() => app.sync.now(), SOON);
  });
  import(place.dataset.live).catch(console.warn); // without it the timer brings the news
}

// Signing out --------------------------------------------------------------------------------------------------

function menu(app, link) {
  const name = document.getElementById('person-name');
  app.addEventListener('change', () => { name.textContent = app.person?.name || ''; });
  document.getElementById('sign-out').addEventListener('click', () => {
    document.getElementById('person-menu').hidePopover();
    if (app.waiting || app.stuck.length) askToLeave(app, link);
    else leave(link);
  });
  largeText(document.getElementById('large-text'));
}

function askToLeave(app, link) {
  openDialog(t('Sign out?'), close => html`<p>${t('Entries still on this tablet: %(n)s. They stay here and are sent when you sign in again on this tablet.', { n: app.waiting + app.stuck.length })}</p>
    <div class="dialog-f wrap"><button class="btn" type="button" @click=${() => { close(); app.sync.hurry(); }}>${icon('refresh-cw')}${t('Send first')}</button><button class="btn btn-danger" type="button" @click=${() => { close(); leave(link); }}>${icon('log-out')}${t('Sign out all the same')}</button></div>`);
}

async function leave(link) {
  await signOut(link);
  location.replace('/tablet');
}

// Nobody is signed in here: nothing of anybody's work is shown, with or without a network.
function nobody() {
  document.body.dataset.screen = 'nobody';
  render(html`<div class="tablet-title"><h1>FieldService 360</h1></div>`, header);
  render(html`<div class="tablet-panel">${empty('lock', t('Nobody is signed in on this tablet'), t('What was recorded and not yet sent is kept here for whoever recorded it.'))}<a class="btn btn-primary btn-xl" href="/login?next=/tablet">${t('Sign in')}</a></div>`, main);
  const link = new Link('');
  endSession(link);
  addEventListener('online', () => endSession(link));
}

// How it looks -------------------------------------------------------------------------------------------------

function largeText(button) {
  const root = document.documentElement;
  button.setAttribute('aria-pressed', root.hasAttribute('data-large'));
  button.addEventListener('click', () => {
    const large = root.toggleAttribute('data-large');
    button.setAttribute('aria-pressed', large);
    localStorage.setItem('large', large ? '1' : '');
  });
}

// The kept page is older than these choices.
const theme = /(?:^|; )theme=(light|dark)/.exec(document.cookie)?.[1];
if (theme) document.documentElement.dataset.theme = theme;
document.documentElement.toggleAttribute('data-large', Boolean(localStorage.getItem('large')));

start().catch(error => {
  console.error(error);
  render(empty('triangle-alert', t('This browser keeps no data for this page'), t('Leave private mode, or allow storage for this site, then load the page again.')), main);
});
