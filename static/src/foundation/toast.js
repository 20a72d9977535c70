// Short messages at the foot of the page, with time to undo. Pointing at one or focusing it stops its time.

import { t } from './texts.js';

const SECONDS = 10;

/** Show `text`; with `undo` a button calls it within `seconds`. `onEnd` runs when the time passed unused. */
export function toast(text, { undo = null, seconds = SECONDS, onEnd = null } = {}) {
  const box = document.createElement('div');
  box.className = 'toast';
  const words = document.createElement('span');
  words.textContent = text;
  box.append(words);
  if (undo) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn';
    button.append(t('Undo'), counter());
    button.addEventListener('click', () => { box.remove(); undo(); });
    box.append(button);
  }
  place().append(box);
  run(box, seconds, onEnd);
  return box;
}

/** Give time to the messages the server drew: `<div class="toast" data-toast data-seconds="10">`. */
export function startToasts(root = document) {
  for (const box of root.querySelectorAll('[data-toast]:not([data-running])')) {
    box.querySelector('form .btn')?.append(counter());
    run(box, Number(box.dataset.seconds) || SECONDS, null);
  }
}

function place() {
  const found = [...document.querySelectorAll('.toasts')].at(-1); // the page's own, which no swap takes away
  if (found) return found;
  const made = document.createElement('div');
  made.className = 'toasts';
  made.setAttribute('role', 'status');
  document.body.append(made);
  return made;
}

// The seconds are not read aloud: a live region that changes every second would never be silent.
function counter() {
  const left = document.createElement('span');
  left.setAttribute('aria-hidden', 'true');
  left.dataset.counter = '';
  return left;
}

function run(box, seconds, onEnd) {
  let left = seconds;
  box.dataset.running = '';
  const show = () => { for (const node of box.querySelectorAll('[data-counter]')) node.textContent = ` · ${left} s`; };
  show();
  const timer = setInterval(() => {
    if (box.matches(':hover, :focus-within')) return;
    left -= 1;
    show();
    if (box.isConnected && left > 0) return;
    clearInterval(timer);
    if (box.isConnected) onEnd?.();
    box.remove();
  }, 1000);
}
