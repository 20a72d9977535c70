// The board: the timeline of the page, fed, followed and worked on.

import { Absence } from './absence.js';
import { Areas } from './areas.js';
import { Drop } from './drop.js';
import { Feed } from './feed.js';
import { Hands } from './hands.js';
import { Places } from './places.js';
import { wordsFor } from './words.js';

let board = null; // {timeline, feed, hands, absence} of the page as it is

/** Fits what the page shows now; called again after every swap. */
export function settleBoard() {
  const place = document.querySelector('#lanes');
  const timeline = document.querySelector('resource-timeline');
  if (!place || !timeline) return;
  if (board?.timeline !== timeline) board = made(timeline, place);
  const { feed } = board;
  if (feed.url !== place.dataset.liveUrl) {
    feed.url = place.dataset.liveUrl;
    feed.refresh();
  }
  const chosen = place.dataset.selected;
  if (chosen !== board.chosen && timeline.selected.length < 2) timeline.selected = chosen ? [chosen] : [];
  board.chosen = chosen;
}

/** Reads the lanes again when they are what the news is about; false for anything else. */
export function heard(element) {
  if (element.id !== 'lanes' || !board) return false;
  board.feed.refresh();
  return true;
}

/** A card of the queue goes into the hand. */
export function carryCard(card) {
  board?.hands.carry(card);
}

export function pressCard(card, event) {
  board?.hands.press(card, event);
}

/** Asks for whom, when and why somebody will be absent. */
export function beginAbsence() {
  board?.absence.begin();
}

function made(timeline, place) {
  const looks = JSON.parse(document.querySelector('#board-looks').textContent);
  const { zone } = place.dataset;
  const fold = document.querySelector('#board-map');
  timeline.words = wordsFor(zone);
  const places = new Places(timeline, fold, looks, open);
  const feed = new Feed(timeline, looks, places);
  const hands = new Hands(timeline, new Drop(timeline, feed));
  new Areas({ timeline, feed, places, fold, zone }); // listens by itself
  const absence = new Absence({ timeline, zone });
  timeline.addEventListener('timeline-select', ({ detail: { ids } }) => { if (ids.length === 1) setTimeout(() => { if (!timeline.dataset.moving) open(ids[0]); }); });
  timeline.addEventListener('timeline-open', ({ detail: { id } }) => open(id));
  return { timeline, feed, hands, absence, chosen: '' };
}

// The drawer of a visit, by a link that htmx follows in place.
function open(id) {
  const link = document.querySelector('#open-visit');
  const url = new URL(location.href);
  if (!/^\d+$/.test(id) || url.searchParams.get('visit') === id) return;
  url.searchParams.delete('order');
  url.searchParams.set('visit', id);
  link.href = url.pathname + url.search;
  link.click();
}
