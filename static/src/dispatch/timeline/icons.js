// The icons of the sprite as one path each. A <use> per icon would be the slowest thing on the board: its copy in a
// shadow tree doubled the time until the first drawing, so the sprite is read once and its shapes are copied.

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
  if (symbol) {
    svg.append(document.createElementNS(SVG, 'path'));
    svg.firstChild.setAttribute('d', [...symbol.children].map(outline).join(''));
  }
  return svg;
}

// Any shape of the sprite as the commands of a path.
function outline(shape) {
  const [cx, cy, r, x, y, width, height, x1, y1, x2, y2] = ['cx', 'cy', 'r', 'x', 'y', 'width', 'height', 'x1', 'y1', 'x2', 'y2'].map(name => Number(shape.getAttribute(name)));
  const rx = Number(shape.getAttribute('rx')) || r;
  const ry = Number(shape.getAttribute('ry')) || rx;
  const corner = `a${rx} ${ry} 0 0 1 `;
  switch (shape.localName) {
    case 'path': return `M0 0${shape.getAttribute('d')}`; // the first move may be relative
    case 'line': return `M${x1} ${y1}L${x2} ${y2}`;
    case 'polyline': return `M${shape.getAttribute('points')}`;
    case 'polygon': return `M${shape.getAttribute('points')}z`;
    case 'rect': return `M${x + rx} ${y}h${width - 2 * rx}${corner}${rx} ${ry}v${height - 2 * ry}${corner}${-rx} ${ry}h${2 * rx - width}${corner}${-rx} ${-ry}v${2 * ry - height}${corner}${rx} ${-ry}z`;
    default: return `M${cx - rx} ${cy}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0`; // circle, ellipse
  }
}
