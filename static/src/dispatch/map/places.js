// What the map was told: stations, people, jobs and areas by id, where they lie, and which job is whose how many-th.

import { box } from './squares.js';

export const LISTS = { station: 'stations', person: 'people', job: 'jobs', area: 'areas' };

export class Places {
  station = new Map(); // id → {kind, id, data, x, y}, x and y in km
  person = new Map(); // and {stops}: the route as things
  job = new Map(); // and {stop: {person, number}} when somebody goes there
  area = new Map(); // and {corners, box}; alone in {things}, as a mark
  names = []; // the quiet labels, most important first
  before = []; // the routes to compare with: [{person, stops}]

  load(data) {
    for (const [kind, list] of Object.entries(LISTS)) {
      this[kind].clear();
      for (const one of data[list] ?? []) this.put(kind, one);
    }
    this.names = (data.labels ?? []).map(one => ({ data: one })).sort((a, b) => a.data.rank - b.data.rank);
  }

  /** What has no place yet is not shown. */
  put(kind, one) {
    if (kind === 'area' ? one.points.length : Number.isFinite(one.lat)) this[kind].set(one.id, { kind, id: one.id, data: one });
    else this[kind].delete(one.id);
  }

  get(ref) {
    return ref ? this[ref.kind]?.get(ref.id) : undefined;
  }

  /** Every place as [lat, lon]; the labels only when there is nothing else. */
  degrees() {
    const own = [...this.station.values(), ...this.person.values(), ...this.job.values()].map(({ data }) => [data.lat, data.lon]);
    for (const { data } of this.area.values()) own.push(...data.points);
    return own.length ? own : this.names.map(({ data }) => [data.lat, data.lon]);
  }

  project(ground) {
    const place = thing => Object.assign(thing, ground.project(thing.data.lat, thing.data.lon));
    for (const kind of ['station', 'person', 'job']) this[kind].forEach(place);
    this.names.forEach(place);
    for (const area of this.area.values()) {
      area.corners = area.data.points.map(point => ground.project(...point));
      area.things = [area];
      area.box = box(area.corners);
      area.x = (area.box.left + area.box.right) / 2;
      area.y = area.box.top;
    }
  }

  /** Routes as things; a job that is not shown is left out of them. */
  link(compare) {
    for (const job of this.job.values()) job.stop = null;
    for (const person of this.person.values()) {
      person.stops = this.#stops(person.data.route);
      person.stops.forEach((job, at) => { job.stop = { person, number: at + 1, of: person.stops.length }; });
    }
    this.before = (compare ?? []).map(({ id, route }) => ({ person: this.person.get(id), stops: this.#stops(route) }))
      .filter(({ person }) => person);
    for (const person of this.person.values()) person.changed = false;
    for (const { person, stops } of this.before) {
      person.changed = stops.length !== person.stops.length || stops.some((job, at) => job !== person.stops[at]);
    }
  }

  #stops(route) {
    return (route ?? []).map(id => this.job.get(id)).filter(Boolean);
  }
}
