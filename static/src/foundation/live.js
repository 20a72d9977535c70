// The live feed. One tab holds the stream for all (with HTTP/1.1 a browser opens six connections to a server, so a
// seventh tab would hang) and passes on what it hears. Every tab gets DOM events `live` with {seq, station, kind,
// subject, id} and fetches again the elements that asked for it:
//   <section id="queue" data-live="request. visit." data-live-url="/requests/list">
// `data-live-id="17"` or `"visit:17"` listens to one thing only. An element that brings itself up to date answers the DOM
// event `live-fetch` with preventDefault().

const AGAIN_AFTER = 1000; // an element is fetched at most once a second
const GATHER = 150; // the facts of one step come together
const AWAY = 60_000; // after a longer sleep everything is fetched again
const RETRY_FROM = 1000;
const RETRY_TO = 30_000;

const meta = name => document.querySelector(`meta[name="${name}"]`)?.content || '';
const scope = meta('live-scope') || location.pathname; // one stream for each person, not for each browser
const channel = new BroadcastChannel(`live ${scope}`);
const waiting = new Map(); // element id → its timer, or null while the tab is hidden
const fetched = new Map(); // element id → when it was fetched last
let refresh;
let ticket = meta('live-ticket');
let lastSeq = Number(meta('live-after'));
let leads = false;
let hiddenAt = 0;

/** Start listening; `load(element, url)` fetches one element again. */
export function startLive(load) {
  refresh = load;
  channel.onmessage = ({ data }) => fromOtherTab(data);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) hiddenAt = Date.now();
    else wake(Date.now() - hiddenAt > AWAY);
  });
  addEventListener('pageshow', event => { if (event.persisted) wake(true); });
  if (navigator.locks) navigator.locks.request(`live ${scope}`, lead);
  else lead(); // without a secure origin there are no locks: each tab listens for itself
  channel.postMessage({ after: lastSeq });
}

// The stream -----------------------------------------------------------------------------------------

// Holds the lock as long as this tab lives; the next tab takes over when it closes.
async function lead() {
  leads = true;
  for (let wait = RETRY_FROM; ; wait = Math.min(wait * 2, RETRY_TO)) {
    const outcome = await listen();
    if (outcome === 'no access') return;
    if (outcome === 'ended') wait = RETRY_FROM;
    announce('lost');
    await new Promise(resolve => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
  }
}

// One connection, to its end: 'ended', 'failed' (it never opened) or 'no access'.
async function listen() {
  try {
    ticket ||= await newTicket();
  } catch {
    return 'failed';
  }
  if (!ticket) return 'no access';
  const source = new EventSource(`/events?${new URLSearchParams({ ticket, after: lastSeq })}`);
  ticket = ''; // good for a minute: the next connection brings a new one
  return new Promise(resolve => {
    let outcome = 'failed';
    source.onopen = () => { outcome = 'ended'; announce('on'); };
    source.onmessage = ({ data }) => {
      const fact = JSON.parse(data);
      channel.postMessage({ fact });
      tell(fact);
    };
    source.addEventListener('reset', ({ lastEventId }) => {
      lastSeq = Number(lastEventId);
      channel.postMessage({ reset: lastSeq });
      wake(true);
    });
    source.onerror = () => { source.close(); resolve(outcome); };
  });
}

// A page that brought a ticket (a customer's private link) brings the next one too; others ask as who is signed in.
async function newTicket() {
  const own = meta('live-ticket');
  const answer = await fetch(own ? location.href : '/events/ticket');
  if ([401, 403, 404, 410].includes(answer.status)) return '';
  if (!answer.ok) throw new Error(`live ticket: ${answer.status}`);
  if (!own) return (await answer.json()).ticket;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  return page.querySelector('meta[name="live-ticket"]')?.content || '';
}

// Between tabs ---------------------------------------------------------------------------------------

function fromOtherTab({ fact, state, after, reset }) {
  if (fact) tell(fact);
  else if (state) show(state);
  else if (reset) wake(true);
  // A tab that has just opened may have been drawn before something that the leader heard already.
  else if (leads && after < lastSeq) channel.postMessage({ reset: lastSeq });
}

function announce(state) {
  channel.postMessage({ state });
  show(state);
}

function show(state) {
  document.documentElement.dataset.liveState = state;
}

function tell(fact) {
  lastSeq = Math.max(lastSeq, fact.seq);
  document.dispatchEvent(new CustomEvent('live', { detail: fact }));
  for (const element of elements()) if (wants(element, fact)) soon(element);
}

// Elements -------------------------------------------------------------------------------------------

function elements() {
  return document.querySelectorAll('[data-live][id]');
}

function wants({ dataset: { live, liveId } }, { kind, subject, id }) {
  return live.split(/\s+/).some(start => start && kind.startsWith(start))
    && (!liveId || liveId === String(id) || liveId === `${subject}:${id}`);
}

function soon(element) {
  if (waiting.has(element.id)) return;
  const rest = (fetched.get(element.id) ?? -AGAIN_AFTER) + AGAIN_AFTER - performance.now();
  waiting.set(element.id, setTimeout(fetchAgain, Math.max(GATHER, rest), element.id));
}

// Somebody who is typing, and a tab nobody looks at, are left alone until that ends.
async function fetchAgain(id) {
  const element = document.getElementById(id);
  waiting.delete(id);
  if (!element) return;
  if (document.hidden) waiting.set(id, null);
  else if (busy(element)) waiting.set(id, setTimeout(fetchAgain, AGAIN_AFTER, id));
  else {
    fetched.set(id, performance.now());
    if (element.dispatchEvent(new CustomEvent('live-fetch', { bubbles: true, cancelable: true }))) await refresh(element, element.dataset.liveUrl || location.href);
  }
}

function busy(element) {
  const focused = document.activeElement;
  return (element.contains(focused) && focused.matches('input, select, textarea'))
    || element.querySelector('dialog[open]')
    || [...element.querySelectorAll('[popover]')].some(node => node.matches(':popover-open'));
}

function wake(everything) {
  for (const [id, timer] of waiting) if (timer === null) fetchAgain(id);
  if (everything) elements().forEach(soon);
}
