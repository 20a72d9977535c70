// The page of benchmarks/timeline.py: one plan of any size, and the plain drawing it is compared with, which puts
// every lane and bar into the document and draws all of them again when something changes.

const HOUR = 3_600_000;
const MINUTE = 60_000;
const EIGHT = Date.parse('2026-11-25T08:00:00+08:00');
const LOOKS = [
  { tone: 'mute', icon: 'check', done: true, movable: false }, { tone: 'ok', icon: 'wrench', movable: false },
  { tone: 'info', icon: 'check', movable: true }, { tone: 'info', icon: 'arrow-right', movable: true },
  { tone: 'mute', icon: 'circle', proposed: true, movable: true },
];
const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Shanghai', hour: '2-digit', minute: '2-digit' });
const sprite = document.body.dataset.sprite;

// Every technician has the same number of visits, one after another; the third is the one that is dragged.
function plan(people, count) {
  const each = count / people;
  const days = each > 10 ? 7 : 1;
  const axis = Array.from({ length: days }, (_, day) => ({ start: EIGHT + day * 24 * HOUR, end: EIGHT + (day * 24 + 10) * HOUR }));
  const room = (10 * HOUR * days) / each;
  const lanes = Array.from({ length: people }, (_, number) => ({
    id: `t${number}`, group: `s${Math.floor(number / 20)}`, title: `Technician ${number + 1}`, menu: true,
    shifts: axis.map(({ start, end }) => ({ start, end: end - HOUR })),
    breaks: axis.map(({ start }) => ({ start: start + 4 * HOUR, end: start + 4.75 * HOUR })),
  }));
  const bars = lanes.flatMap((lane, row) => Array.from({ length: each }, (_, number) => {
    const shown = number * room;
    const day = Math.floor(shown / (10 * HOUR));
    const start = axis[day].start + shown - day * 10 * HOUR;
    const late = (row + number) % 5 ? {} : { expected: { start: start + 0.1 * room, end: start + 0.95 * room, at: start + 0.1 * room } };
    return {
      id: `v${row}-${number}`, lane: lane.id, start, end: start + Math.max(room * 0.8, 10 * MINUTE), title: `Spindle growth ${row}`, short: `WO-2026-${100000 + row * each + number}`,
      priority: `P${1 + ((row + number) % 4)}`, travelMin: (room * 0.15) / MINUTE, risk: (row + number) % 9 === 0, pinned: (row + number) % 11 === 0, parts: (row + number) % 13 ? 'ready' : 'missing',
      version: 1, ...late, ...LOOKS[number === 2 ? 2 : (row * 7 + number) % LOOKS.length],
    };
  }));
  const groups = Array.from({ length: Math.ceil(people / 20) }, (_, number) => ({ id: `s${number}`, title: `Station ${number + 1}`, note: '82 % loaded' }));
  return { start: axis[0].start, end: axis.at(-1).end, axis, now: EIGHT + 2.5 * HOUR, snapMin: 5, groups, lanes, bars };
}

const words = {
  menu: ({ title }) => title, expected: ({ expected: { at } }) => `≈ ${clock.format(at)}`,
  label: 'Timeline', lanes: 'Technicians', axis: 'Time', help: '', empty: '', hour: (moment, short) => clock.format(moment).slice(0, short ? 2 : 5),
  day: moment => new Date(moment).toDateString(), time: moment => clock.format(moment),
  bar: (bar, lane) => `${bar.short}, ${bar.title}, ${lane.title}, ${clock.format(bar.start)}–${clock.format(bar.end)}`,
};

class Plain {
  constructor(room) {
    this.room = room;
    room.className = 'plain';
    room.addEventListener('pointerdown', event => { this.held = event.target.closest('.tml-bar'); this.from = event.clientX; });
    addEventListener('pointermove', event => this.move(event));
    addEventListener('pointerup', () => { this.held = null; });
  }

  set data(data) {
    this.plan = data;
    this.draw();
  }

  x(moment) {
    const { axis } = this.plan;
    const day = axis.findIndex(({ end }) => moment <= end);
    return ((day * 10 * HOUR + moment - axis[day].start) / (axis.length * 10 * HOUR)) * 100;
  }

  box(className, { start, end }, content = '', more = '') {
    return `<div class="${className}" style="left:${this.x(start)}%;width:${this.x(end) - this.x(start)}%" ${more}>${content}</div>`;
  }

  draw() {
    const icon = name => `<svg class="i" aria-hidden="true"><use href="${sprite}#${name}"/></svg>`;
    const template = document.createElement('template');
    template.innerHTML = this.plan.groups.map(group => `<div class="tml-station">${group.title}</div>${this.plan.lanes.filter(lane => lane.group === group.id).map(lane => `<div class="tml-row">
      <div class="tml-who"><b>${lane.title}</b></div><div class="tml-track">${lane.shifts.map(one => this.box('tml-shift', one)).join('')}${lane.breaks.map(one => this.box('tml-break', one)).join('')}
      ${this.plan.bars.filter(bar => bar.lane === lane.id).map(bar => this.box('tml-bar', bar, `${icon(bar.icon)}<span class="cut">${bar.title}</span>${bar.pinned ? icon('pin') : ''}${bar.risk ? icon('triangle-alert') : ''}`, `data-id="${bar.id}" data-s="${bar.tone}" tabindex="-1" role="button" aria-label="${words.bar(bar, lane)}"`)).join('')}</div></div>`).join('')}`).join('');
    for (const element of template.content.querySelectorAll('[style]')) { // the policy of our pages allows no style attributes
      const [left, width] = element.getAttribute('style').match(/[\d.]+/g);
      element.removeAttribute('style');
      Object.assign(element.style, { left: `${left}%`, width: `${width}%` });
    }
    this.room.replaceChildren(template.content);
  }

  move({ clientX, clientY }) {
    if (!this.held) return;
    const lane = document.elementFromPoint(clientX, clientY)?.closest('.tml-row')?.querySelector('.tml-track');
    if (lane && lane !== this.held.parentElement) lane.append(this.held);
    this.held.style.transform = `translateX(${clientX - this.from}px)`;
  }

  upsert(bars) {
    const news = new Map(bars.map(bar => [bar.id, bar]));
    this.plan.bars = this.plan.bars.map(bar => news.get(bar.id) ?? bar);
    this.due ??= requestAnimationFrame(() => { this.due = null; this.draw(); });
  }
}

let shown;

/** Draws the plan; milliseconds until it is on the screen. */
window.show = async (people, count, plain) => {
  const element = document.querySelector('resource-timeline');
  if (plain) element.replaceWith(Object.assign(document.createElement('div'), { id: 'plain' }));
  shown = plain ? new Plain(document.querySelector('#plain')) : Object.assign(element, { words });
  const data = plan(people, count);
  await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
  const began = performance.now();
  shown.data = data;
  await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))));
  return performance.now() - began;
};

/** Frames of what happens between the two calls, and news at so many a second. */
window.watch = rate => {
  const bars = (shown.data ?? shown.plan).bars;
  const watched = { frames: 0, worst: 0, began: 0, last: 0, sent: 0 };
  const frame = now => {
    watched.began ||= now;
    if (watched.last) watched.worst = Math.max(watched.worst, now - watched.last);
    watched.last = now;
    watched.frames += 1;
    if (!watched.over) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const began = performance.now();
  const news = rate && setInterval(() => {
    for (const due = ((performance.now() - began) / 1000) * rate; watched.sent < due; watched.sent += 1) {
      const number = (watched.sent * 37) % Math.min(bars.length, 400);
      if (bars[number].id.endsWith('-2')) continue; // not the one in the hand
      bars[number] = { ...bars[number], version: bars[number].version + 1, risk: !bars[number].risk };
      shown.upsert([bars[number]]);
    }
  }, 10);
  window.watched = () => {
    watched.over = true;
    clearInterval(news);
    return { fps: ((watched.frames - 1) * 1000) / (watched.last - watched.began), worst: watched.worst, sent: watched.sent };
  };
};
