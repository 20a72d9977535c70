// <dispatch-map>: stations, technicians, jobs and routes on a plain ground, without tiles or any other picture from
// outside. It is fed with plain data and tells by DOM events what somebody does; it knows neither server nor language.
//
// Properties
//   data      {stations, people, jobs, areas, labels}; places are degrees, and what has none is left out. The first data
//             are fitted into the window, later ones leave it where it is.
//               stations: {id, lat, lon, title}
//               people:   {id, lat, lon, title, short, tone, about, route: [ids of jobs in order]}
//               jobs:     {id, lat, lon, title, tone, short, about}; tone: ok, warn, bad, info or mute, each with
//                         its sign; short: beside the pins of a route that stands out
//               areas:    {id, title, points: [[lat, lon]], factor} and whatever words.slow needs, as the end
//               labels:   {lat, lon, title, rank}: quiet names, 1 before 2; those that collide are left out
//   words     every text: label, help, empty, fit, zoomIn, zoomOut; as functions: station(station), person(person,
//             {count}), job(job, {person, number, of} of its route or nothing), area(area), which name all that matters;
//             as function of the facts or text with %(name)s: scale {km}, slow (of an area: all of it), factor (when there is no room for
//             that), group {kind, count,
//             tones: {tone: count}}; and what is announced: view {km, count}, opened {count}, drawing, point {count, lat,
//             lon}, few {count, least}, closed {count}, cancelled
//   sprite    address of the icons of the buttons, also as attribute
//   highlight {kind, id} of what is pointed at elsewhere, or null; kind: station, person, job or area
//   selected  {kind, id} or null, set and read
//   compare   [{id of a person, route}] or null: routes as they were, dashed below those that are different now
//   drawing   whether an area is being drawn: points by click, Enter or a click on the first closes, Backspace takes one
//             back, Esc gives up; by keyboard arrows move a crosshair (Shift: further) and Space sets a point
//   view      {south, west, north, east} of the window, read only
//
// Methods
//   fit()                shows all
//   reveal(kind, id)     moves the window when that is not well in it
//   finish()             closes the outline that is being drawn, if it has corners enough
//   upsert(kind, things), remove(kind, ids)   what changed; drawn together in the next frame
//
// Events (bubbling): map-hover {kind, id} (nulls when it ends; kind group has {ids}) · map-select {kind, id} (nulls for
//   nothing) · map-area {points: [[lat, lon]]} · map-cancel {} (an area was given up) · map-corner {count, least} (one more or
//   less) · map-few {count, least} (too few to close) · map-view with the
//   view, when it stands still: which labels are of use

import { onTheme } from './colours.js';
import { Hands } from './hands.js';
import { Keys } from './keys.js';
import { Scene } from './scene.js';

export class DispatchMap extends HTMLElement {
  static observedAttributes = ['sprite'];
  #scene = new Scene(this);
  #keys = new Keys(this.#scene, new Hands(this.#scene));
  #size = new ResizeObserver(() => this.#scene.draw()); // at once, or the old drawing would be stretched for a frame
  #forget = null;

  connectedCallback() {
    const { view } = this.#scene;
    if (!view.stage.isConnected) this.replaceChildren(...view.nodes);
    this.#size.observe(view.stage);
    this.#forget = onTheme(() => this.#scene.renew('look'));
    this.#scene.renew('look');
  }

  disconnectedCallback() {
    this.#size.disconnect();
    this.#forget();
    this.#scene.stop();
  }

  attributeChangedCallback(_name, _before, address) {
    this.sprite = address;
  }

  get data() { return this.#scene.data; }
  set data(data) { this.#scene.load(data); }

  get words() { return this.#scene.words; }
  set words(words) {
    this.#scene.words = words;
    this.#scene.renew('look');
  }

  get sprite() { return this.#scene.sprite; }
  set sprite(address) {
    this.#scene.sprite = address;
    this.#scene.renew('look');
  }

  get selected() { return this.#scene.selected; }
  set selected(ref) {
    this.#scene.selected = ref;
    this.#scene.renew('light');
  }

  get highlight() { return this.#scene.highlight; }
  set highlight(ref) {
    this.#scene.highlight = ref;
    this.#scene.renew('light');
  }

  get compare() { return this.#scene.compare; }
  set compare(routes) {
    this.#scene.compare = routes;
    this.#scene.renew('places');
  }

  get drawing() { return this.#scene.pen.drawing; }
  set drawing(drawing) { this.#scene.pen.start(Boolean(drawing)); }

  get view() { return this.#scene.ground.view; }

  finish() { this.#scene.pen.finish(); }

  fit() { this.#scene.fit(); }

  reveal(kind, id) { this.#scene.reveal(kind, id); }

  upsert(kind, things) { this.#scene.put(kind, things); }

  remove(kind, ids) { this.#scene.drop(kind, ids); }
}
