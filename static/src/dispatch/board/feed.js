// Fills the timeline and keeps it up to date: what is new is told bar by bar, so that selection, scrolling and a drag stay.

import { t } from '../../foundation/texts.js';
import { ask } from './server.js';

const MINUTE = 60_000;

export class Feed {
  url = '';
  #timeline;
  #looks;
  #places;
  #known = new Map(); // bar → what was told of it last
  #frame = ''; // lanes and hours that are shown
  #latest = null; // question to the server
  #late = false; // lanes changed while something was in the hand
  #ahead = 0; // of our clock, in ms

  constructor(timeline, looks, places) {
    this.#timeline = timeline;
    this.#places = places;
    this.#looks = looks;
    for (const end of ['drop', 'cancel', 'refuse', 'resize']) timeline.addEventListener(`timeline-${end}`, () => this.#caughtUp());
    setInterval(() => { if (timeline.data && timeline.isConnected) timeline.now = Date.now() + this.#ahead; }, MINUTE / 2);
    setInterval(() => { if (!document.hidden && timeline.isConnected) this.refresh(); }, MINUTE); // what is at risk goes with time
  }

  /** Reads the lanes again; quietly, when that fails the next news asks again. Ends when the latest answer is there. */
  async refresh() {
    const question = ask(this.url).catch(() => null);
    this.#latest = question;
    const data = await question;
    if (question !== this.#latest) await this.#latest; // somebody asked again meanwhile: that answer is taken
    else if (data) this.#take(data);
  }

  #take(data) {
    const timeline = this.#timeline;
    const bars = data.bars.map(bar => this.#dressed(bar));
    const frame = JSON.stringify([data.axis, data.lanes.map(lane => ({ ...lane, note: '', warn: false })), data.groups.map(group => group.id)]);
    this.#ahead = data.now - Date.now();
    document.querySelector('#lanes-truncated').hidden = !data.truncated;
    this.#late = frame !== this.#frame && Boolean(this.#held());
    if (this.#late) return; // to put other lanes under what is in the hand would take it out of it
    if (frame === this.#frame) this.#differences(bars);
    else timeline.data = { ...data, bars };
    this.#frame = frame;
    this.#places.show(data.places, bars, data.areas);
    this.#known = new Map(bars.map(bar => [bar.id, JSON.stringify(bar)]));
    timeline.note(byId(data.groups), byId(data.lanes));
    timeline.now = data.now;
  }

  #differences(bars) {
    const changed = bars.filter(bar => this.#known.get(bar.id) !== JSON.stringify(bar));
    const there = new Set(bars.map(bar => bar.id));
    this.#timeline.upsert(changed);
    this.#timeline.remove([...this.#known.keys()].filter(id => !there.has(id)));
  }

  #held() {
    return this.#timeline.dataset.moving || document.querySelector('#drop')?.open;
  }

  #caughtUp() {
    if (this.#late) this.refresh();
  }

  #dressed(bar) {
    const { tone, icon, word } = this.#looks[bar.state] ?? { tone: 'mute', icon: 'circle', word: '' };
    const risks = { promise: t('after the promised arrival'), window: t('after the time told to the customer'), start: t('should be on the way') };
    return { ...bar, tone, icon, word, riskWord: risks[bar.risk] ?? '' };
  }
}

function byId(list) {
  return new Map(list.map(one => [one.id, one]));
}
