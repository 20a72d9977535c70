// The service worker of the tablet: it keeps the page and its files, so that the app opens without a network, and the
// pictures of the next days. The server puts `self.SHELL` before it: {version, assets}. It never touches what is sent.

import { PICTURES } from './shell.js';

const { version, assets } = self.SHELL;
const PAGE = '/tablet';
const SHELL = `tablet shell ${version}`;

self.addEventListener('install', event => event.waitUntil(fill()));

self.addEventListener('activate', event => event.waitUntil(takeOver()));

// A new version waits until somebody says so: nobody's page changes under his hands.
self.addEventListener('message', ({ data }) => { if (data === 'take over') self.skipWaiting(); });

self.addEventListener('fetch', event => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') {
    if (url.pathname === PAGE) event.respondWith(page(request, url));
  } else if (url.pathname.startsWith('/tablet/files/')) event.respondWith(picture(request));
  else if (assets.includes(url.pathname)) event.respondWith(keptOr(request));
});

async function fill() {
  const cache = await caches.open(SHELL);
  const [shell] = await Promise.all([fetch(PAGE, { cache: 'no-store' }), cache.addAll(assets)]);
  if (!isPage(shell)) throw new Error('nobody is signed in, or the server has just been renewed: next time');
  await cache.put(PAGE, shell);
}

async function takeOver() {
  const old = (await caches.keys()).filter(name => name.startsWith('tablet shell') && name !== SHELL);
  await Promise.all(old.map(name => caches.delete(name)));
  await self.clients.claim();
}

// The kept page at once. Only a change of language asks the server, which remembers the choice.
async function page(request, url) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(PAGE);
  if (kept && !url.search) return kept;
  try {
    const fresh = await fetch(request);
    if (isPage(fresh)) await cache.put(PAGE, fresh.clone());
    return fresh;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

// Only a page of this very version fits the files that are kept with it.
const isPage = answer => answer.ok && !answer.redirected && answer.headers.get('X-Shell') === version;

async function keptOr(request) {
  return (await (await caches.open(SHELL)).match(request)) || fetch(request);
}

// The tablet's page decides which pictures stay (shell.js).
async function picture(request) {
  const cache = await caches.open(PICTURES);
  const kept = await cache.match(request.url);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok && fresh.headers.get('Content-Type')?.startsWith('image/')) await cache.put(request.url, fresh.clone());
  return fresh;
}
