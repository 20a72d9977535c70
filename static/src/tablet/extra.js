// Extra work: the technician says what and at which price, then hands the tablet to the customer, who reads it in his
// language, signs and approves or declines (I-19). Paid work inside warranty counts only when he did.

import { html, nothing } from 'lit/html.js';
import { ref } from 'lit/directives/ref.js';
import { t } from '../foundation/texts.js';
import { money, says } from './lines.view.js';
import { pickPart } from './parts.js';
import { icon, openDialog } from './pieces.js';
import { clear, drawn, mount, release, take } from './sign.js';
import { newId } from './store.js';

const PAD = 'extra';

/** Ask the customer; `lines` are parts already fitted that wait for his approval. */
export function askExtra(app, visit, lines = []) {
  const part = (id, quantity) => ({ part: app.part(id).number, words: app.part(id).names[visit.customer_language] || app.part(id).name, quantity, price: app.part(id).price || 0 });
  const form = { words: '', lines: lines.map(line => part(line.part, line.quantity)) };
  if (lines.length) form.words = says(app, visit.customer_language, 'wears_words');
  const write = () => openDialog(t('Extra work'), (close, draw) => {
    const set = () => draw();
    const change = (line, name) => event => { line[name] = name === 'words' ? event.target.value : amount(event.target.value, name); set(); };
    const add = line => { form.lines.push(line); set(); };
    const fine = form.words.trim() && form.lines.length && form.lines.every(line => line.words.trim() && line.quantity > 0 && line.price >= 0) && app.fits('extra', { lines: form.lines });
    return html`<div class="field"><label for="extra-words">${t('What is to be done, in plain words for the customer')}</label><textarea class="textarea" id="extra-words" rows="2" maxlength=${app.most('extra.words')} .value=${form.words} @input=${event => { form.words = event.target.value; set(); }}></textarea></div>
      ${form.lines.map((line, index) => html`<fieldset class="tablet-extra"><legend class="sr">${t('Line %(n)s', { n: index + 1 })}</legend>
        <input class="input" aria-label=${t('What')} maxlength=${app.most('extra.lines.words')} .value=${line.words} @input=${change(line, 'words')}>
        <input class="input num" aria-label=${line.hours ? t('Hours') : t('Quantity')} inputmode="decimal" .value=${String(line.quantity)} @change=${change(line, 'quantity')}><span class="i2">×</span>
        <input class="input num" aria-label=${t('Price for one (CNY)')} inputmode="decimal" .value=${(line.price / 100).toFixed(2)} @change=${change(line, 'price')}>
        <button class="btn btn-icon btn-quiet" type="button" aria-label=${t('Remove: %(what)s', { what: line.words })} @click=${() => { form.lines.splice(index, 1); set(); }}>${icon('trash-2')}</button></fieldset>`)}
      <div class="row wrap"><button class="btn" type="button" @click=${() => { close(); pickPart(app, { title: t('Which part?'), every: true }, id => { form.lines.push(part(id, 1)); write(); }); }}>${icon('package')}${t('Part')}</button>
        <button class="btn" type="button" @click=${() => add({ words: says(app, visit.customer_language, 'labour'), part: null, quantity: 1, price: visit.cover.labour_rate, hours: true })}>${icon('clock')}${t('Hours of work')}</button>
        <button class="btn" type="button" @click=${() => add({ words: '', part: null, quantity: 1, price: 0 })}>${icon('plus')}${t('Something else')}</button></div>
      <div class="row"><b>${t('Total')}</b><b class="end num">${money(total(form.lines))}</b></div>
      <div class="dialog-f"><button class="btn btn-primary btn-l" type="button" ?disabled=${!fine} @click=${() => { close(); handOver(app, visit, form); }}>${icon('signature')}${t('Hand over to the customer')}</button></div>`;
  });
  write();
}

const amount = (typed, name) => {
  const value = Number(typed.replace(/[,，]/g, '.')) || 0;
  return name === 'price' ? Math.round(value * 100) : value;
};

export const total = lines => lines.reduce((found, line) => found + Math.round(line.price * line.quantity), 0);

// The customer's side: everything in his language, nothing else to touch.
function handOver(app, visit, form) {
  let lang = visit.customer_language;
  let name = (app.draft(visit).name || visit.contact?.name || '').slice(0, app.most('extra.name'));
  const { dialog } = openDialog(t('For the customer'), (close, draw) => {
    const say = key => says(app, lang, key);
    const decide = decision => app.once('extra', async () => {
      const bytes = await take(PAD);
      const facts = { extra: newId(), words: form.words.trim(), lines: form.lines.map(({ words, part, quantity, price }) => ({ words: words.trim(), part, quantity, price })), decision, name: name.trim() };
      await (bytes ? app.addUpload('extra', visit, bytes, 'approval.png', facts) : app.record('extra', visit, facts));
      release(PAD);
      close();
    });
    return html`<div class="seg end" role="group" aria-label=${t('Language')}>${[['zh', '中文'], ['en', 'English']].map(([code, label]) => html`<button type="button" aria-pressed=${code === lang} lang=${code} @click=${() => { lang = code; draw(); }}>${label}</button>`)}</div>
      <div class="stack" lang=${lang}><h3>${say('extra')}: ${form.words}</h3><p>${say('extra_lead')}</p>
      <ul class="tablet-sums">${form.lines.map(line => html`<li><span>${line.words} ${line.quantity === 1 ? nothing : html`×${line.quantity}`}</span><span class="num">${money(Math.round(line.price * line.quantity), lang)}</span></li>`)}<li class="b"><span>${say('total')}</span><span class="num tablet-total">${money(total(form.lines), lang)}</span></li></ul>
      <div class="field"><label for="approver">${say('name')}</label><input class="input" id="approver" maxlength=${app.most('extra.name')} autocomplete="off" .value=${name} @input=${event => { name = event.target.value; draw(); }}></div>
      <div class="field"><span class="label row">${say('sign')}<button class="btn btn-quiet btn-icon end" type="button" aria-label=${t('Clear')} @click=${() => { clear(PAD); draw(); }}>${icon('rotate-ccw')}</button></span><div class="sign"><canvas ${ref(canvas => { mount(PAD, canvas, draw); })} aria-label=${say('sign')} role="img"></canvas></div></div>
      <div class="dialog-f"><button class="btn btn-l" type="button" @click=${() => decide('declined')}>${icon('x')}${say('decline')}</button><button class="btn btn-primary btn-l" type="button" ?disabled=${!drawn(PAD) || !name.trim()} @click=${() => decide('approved')}>${icon('check')}${say('approve')}</button></div></div>`;
  });
  return dialog;
}
