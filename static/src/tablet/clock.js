// The time on the server's clock, as far as this tablet can know it: its own clock and the offset measured at the last
// exchange. A tablet's clock may be set while there is no network; what was recorded stays in order all the same.

const SLOW = 5_000; // ms: an answer that took longer tells the time too vaguely
const SET = 2_000; // ms: a clock that moved back by more, against the browser's own stopwatch, was set

export class Clock {
  /** `offset`: server minus tablet, ms; `last`: the latest moment that was recorded. */
  constructor({ offset = 0, last = 0, wall = () => Date.now(), ran = () => performance.now() } = {}) {
    Object.assign(this, { offset, last, wall, ran, seen: { wall: wall(), ran: ran() }, measured: false });
  }

  /** Now, ms. */
  now() {
    const [wall, ran] = [this.wall(), this.ran()];
    const moved = (wall - this.seen.wall) - (ran - this.seen.ran);
    // Only a step back is certain: the stopwatch of some browsers rests while the tablet sleeps.
    if (moved < -SET) this.offset -= moved;
    this.seen = { wall, ran };
    return wall + this.offset;
  }

  /** The moment of something being recorded: never before what was recorded already. With the bare tablet's time. */
  record() {
    this.last = Math.max(this.now(), this.last);
    return { at: this.last, device: this.wall() };
  }

  /** The server told its time `told` (ms) between `sent` and `came` on our clock. */
  measure(told, sent, came) {
    if (came - sent > SLOW && this.measured) return;
    this.measured = true;
    this.offset = Math.round(told - (sent + came) / 2);
    this.seen = { wall: this.wall(), ran: this.ran() };
    this.last = Math.min(this.last, this.now()); // a clock that ran ahead does not hold later records back
  }
}
