// Moments are texts with the station's offset, `2026-11-25T08:25:00+08:00`, so that a tablet set to another zone
// still shows the clock on the customer's wall.

import { span } from '../foundation/clocks.js';

const MINUTE = 60_000;

/** `ms` since 1970 as such a text, in the offset of `like`. */
export function stamp(ms, like) {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(like);
  const shift = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE;
  return new Date(ms + shift).toISOString().slice(0, 19) + like.slice(-6);
}

/** `08:25` */
export const clock = moment => moment.slice(11, 16);

/** The calendar day of a moment. */
export const day = moment => moment.slice(0, 10);

/** `25 Nov, Wed` */
export function dayText(moment, options = { weekday: 'short', day: 'numeric', month: 'short' }) {
  const language = document.documentElement.lang;
  return new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(new Date(`${day(moment)}T00:00:00Z`));
}

/** The clock alone today, with the weekday on other days. */
export function when(moment, now) {
  return day(moment) === day(now) ? clock(moment) : `${dayText(moment, { weekday: 'short' })} ${clock(moment)}`;
}

/** Minutes from one moment to another. */
export const minutes = (from, to) => (Date.parse(to) - Date.parse(from)) / MINUTE;

/** Minutes in words. */
export const length = count => span(Math.max(0, Math.round(count)) * 60);
