// Lessons: fault patterns found by words, with what was learned from them. The search is a small one for typing;
// what is offered at once for a job comes ranked from the server (`likely`).

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { empty, icon } from './pieces.js';

const MOST = 8;
const OWN_WORK = 1.25;
const SEARCH_WORD = 1.5;
let words = '';

/** Patterns that share words with the text, best first. */
export function find(app, text, workType = null) {
  const wanted = pieces(text);
  if (!wanted.length) return [];
  return app.shown.catalogue.patterns
    .map(one => ({ one, score: score(one, wanted) * (one.work_type === workType ? OWN_WORK : 1) }))
    .filter(({ score: found }) => found > 0)
    .sort((a, b) => b.score - a.score || a.one.code.localeCompare(b.one.code))
    .slice(0, MOST)
    .map(({ one }) => one);
}

function score(one, wanted) {
  const [symptoms, terms] = [one.search.slice(0, 2), one.search.slice(2)].map(texts => texts.join('\n').toLowerCase());
  return wanted.reduce((sum, piece) => sum + (terms.includes(piece) ? SEARCH_WORD : symptoms.includes(piece) ? 1 : 0) * Math.min(piece.length, 4), 0);
}

// Latin words by their first letters, Chinese by pairs: it is written without spaces.
function pieces(text) {
  const plain = text.toLowerCase().slice(0, 400);
  const latin = (plain.match(/[a-z0-9]{2,}/g) || []).map(word => word.slice(0, 5));
  const han = (plain.match(/[\u4e00-\u9fff]{2,}/g) || []).flatMap(run => [...run].slice(1).map((_letter, at) => run.slice(at, at + 2)));
  return [...new Set([...latin, ...han])];
}

export function lessonsScreen(app) {
  const found = find(app, words);
  const type = event => { words = event.target.value; app.dispatchEvent(new Event('change')); };
  return html`<div class="tablet-panel"><div class="field"><label for="lesson-words">${t('What do you see, hear or measure?')}</label><div class="affix">${icon('search')}<input class="input" id="lesson-words" type="search" autocomplete="off" .value=${words} @input=${type}></div></div>
    ${found.length ? found.map(one => lesson(app, one)) : words ? empty('search', t('Nothing known by these words'), t('Try the part, the alarm number or another word.')) : empty('notebook-text', t('%(n)s known faults with what was learned from them', { n: app.shown.catalogue.patterns.length }))}</div>`;
}

function lesson(app, one) {
  const codes = ['failure_mode', 'failure_mechanism', 'failure_cause'].map(name => app.word(name, one[name])).join(' · ');
  const parts = one.parts.map(([number, quantity]) => `${Object.values(app.shown.parts).find(part => part.number === number)?.name || number} ×${quantity}`);
  return html`<section class="card"><div class="card-h"><h2>${one.symptom}</h2></div><div class="card-b stack"><p>${one.remedy[document.documentElement.lang.slice(0, 2)]}</p>${one.lesson ? html`<div class="notice" data-s="info">${icon('notebook-text')}<div>${one.lesson}</div></div>` : nothing}<p class="s i2">${codes}</p>${parts.length ? html`<p class="s">${icon('package', 'i-s')} ${parts.join('、')}</p>` : nothing}</div></section>`;
}
