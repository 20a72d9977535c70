// What the server says about a form in a dialog: the sentences on top, and a mark at each field they are about.

import { icon } from '../timeline/icons.js';
import { make } from '../timeline/pieces.js';

/** Shows an error of `ask`, or takes the last one away (null). Fields are found by name, under others by `names`. */
export function refuse(form, error, sprite, names = {}) {
  const place = form.querySelector('[data-refused]');
  place.hidden = !error;
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
  if (!error) return;
  const list = make('ul');
  const found = Object.entries(error.errors ?? {});
  for (const text of found.length ? found.flatMap(([, texts]) => texts) : [error.message]) list.append(Object.assign(make('li'), { textContent: text }));
  place.replaceChildren(icon(sprite, 'triangle-alert'), list);
  for (const [name] of found) form.elements[names[name] ?? name]?.setAttribute?.('aria-invalid', 'true');
  (form.querySelector('[aria-invalid]') ?? place).focus();
}
