// Time to pixels and back. The axis shows spans of time one after another; hours between them are cut out.

import { HOUR, MINUTE } from './pieces.js';

const LEAST_HOUR = { day: 40, days: 18 }; // px: below that the timeline scrolls sideways
const TINY = 5; // px: what lies in hidden hours is still drawn, at the edge of its day

export class Axis {
  /** @param {number} room pixels that the axis may fill */
  constructor({ start, end, axis, snapMin = 5 }, room) {
    let before = 0;
    this.spans = (axis?.length ? axis : [{ start, end }]).map(span => {
      const placed = { ...span, before };
      before += span.end - span.start;
      return placed;
    });
    this.shown = before;
    this.grain = snapMin * MINUTE;
    this.first = this.spans[0].start;
    this.last = this.spans.at(-1).end;
    this.days = this.last - this.first > 24 * HOUR;
    this.hour = Math.max((room * HOUR) / before, LEAST_HOUR[this.days ? 'days' : 'day']);
    this.width = Math.round((before / HOUR) * this.hour);
  }

  /** Where a moment stands, in pixels; moments that are cut out stand at the edge. */
  x(moment) {
    return (this.#shownBefore(moment) / HOUR) * this.hour;
  }

  /** The moment at a place; where two spans meet, the later one's start. */
  time(x) {
    return this.#moment((x / this.hour) * HOUR);
  }

  snap(moment) {
    return Math.round(moment / this.grain) * this.grain;
  }

  /** The moment so much shown time later: a step over the end of a day lands in the next one. */
  step(moment, by) {
    const later = Math.min(Math.max(this.#shownBefore(moment) + by, 0), this.shown - this.grain);
    return this.snap(this.#moment(later));
  }

  /** Left edge and width in whole pixels, or null when it is not on this axis. */
  box(start, end) {
    if (end <= this.first || start >= this.last) return null;
    const left = Math.min(Math.round(this.x(start)), this.width - TINY);
    return { left, width: Math.max(Math.round(this.x(end)) - left, TINY) };
  }

  #shownBefore(moment) {
    for (const { start, end, before } of this.spans) {
      if (moment < start) return before;
      if (moment < end) return before + moment - start;
    }
    return this.shown;
  }

  #moment(shown) {
    for (const { start, end, before } of this.spans) if (shown < before + end - start) return start + Math.max(0, shown - before);
    return this.last;
  }
}
