// Every text of the timeline on the board, and how its times are written.

import { t } from '../../foundation/texts.js';

/** @param {string} zone the company's time zone, whatever the browser's is */
export function wordsFor(zone) {
  const locale = document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang;
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
  const days = new Intl.DateTimeFormat(locale, { timeZone: zone, month: 'short', day: 'numeric', weekday: 'short' });
  const time = moment => clock.format(moment);
  return {
    label: t('Timeline of technicians'),
    lanes: t('Technicians'),
    axis: t('Time of day'),
    menu: ({ title }) => t('More for %(name)s', { name: title }),
    help: `${t('Left of the first visit stands the menu of the technician.')} ${t('Arrows go between visits. Enter picks a visit up; arrows then move it in time and between technicians, with Shift by half an hour, with Alt its length. Enter drops, Escape gives back, Space selects.')}`,
    empty: t('No technicians here'),
    hour: (moment, short) => (short ? String(Number(time(moment).slice(0, 2))) : time(moment)),
    day: moment => days.format(moment),
    time,
    bar: (bar, lane) => name(bar, lane, time),
    expected: bar => `≈ ${time(bar.expected.at)}`,
    placing: ({ short }) => t('Placing %(number)s', { number: short.slice(-6) }),
    picked: t('Picked up %(title)s: %(lane)s %(start)s'),
    at: ({ lane, start, end, text }) => [`${lane} ${start}–${end}`, text].filter(Boolean).join('. '),
    dropped: t('%(title)s: %(lane)s %(start)s. Look at the consequences.'),
    resized: t('%(title)s: until %(end)s. Look at the consequences.'),
    refused: t('Not with %(lane)s: %(text)s'),
    cancelled: t('Given back'),
    taken: t('%(title)s was changed by somebody else'),
    fixed: t('%(title)s can no longer be moved'),
    selected: t('%(count)s selected'),
    settled: t('%(title)s is back where it was'),
  };
}

function name({ short, title, start, end, word, riskWord, parts, expected, pickup }, lane, time) {
  const late = expected && t('expected %(start)s–%(end)s', { start: time(expected.start), end: time(expected.end) });
  const lacks = { missing: t('parts missing'), arriving: t('parts on their way') }[parts];
  return [short, title, lane.title, `${time(start)}–${time(end)}`, word, late, riskWord, lacks, pickup?.title].filter(Boolean).join(', ');
}
