// Pads to sign on, one for each name; a pad lives as long as its canvas stands in the page.

import { bytesOf } from './pictures.js';

const { dataset } = document.getElementById('tablet');
const pads = new Map(); // name → {canvas, pad}, the pad once it is fetched

/** Make the canvas a pad; `heard` is called after each stroke. */
export async function mount(name, canvas, heard = null) {
  if (!canvas || pads.get(name)?.canvas === canvas) return;
  const held = { canvas, pad: null };
  pads.set(name, held);
  const { default: SignaturePad } = await import(dataset.pad);
  if (pads.get(name) !== held) return;
  held.pad = new SignaturePad(canvas, { penColor: '#12181a', backgroundColor: '#ffffff' });
  if (heard) held.pad.addEventListener('endStroke', heard);
  requestAnimationFrame(() => {
    const ratio = Math.max(devicePixelRatio || 1, 1);
    canvas.width = canvas.offsetWidth * ratio;
    canvas.height = canvas.offsetHeight * ratio;
    canvas.getContext('2d').scale(ratio, ratio);
    held.pad.clear();
    canvas.dataset.ready = '';
  });
}

export const clear = name => pads.get(name)?.pad?.clear();

/** Whether something is drawn. */
export const drawn = name => Boolean(pads.get(name)?.canvas.isConnected && pads.get(name).pad && !pads.get(name).pad.isEmpty());

/** What is drawn, as PNG; null for nothing. It stays until `release`: what could not be stored is not signed again. */
export const take = name => (drawn(name) ? bytesOf(pads.get(name).canvas, 'image/png') : null);

/** What was drawn is kept: the pad is used up. */
export const release = name => pads.delete(name);
