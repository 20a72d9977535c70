// On the pages of staff: htmx for parts of pages, and the live feed.

import htmx from 'htmx.org/dist/htmx.esm.js';
import { startLive } from './live.js';
import { t } from './texts.js';
import { startToasts, toast } from './toast.js';

// A refused form (422) comes back as the form with its messages; any other refusal becomes a toast.
htmx.config.noSwap = [204, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 428, 429, '5xx'];

document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && ctx.request.method !== 'GET') ctx.request.headers['X-CSRFToken'] = token;
});
document.addEventListener('htmx:before:response', event => {
  const { raw } = event.detail.ctx.response;
  if (!raw.redirected || new URL(raw.url).pathname !== '/login') return;
  event.preventDefault(); // signed out meanwhile: the whole page has to sign in, not a part of it
  location.reload();
});
document.addEventListener('htmx:response:error', ({ detail: { ctx } }) => {
  if (ctx.response.status !== 422 && !byItself(ctx)) toast(sentence(ctx.text) || t('This did not work. Load the page again and repeat the step.'));
});
document.addEventListener('htmx:error', ({ detail: { ctx } }) => { if (ctx && !byItself(ctx)) toast(t('No answer from the server. Nothing was saved; check the connection and try again.')); });
document.addEventListener('htmx:after:swap', () => startToasts());

startLive((element, url) => htmx.ajax('GET', url, { source: element, target: element, swap: 'outerMorph', select: `#${CSS.escape(element.id)}` }));

// Whether the page, not the person, asked: a live part that fails to load says nothing, the next fact asks again.
function byItself(ctx) {
  return 'live' in ctx.sourceElement.dataset && ctx.target === ctx.sourceElement;
}

// The sentence an error page gives, so that a refusal says why.
function sentence(html) {
  return new DOMParser().parseFromString(html, 'text/html').querySelector('[data-error]')?.textContent.trim();
}
