// Small things every part of the timeline builds with.

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** An element with a class and attributes. */
export function make(tag, className = '', attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** A word of the page: a function of the facts, or a text with `%(name)s` in it. */
export function fill(word, facts = {}) {
  if (typeof word === 'function') return word(facts);
  return (word ?? '').replace(/%\((\w+)\)s/g, (whole, name) => facts[name] ?? whole);
}
