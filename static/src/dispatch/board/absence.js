// Somebody will be absent: from the head of a lane or from the bar above, a form that says what it touches, then a plan.

import { t } from '../../foundation/texts.js';
import { make } from '../timeline/pieces.js';
import { refuse } from './refusals.js';
import { ask, newKey, technicianOf } from './server.js';
import { meant, midnight, round, typed } from './times.js';

const NAMES = { from: 'from', to: 'to', starts_at: 'from', ends_at: 'to' };

export class Absence {
  #timeline;
  #zone;
  #form = document.querySelector('#absence-form'); // missing for whoever only looks
  #menu = document.querySelector('#lane-menu');
  #lane = '';
  #asked = null; // latest question to the server
  #key = '';

  constructor({ timeline, zone }) {
    this.#timeline = timeline;
    this.#zone = zone;
    if (!this.#form) return;
    timeline.addEventListener('timeline-menu', ({ detail }) => this.#open(detail));
    this.#menu.addEventListener('click', ({ target }) => { if (target.closest('[data-absent-lane]')) this.#begin(this.#lane); });
    this.#form.addEventListener('submit', event => { event.preventDefault(); this.#send(); });
    this.#form.addEventListener('change', ({ target }) => this.#changed(target));
    this.#form.addEventListener('input', () => { this.#key = newKey(); });
  }

  /** From the bar above: for whoever's visit is chosen, or the first. */
  begin() {
    const [chosen] = this.#timeline.selected;
    this.#begin(this.#timeline.bar(chosen)?.lane);
  }

  #open({ lane, at }) {
    const { right, bottom } = at.getBoundingClientRect();
    this.#lane = lane;
    this.#menu.querySelector('b').textContent = this.#timeline.data.lanes.find(({ id }) => id === lane)?.title ?? '';
    this.#menu.showPopover();
    this.#menu.style.inset = `${Math.round(Math.min(bottom + 2, innerHeight - this.#menu.offsetHeight - 8))}px auto auto ${Math.round(Math.max(8, right - this.#menu.offsetWidth))}px`;
    this.#menu.querySelector('button').focus();
  }

  #begin(lane) {
    const { technician, when } = this.#form.elements;
    const lanes = this.#timeline.data?.lanes.filter(({ menu }) => menu) ?? [];
    const people = new Map(lanes.map(({ id, title }) => [technicianOf(id), title]));
    this.#menu.hidePopover();
    technician.replaceChildren(...[...people].map(([value, title]) => Object.assign(make('option', '', { value }), { textContent: title })));
    technician.value = [technicianOf(lane ?? ''), ...people.keys()].find(id => people.has(id)) ?? '';
    when.value = 'rest';
    this.#fill('rest');
    refuse(this.#form, null);
    this.#form.closest('dialog').showModal();
    this.#look();
  }

  #changed({ name, value }) {
    if (name === 'when') this.#fill(value);
    if (name === 'from' || name === 'to') this.#form.elements.when.value = 'several';
    this.#look();
  }

  #fill(when) {
    const { now } = this.#timeline;
    const { from, to } = this.#form.elements;
    this.#key = newKey();
    from.value = when === 'tomorrow' ? midnight(now, this.#zone, 1) : typed(round(now), this.#zone);
    to.value = midnight(now, this.#zone, { rest: 1, tomorrow: 2, several: 3 }[when]);
  }

  // What it would touch, told before anybody asks for a plan.
  async #look() {
    const { technician, from, to, cause } = this.#form.elements;
    const place = this.#form.querySelector('[data-touched]');
    const query = new URLSearchParams({ from: meant(from.value, this.#zone), to: meant(to.value, this.#zone), cause: cause.value });
    const question = ask(`${this.#address(technician.value)}?${query}`).catch(error => ({ error }));
    this.#asked = question;
    const told = await question;
    if (question !== this.#asked) return;
    refuse(this.#form, null);
    const count = told.work_orders?.length;
    place.dataset.s = told.error || told.hindrance ? 'bad' : count ? 'info' : 'ok';
    place.textContent = told.error?.message || told.hindrance || (count ? t('Planned visits that others would have to do, or at another time: %(count)s', { count }) : t('No planned visit is touched.'));
  }

  async #send() {
    const { technician, from, to, cause } = this.#form.elements;
    const button = this.#form.querySelector('[type=submit]');
    if (button.ariaBusy === 'true') return;
    button.ariaBusy = 'true';
    try {
      const body = { from: meant(from.value, this.#zone) || from.value, to: meant(to.value, this.#zone) || to.value, cause: cause.value };
      const { id } = await ask(this.#address(technician.value), body, this.#key);
      location.assign(`/dispatch/plans/${id}`); // the button stays busy until the plan is there
    } catch (error) {
      refuse(this.#form, error, this.#timeline.sprite, NAMES);
      button.ariaBusy = null;
    }
  }

  #address(technician) {
    return `/api/v1/dispatch/technicians/${technician}/absence`;
  }
}
