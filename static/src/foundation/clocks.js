// Clocks keep running between two answers of the server. An element says what was left when it was drawn
// (`data-left`, seconds) and which share of the whole that was (`data-share`, 0…1); the rest is arithmetic.

import { t } from './texts.js';

const SECOND = 1000;
const EVERY = 15 * SECOND;
const seen = new WeakMap();

export function startClocks() {
  tick();
  setInterval(tick, EVERY);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) tick(); });
}

function tick() {
  for (const clock of document.querySelectorAll('.clock[data-left]')) advance(clock);
}

function advance(clock) {
  const drawn = `${clock.dataset.left} ${clock.dataset.due}`;
  let start = seen.get(clock);
  if (start?.drawn !== drawn) {
    const left = Number(clock.dataset.left);
    start = { drawn, left, share: Number(clock.dataset.share), ends: performance.now() + left * SECOND };
    seen.set(clock, start);
    return;
  }
  const left = (start.ends - performance.now()) / SECOND;
  const share = start.left > 0 ? Math.max(0, (start.share * left) / start.left) : 0;
  clock.dataset.s = left < 0 ? 'bad' : share > 0.5 ? 'ok' : share >= 0.25 ? 'mute' : 'warn';
  clock.querySelector('.ring circle + circle')?.setAttribute('stroke-dasharray', `${Math.round(share * 100)} 100`);
  const words = clock.querySelector('.left');
  const text = left < 0 ? t('%(time)s over', { time: span(Math.max(60, -left)) }) : span(left);
  if (words && words.textContent !== text) words.textContent = text;
}

/** A length of time in words, as `foundation/display.py` writes it. */
export function span(seconds) {
  const total = Math.round(seconds / 60);
  const days = Math.floor(total / 1440);
  const hours = Math.floor(total / 60);
  const minutes = total % 60;
  if (days >= 2) return t('%(days)s d %(hours)s h', { days, hours: Math.floor((total % 1440) / 60) });
  if (!hours) return t('%(minutes)s min', { minutes });
  return minutes ? t('%(hours)s h %(minutes)s min', { hours, minutes }) : t('%(hours)s h', { hours });
}
