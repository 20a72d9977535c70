// The icons of the sprite as shapes of our own. A <use> per icon would be the slowest thing on the board: its copy in
// a shadow tree doubled the time until the first drawing, so the sprite is read once and its shapes are copied.

const SVG = 'http://www.w3.org/2000/svg';
const sprites = new Map(); // address → {icon → its drawing}

/** Reads the sprite; false when that was done before or it cannot be had. */
export async function readIcons(address) {
  if (!address || sprites.has(address)) return false;
  sprites.set(address, new Map());
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) {
    sprites.delete(address); // the next one asks again
    return false;
  }
  const sprite = new DOMParser().parseFromString(await answer.text(), 'image/svg+xml');
  for (const symbol of sprite.querySelectorAll('symbol')) sprites.get(address).set(symbol.id, drawing(symbol));
  return true;
}

/** An icon; decoration, the words beside it say the same. Empty until the sprite is there. */
export function icon(address, name) {
  const found = sprites.get(address)?.get(name);
  return found ? found.cloneNode(true) : drawing();
}

function drawing(symbol) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'i');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  if (symbol) svg.append(...[...symbol.children].map(shape => document.importNode(shape, true)));
  return svg;
}
