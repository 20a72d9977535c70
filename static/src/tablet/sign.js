// Pads to sign on, one for each name; a pad lives as long as its canvas stands in the page.

import SignaturePad from 'signature_pad';
import { bytesOf } from './pictures.js';

const pads = new Map(); // name → {pad, canvas}

/** Make the canvas a pad; true when it was none before. */
export function mount(name, canvas) {
  if (!canvas || pads.get(name)?.canvas === canvas) return false;
  const pad = new SignaturePad(canvas, { penColor: '#12181a', backgroundColor: '#ffffff' });
  pads.set(name, { pad, canvas });
  requestAnimationFrame(() => {
    const ratio = Math.max(devicePixelRatio || 1, 1);
    canvas.width = canvas.offsetWidth * ratio;
    canvas.height = canvas.offsetHeight * ratio;
    canvas.getContext('2d').scale(ratio, ratio);
    pad.clear();
  });
  return true;
}

export const clear = name => pads.get(name)?.pad.clear();

/** Whether something is drawn. */
export const drawn = name => Boolean(pads.get(name)?.canvas.isConnected && !pads.get(name).pad.isEmpty());

/** What is drawn, as PNG; null for nothing. The pad is used up. */
export async function take(name) {
  if (!drawn(name)) return null;
  const bytes = await bytesOf(pads.get(name).canvas, 'image/png');
  pads.delete(name);
  return bytes;
}

/** Call `heard` after each stroke. */
export const onStroke = (name, heard) => pads.get(name)?.pad.addEventListener('endStroke', heard);
