// The day plan: arrow keys go between cards and bars, and filters apply at once.

const KEPT = 'hx-morph-skip'; // htmx leaves such an element as it is
const opened = new Set();

document.documentElement.classList.add('scripted');
document.addEventListener('change', event => event.target.form?.matches('[data-submit-on-change]') && event.target.form.requestSubmit());
document.addEventListener('keydown', walk);
document.addEventListener('click', remember);
document.addEventListener('input', ({ target }) => target.form?.closest('.drawer') && target.form.setAttribute(KEPT, ''));
document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => { if (ctx.target?.id === 'dispatch') letGo(); });
document.addEventListener('htmx:after:swap', () => {
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
  document.querySelector('[data-error-focus]')?.focus();
});

// News must not close what somebody opened, nor wipe what is being typed; going elsewhere does.
function remember({ target }) {
  const details = target.closest('summary')?.parentElement;
  if (details?.id) opened[details.open ? 'delete' : 'add'](details.id); // the click is about to turn it over
}

function letGo() {
  for (const form of document.querySelectorAll(`[${KEPT}]`)) form.removeAttribute(KEPT);
}

// Up and down between cards of the queue; in the lanes also left and right. Esc closes the drawer.
function walk(event) {
  if (event.target.matches('input, select, textarea') || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Escape' && !document.querySelector('[popover]:popover-open')) {
    document.querySelector('[data-close-drawer]')?.click();
    return;
  }
  const from = event.target.closest('[data-key]');
  const next = from && (from.closest('.rt') ? inLanes(from, event.key) : inList(from, event.key));
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function inList(from, key) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  const all = [...from.parentElement.querySelectorAll('[data-key]')];
  return step && all[all.indexOf(from) + step];
}

function inLanes(from, key) {
  const lane = from.closest('.rt-lane');
  const bars = [...lane.querySelectorAll('[data-key]')];
  if (key === 'ArrowRight') return bars[bars.indexOf(from) + 1];
  if (key === 'ArrowLeft') return bars[bars.indexOf(from) - 1];
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!step) return null;
  const lanes = [...from.closest('.rt').querySelectorAll('.rt-lane')];
  for (let at = lanes.indexOf(lane) + step; lanes[at]; at += step) {
    const found = nearest(lanes[at].querySelectorAll('[data-key]'), middle(from));
    if (found) return found;
  }
  return null;
}

function nearest(bars, place) {
  return [...bars].sort((a, b) => Math.abs(middle(a) - place) - Math.abs(middle(b) - place))[0];
}

function middle(bar) {
  const box = bar.getBoundingClientRect();
  return box.x + box.width / 2;
}
