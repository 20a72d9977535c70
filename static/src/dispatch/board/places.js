// The map below the timeline: the same visits where they are. What is pointed at in one stands out in the other.

import { t } from '../../foundation/texts.js';
import { mapWords } from '../map-words.js';

const KEPT = 'board-map'; // whether somebody keeps it open, on this device

export class Places {
  #fold;
  #map;
  #looks;
  #latest = null; // what is to be drawn once the map is open
  #draft = null; // an area that somebody is about to tell of
  follow = null; // is told of the slow areas, when they are others

  /** @param {(id: string) => void} open shows a visit in the drawer */
  constructor(timeline, fold, looks, open) {
    this.#fold = fold;
    this.#map = fold.querySelector('dispatch-map');
    this.#looks = looks;
    this.#map.words = mapWords({ ok: t('at work'), warn: t('at risk'), bad: t('late'), info: t('sent'), mute: t('planned') });
    fold.open = localStorage.getItem(KEPT) !== 'no';
    fold.addEventListener('toggle', () => {
      localStorage.setItem(KEPT, fold.open ? 'yes' : 'no');
      this.#draw();
    });
    timeline.addEventListener('timeline-hover', ({ detail: { id } }) => { this.#map.highlight = id ? { kind: 'job', id } : null; });
    this.#map.addEventListener('map-hover', ({ detail: { kind, id } }) => { timeline.highlight = kind === 'job' ? id : null; });
    this.#map.addEventListener('map-select', ({ detail: { kind, id } }) => {
      if (kind !== 'job') return;
      timeline.reveal(id);
      open(id);
    });
  }

  /** What the timeline shows, by place. */
  show(places, bars, areas) {
    const looks = new Map(bars.map(bar => [bar.id, bar]));
    const jobs = Object.entries(places.jobs).map(([id, [lat, lon]]) => {
      const bar = looks.get(id);
      return { id, lat, lon, title: bar.title, short: bar.short.slice(-6), tone: bar.risk ? 'warn' : bar.tone };
    });
    const told = JSON.stringify([places.stations, places.people, jobs, areas]);
    if (told === this.#latest?.told) return;
    this.#latest = { told, data: { stations: places.stations, people: places.people, jobs, areas, labels: [] } };
    this.#draw();
    this.follow?.(areas);
  }

  set draft(area) {
    this.#draft = area;
    if (area) this.#map.upsert('area', [area]);
    else this.#map.remove('area', ['draft']);
  }

  #draw() {
    if (!this.#fold.open || !this.#latest || this.#map.data === this.#latest.data) return;
    this.#map.data = this.#latest.data;
    if (this.#draft) this.draft = this.#draft;
  }
}
