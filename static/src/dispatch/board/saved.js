// Filters that somebody named: station, days, words and lanes, kept on this device for each person.

const KEY = `dispatch filters ${document.querySelector('meta[name="live-scope"]')?.content ?? ''}`;
const PASSING = ['date', 'order', 'visit', 'lang']; // of the moment, not of a filter
const MOST = 20;

export function startSaved() {
  const list = document.querySelector('#saved-list');
  const form = document.querySelector('#saved-form');
  if (!list || !form) return;
  draw(list);
  form.addEventListener('submit', event => {
    event.preventDefault();
    const name = form.elements[0].value.trim();
    if (name) write([{ name, query: query() }, ...read().filter(one => one.name !== name)].slice(0, MOST));
    form.reset();
    draw(list);
  });
}

function draw(list) {
  const saved = read();
  list.replaceChildren(...saved.map(({ name, query: kept }) => {
    const item = Object.assign(document.createElement('li'), { className: 'row g4' });
    const link = Object.assign(document.createElement('a'), { className: 'btn btn-quiet grow', href: `/dispatch?${kept}`, textContent: name });
    const forget = Object.assign(document.createElement('button'), { type: 'button', className: 'btn btn-quiet', textContent: list.dataset.delete });
    forget.setAttribute('aria-label', `${list.dataset.delete}: ${name}`);
    forget.addEventListener('click', () => { write(read().filter(one => one.name !== name)); draw(list); });
    item.append(link, forget);
    return item;
  }));
  if (!saved.length) list.append(Object.assign(document.createElement('li'), { className: 'xs i2', textContent: list.dataset.none }));
}

function query() {
  const given = new URLSearchParams(location.search);
  for (const name of PASSING) given.delete(name);
  return given.toString();
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return []; // storage is refused, or holds what we did not write
  }
}

function write(saved) {
  try {
    localStorage.setItem(KEY, JSON.stringify(saved));
  } catch {
    // storage is refused in some private windows: nothing is kept
  }
}
