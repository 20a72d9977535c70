// What is in the window as a list: stations, then each technician and the stops in their order, then the other jobs and
// the areas. Nobody sees it; screen readers read it, and the keyboard stands on one of its entries.

import { make } from '../timeline/pieces.js';
import { around } from './squares.js';
import { group } from './view.js';

export class List {
  #entries = []; // marks
  #at = -1;

  constructor(scene) {
    this.scene = scene;
    this.stage = scene.view.stage;
  }

  /** The mark the keyboard stands on. */
  get mark() {
    return this.#entries[this.#at];
  }

  /** Reads what is shown; the keyboard stays where it stood when that is still there. True if its mark is another one. */
  refresh() {
    const { scene, stage } = this;
    const before = this.mark;
    const stood = before?.things[0];
    const seen = new Set();
    for (const thing of order(scene.places)) {
      const mark = scene.markOf(thing);
      if (scene.ground.sees(thing.box ?? around(mark.x, mark.y, 0))) seen.add(mark);
    }
    this.#entries = [...seen];
    const again = stood && scene.places.get(stood); // perhaps with other facts
    this.#at = again ? this.#entries.findIndex(({ things }) => things.includes(again)) : -1;
    while (stage.children.length > this.#entries.length) stage.lastChild.remove();
    this.#entries.forEach((mark, at) => this.#write(stage.children[at] ?? stage.appendChild(make('div', 'sr', { role: 'option', id: `${scene.view.id}-${at}` })), mark));
    this.#mark();
    return this.mark !== before;
  }

  #write(option, mark) {
    const text = name(mark, this.scene.words);
    if (option.textContent !== text) option.textContent = text;
    option.setAttribute('aria-selected', mark.things.includes(this.scene.chosen));
  }

  #mark() {
    if (this.mark) this.stage.setAttribute('aria-activedescendant', this.stage.children[this.#at].id);
    else this.stage.removeAttribute('aria-activedescendant');
  }

  /** To the next one or the one before; false beyond the ends. */
  step(by) {
    return this.#stand(this.mark ? this.#at + by : by > 0 ? 0 : this.#entries.length - 1);
  }

  end(last) {
    return this.#stand(last ? this.#entries.length - 1 : 0);
  }

  leave() {
    this.#at = -1;
    this.#mark();
  }

  #stand(at) {
    if (!this.#entries[at]) return false;
    this.#at = at;
    this.#mark();
    return true;
  }
}

function* order({ station, person, job, area }) {
  yield* station.values();
  for (const one of person.values()) {
    yield one;
    yield* one.stops;
  }
  for (const one of job.values()) if (!one.stop) yield one;
  yield* area.values();
}

function name(mark, words) {
  const { kind, things } = mark;
  const [{ data, stop, stops }] = things;
  if (things.length > 1) return group(mark, words);
  const more = { job: stop && { person: stop.person.data, number: stop.number, of: stop.of }, person: { count: stops?.length } }[kind];
  return words[kind]?.(data, more) ?? data.title;
}
