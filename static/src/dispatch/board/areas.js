// Slow areas on the map of the board: drawn, told about in a form, listed for everybody, ended before their time.

import { t } from '../../foundation/texts.js';
import { toast } from '../../foundation/toast.js';
import { icon } from '../timeline/icons.js';
import { make, MINUTE } from '../timeline/pieces.js';
import { refuse } from './refusals.js';
import { ask, newKey } from './server.js';
import { meant, midnight, round, typed } from './times.js';

const CALLS = '/api/v1/dispatch/slow-areas';
const USUALLY = 3 * 60 * MINUTE; // an area holds, until somebody says otherwise

export class Areas {
  #timeline;
  #feed;
  #places;
  #map;
  #fold;
  #zone;
  #tools;
  #form = document.querySelector('#area-form'); // missing for whoever only looks
  #done = document.querySelector('#area-done');
  #points = null;
  #key = '';

  constructor({ timeline, feed, places, fold, zone }) {
    this.#timeline = timeline;
    this.#feed = feed;
    this.#places = places;
    this.#fold = fold;
    this.#zone = zone;
    this.#map = fold.querySelector('dispatch-map');
    this.#tools = fold.querySelector('.map-tools');
    places.follow = areas => this.#list(areas);
    if (!this.#form) return;
    this.#listenToMap();
    this.#tools.addEventListener('click', ({ target }) => this.#pressed(target.closest('button')?.dataset ?? {}));
    fold.addEventListener('toggle', () => { if (!fold.open) this.#stop(); });
    this.#form.addEventListener('submit', event => { event.preventDefault(); this.#send(); });
    this.#form.addEventListener('input', () => { this.#key = newKey(); });
    this.#form.addEventListener('click', ({ target }) => this.#pressed(target.closest('button')?.dataset ?? {}));
    this.#dialog.addEventListener('close', () => { if (!this.#map.drawing) this.#places.draft = null; });
  }

  get #dialog() {
    return this.#form.closest('dialog');
  }

  #listenToMap() {
    this.#map.addEventListener('map-corner', ({ detail: { count } }) => this.#count(t('%(count)s corners', { count })));
    this.#map.addEventListener('map-few', ({ detail: { least } }) => this.#count(t('At least %(least)s corners', { least }), true));
    this.#map.addEventListener('map-area', ({ detail: { points } }) => this.#drawn(points));
    this.#map.addEventListener('map-cancel', () => { this.#stop(); this.#tools.querySelector('[data-draw]').focus(); });
  }

  #pressed({ draw, finish, giveUp, until, again }) {
    if (draw !== undefined || again !== undefined) this.#draw();
    else if (finish !== undefined) this.#map.finish();
    else if (giveUp !== undefined) this.#stop();
    else if (until) this.#until(until);
  }

  // Drawing ----------------------------------------------------------------------------------------

  #draw() {
    if (this.#dialog.open) this.#dialog.close();
    this.#places.draft = null;
    this.#fold.open = true;
    this.#map.drawing = false; // what was begun is left
    this.#map.drawing = true;
    this.#tools.toggleAttribute('data-pen', true);
    this.#map.querySelector('.dmap-stage').focus();
  }

  #stop() {
    this.#map.drawing = false;
    this.#tools.removeAttribute('data-pen');
  }

  #count(text, warn = false) {
    const place = this.#tools.querySelector('[data-corners]');
    place.textContent = text;
    place.dataset.s = warn ? 'warn' : 'mute';
  }

  #drawn(points) {
    const { elements } = this.#form;
    const [option] = this.#form.querySelectorAll('input[name=factor]:checked');
    this.#tools.removeAttribute('data-pen');
    this.#points = points;
    this.#key = newKey();
    this.#places.draft = { id: 'draft', title: t('New slow area'), factor: Number(option.value), how: '', points };
    if (!elements.until.value || meant(elements.until.value, this.#zone) <= new Date(this.#timeline.now).toISOString()) this.#until('usual');
    refuse(this.#form, null);
    this.#dialog.showModal();
    elements.name.focus();
  }

  #until(which) {
    const { now } = this.#timeline;
    const hours = { usual: USUALLY, '2h': 2 * 60 * MINUTE, '4h': 4 * 60 * MINUTE }[which];
    this.#form.elements.until.value = hours ? typed(round(now + hours, true), this.#zone) : midnight(now, this.#zone, 1);
    this.#key = newKey();
  }

  async #send() {
    const { elements } = this.#form;
    const button = this.#form.querySelector('[type=submit]');
    if (button.ariaBusy === 'true') return;
    const until = meant(elements.until.value, this.#zone) || elements.until.value;
    const body = { station: elements.station.value, name: elements.name.value, factor: Number(elements.factor.value), until, corners: this.#points };
    button.ariaBusy = 'true';
    try {
      const told = await ask(CALLS, body, this.#key);
      this.#dialog.close();
      elements.name.value = '';
      await this.#feed.refresh();
      this.#tell(body.name, told);
    } catch (error) {
      refuse(this.#form, error, this.#timeline.sprite);
    } finally {
      button.ariaBusy = null;
    }
  }

  // What came of it: whom it makes late, and a plan that would help.
  #tell(name, { touched, anew }) {
    if (!touched.length) {
      toast(t('%(name)s is on the map. No planned visit comes late because of it.', { name }));
      return;
    }
    const done = this.#done;
    done.querySelector('h2').textContent = name;
    done.querySelector('[data-count]').textContent = t('Planned visits that come late because of it: %(count)s', { count: touched.length });
    done.querySelector('ul').replaceChildren(...touched.map(one => this.#line(one)));
    this.#offer(done.querySelector('form'), anew);
    done.showModal();
  }

  #line({ work_order: order, technician_id: technician, starts_at: start, missing_min: count }) {
    const lane = this.#timeline.data.lanes.find(({ id }) => id === String(technician));
    const item = make('li', 'row g6');
    const when = Object.assign(make('b', 'nowrap'), { textContent: typed(Date.parse(start), this.#zone).slice(5).replace('T', ' ') });
    const what = Object.assign(make('span', 'cut'), { textContent: [order, lane?.title].filter(Boolean).join(' · ') });
    const late = Object.assign(make('span', 'end nowrap tone', { 'data-s': 'warn' }), { textContent: t('%(count)s min late', { count }) });
    item.append(when, what, late);
    return item;
  }

  #offer(form, anew) {
    form.hidden = !anew;
    if (!anew) return;
    const inputs = Object.entries({ date: [anew.date], days: [anew.days], station: anew.stations })
      .flatMap(([name, values]) => values.map(value => make('input', '', { type: 'hidden', name, value })));
    form.querySelector('[data-wish]').replaceChildren(...inputs);
  }

  // All of them ------------------------------------------------------------------------------------

  #list(areas) {
    this.#tools.querySelector('.count').textContent = areas.length;
    const list = this.#tools.querySelector('ul');
    const nothing = Object.assign(make('li', 'i2'), { textContent: list.dataset.none });
    list.replaceChildren(...(areas.length ? areas.map(area => this.#item(area)) : [nothing]));
  }

  #item(area) {
    const item = make('li');
    const title = Object.assign(make('button', 'btn btn-quiet', { type: 'button' }), { textContent: area.title });
    title.addEventListener('click', () => this.#show(area));
    const facts = [area.how, area.until, area.who && t('drawn by %(name)s', { name: area.who })];
    item.append(title, Object.assign(make('span', 'i2'), { textContent: facts.filter(Boolean).join(' · ') }));
    if (!area.mine) return item;
    const end = make('button', 'btn btn-s', { type: 'button' });
    end.append(icon(this.#timeline.sprite, 'x'), t('End now'), Object.assign(make('span', 'sr'), { textContent: ` ${area.title}` }));
    end.addEventListener('click', () => this.#end(area, end));
    item.append(end);
    return item;
  }

  #show({ id }) {
    this.#map.selected = { kind: 'area', id };
    this.#map.reveal('area', id);
  }

  async #end(area, button) {
    button.disabled = true;
    try {
      await ask(`${CALLS}/${area.id}/end`, {});
      toast(t('%(name)s has ended', { name: area.title }), { undo: () => this.#takeBack(area) });
    } catch (error) {
      toast(error.message);
    }
    this.#tools.querySelector('summary').focus();
    this.#feed.refresh();
  }

  // The same once more, for as long as it was to hold.
  async #takeBack({ title: name, factor, points: corners, untilAt: until, station: id }) {
    const station = this.#form.querySelector(`[data-station="${id}"]`)?.value ?? '';
    await ask(CALLS, { station, name, factor, corners, until }, newKey()).catch(error => toast(error.message));
    this.#feed.refresh();
  }
}
