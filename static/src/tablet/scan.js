// Asking for a code: by camera, from a picture or typed. The reader itself is large and fetched on first use.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { icon, openDialog } from './pieces.js';

const { dataset } = document.getElementById('tablet');
let reader = null;

/** Ask for a code; `then({text, part?, serial?, batch?, asset?})` gets what it says. */
export async function scan(app, then) {
  try {
    reader ||= await import(dataset.scanner);
  } catch (error) {
    console.error(error);
    toast(t('The scanner is not on this tablet yet. Open it once with a network, or type the number.'));
    return;
  }
  const plain = number => number.toUpperCase();
  const known = number => Object.values(app.shown.parts).find(part => plain(part.number) === plain(number) || part.gtin && part.gtin === number.padStart(14, '0'))?.number;
  reader.ask({ openDialog, html, nothing, icon, wasm: dataset.scannerWasm, known }, then);
}

export const scanButton = (words, press, size = '') => html`<button class="btn ${size}" type="button" @click=${press}>${icon('scan-line')}${words}</button>`;

/** A text that may be scanned: `set` gets {text} or what the code says. */
export const field = (app, id, most, label, value, optional, set) => html`<div class="row tablet-scan"><div class="field grow"><label for=${id}>${label}${optional ? html`<span class="opt">${t('optional')}</span>` : nothing}</label><input class="input" id=${id} maxlength=${most} autocomplete="off" autocapitalize="characters" .value=${value} @input=${event => set({ text: event.target.value })}></div><button class="btn btn-icon" type="button" aria-label=${t('Scan: %(what)s', { what: label })} @click=${() => scan(app, set)}>${icon('scan-line')}</button></div>`;
