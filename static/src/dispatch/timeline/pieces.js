// Small things every part of the timeline builds with.

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

const drawn = new Map(); // icon → its drawing, copied for each use: copying is faster than building

/** An element with a class and attributes. */
export function make(tag, className = '', attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** An icon of the sprite; decoration, the words beside it say the same. */
export function icon(sprite, name) {
  const key = `${sprite}#${name}`;
  if (!drawn.has(key)) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'i');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(document.createElementNS('http://www.w3.org/2000/svg', 'use'));
    svg.firstChild.setAttribute('href', key);
    drawn.set(key, svg);
  }
  return drawn.get(key).cloneNode(true);
}

/** A word of the page: a function of the facts, or a text with `%(name)s` in it. */
export function fill(word, facts = {}) {
  if (typeof word === 'function') return word(facts);
  return (word ?? '').replace(/%\((\w+)\)s/g, (whole, name) => facts[name] ?? whole);
}
