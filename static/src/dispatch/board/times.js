// Moments as fields of forms hold them, in the company's time zone, whatever the browser's is.

import { MINUTE } from '../timeline/pieces.js';

const STEP = 5 * MINUTE;

/** 'YYYY-MM-DDTHH:MM' of a moment, for datetime-local. */
export function typed(moment, zone) {
  const told = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(moment);
  return told.replace(' ', 'T').slice(0, 16);
}

/** The moment that was typed, as ISO 8601 in UTC; '' for what is none. */
export function meant(text, zone) {
  const asUtc = Date.parse(`${text}Z`);
  if (Number.isNaN(asUtc)) return '';
  const ahead = Date.parse(`${typed(asUtc, zone)}Z`) - asUtc; // of the zone, then
  return new Date(asUtc - ahead).toISOString();
}

/** The beginning of a day, so many days after today, as a field holds it. */
export function midnight(now, zone, days) {
  return `${typed(now + days * 24 * 60 * MINUTE, zone).slice(0, 10)}T00:00`;
}

/** The last full five minutes, or the next ones. */
export function round(moment, up = false) {
  return (up ? Math.ceil : Math.floor)(moment / STEP) * STEP;
}
