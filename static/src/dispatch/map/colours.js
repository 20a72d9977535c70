// The colours of the page for the canvas. A custom property read as such may still say light-dark(…); so each is given
// to an element as its colour and read back from there, all at once.

import { make } from '../timeline/pieces.js';

export const TONES = ['ok', 'warn', 'bad', 'info', 'mute'];
const NAMES = ['canvas', 'surface', 'line', 'line-2', 'ink', 'ink-2', 'ink-3', 'accent', 'accent-soft', 'on-solid', 's3',
  ...TONES.flatMap(tone => [`${tone}-t`, `${tone}-s`, `${tone}-e`])];
const SCHEMES = ['(prefers-color-scheme: dark)', '(forced-colors: active)', '(prefers-contrast: more)'];

export class Colours {
  probe = make('div', 'dmap-probe', { hidden: '' });

  constructor() {
    for (const name of NAMES) {
      const one = make('i');
      one.style.color = `var(--${name})`;
      this.probe.append(one);
    }
  }

  /** Reads them; also the fonts. */
  read() {
    [...this.probe.children].forEach((one, at) => { this[NAMES[at]] = getComputedStyle(one).color; });
    this.family = getComputedStyle(this.probe).fontFamily;
  }

  font(size, weight = 400) {
    return `${weight} ${size}px ${this.family}`;
  }
}

/** Calls back when the theme is another one: by the system, or by the page's own switch. Returns how to stop. */
export function onTheme(changed) {
  const queries = SCHEMES.map(query => matchMedia(query));
  const page = new MutationObserver(changed);
  for (const query of queries) query.addEventListener('change', changed);
  page.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'data-density', 'class', 'lang'] });
  return () => {
    for (const query of queries) query.removeEventListener('change', changed);
    page.disconnect();
  };
}
