// The reader of codes, fetched on first use: the browser's own BarcodeDetector where there is one, else zxing. The camera
// is asked first; a picture or the keyboard always does.

import { BarcodeDetector as Zxing, prepareZXingModule } from 'barcode-detector/ponyfill';
import { t } from '../foundation/texts.js';
import { read } from './codes.js';

const FORMATS = ['qr_code', 'data_matrix', 'code_128', 'code_39', 'ean_13', 'ean_8', 'upc_a', 'itf'];
const EVERY = 160; // ms between two looks
const CAMERA = { video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 } }, audio: false };

let detector = null;

async function detectorOf(wasm) {
  if (detector) return detector;
  const native = globalThis.BarcodeDetector;
  const able = await native?.getSupportedFormats?.().catch(() => []) || [];
  if (['qr_code', 'code_128'].every(format => able.includes(format))) {
    detector = new native({ formats: FORMATS.filter(format => able.includes(format)) });
  } else {
    prepareZXingModule({ overrides: { locateFile: () => wasm } }); // ours, never from elsewhere
    detector = new Zxing({ formats: FORMATS });
  }
  return detector;
}

/** Ask for a code in a dialog of the tablet's own (`tools`); `then` gets what it says. */
export function ask({ openDialog, html, nothing, icon, wasm, known }, then) {
  const first = t('Hold the code into the picture.');
  const state = { typed: '', words: first, stream: null, track: null, torch: false, lit: false };
  const video = document.createElement('video');
  Object.assign(video, { muted: true, playsInline: true, hidden: true });
  const { dialog, draw } = openDialog(t('Scan a code'), (close, redraw) => {
    const done = raw => { close(); then(read(raw, known)); };
    state.done = done;
    const light = async () => {
      state.lit = !state.lit;
      await state.track.applyConstraints({ advanced: [{ torch: state.lit }] });
      redraw();
    };
    return html`<div class="tablet-camera">${video}</div><p role="status">${state.words}</p>
      <div class="row wrap">${state.torch ? html`<button class="btn" type="button" aria-pressed=${state.lit} @click=${light}>${icon('zap')}${t('Light')}</button>` : nothing}
      <label class="btn photo-pick">${icon('camera')}${t('Read from a picture')}<input class="sr" type="file" accept="image/*" capture="environment" @change=${event => fromPicture(event.target.files[0])}></label></div>
      <form class="row tablet-scan" @submit=${event => { event.preventDefault(); if (state.typed.trim()) done(state.typed.trim()); }}><div class="field grow"><label for="code">${t('Or type it')}</label><input class="input" id="code" maxlength="200" autocomplete="off" autocapitalize="characters" .value=${state.typed} @input=${event => { state.typed = event.target.value; redraw(); }}></div><button class="btn btn-primary" type="submit" ?disabled=${!state.typed.trim()}>${icon('check')}${t('Use it')}</button></form>`;
  });
  const say = words => { state.words = words; draw(); };
  dialog.addEventListener('close', () => state.stream?.getTracks().forEach(track => track.stop()));

  async function fromPicture(file) {
    if (!file) return;
    try {
      const found = await look(await createImageBitmap(file));
      if (!found) say(t('No code was found in this picture. Go nearer, or type it.'));
    } catch (error) {
      console.error(error);
      say(t('This picture cannot be read. Take another one, or type the code.'));
    }
  }

  async function look(source) {
    const [found] = await (await detectorOf(wasm)).detect(source);
    if (found && dialog.open) state.done(found.rawValue);
    return Boolean(found);
  }

  async function watch() {
    try {
      if (!navigator.mediaDevices) throw new Error('no camera');
      state.stream = await navigator.mediaDevices.getUserMedia(CAMERA);
    } catch {
      if (state.words === first) say(t('There is no camera here, or it may not be used. Choose a picture, or type the code.'));
      return;
    }
    if (!dialog.open) return state.stream.getTracks().forEach(track => track.stop());
    [state.track] = state.stream.getVideoTracks();
    state.torch = Boolean(state.track.getCapabilities?.().torch);
    Object.assign(video, { srcObject: state.stream, hidden: false });
    draw();
    await video.play();
    while (dialog.open && !(video.readyState >= 2 && await look(video))) await new Promise(rest => setTimeout(rest, EVERY));
  }

  watch().catch(error => {
    console.error(error);
    say(t('The camera cannot be read here. Choose a picture, or type the code.'));
  });
}
