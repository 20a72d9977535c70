// Arrived: the position is read once, only with consent, and never holds anybody up (N-14). The server judges it again
// (workorders/onsite/arriving.py) and keeps it only for somebody on duty.

import { html, nothing } from 'lit/html.js';
import { t } from '../foundation/texts.js';
import { askReason } from './ask.js';
import { card } from './pieces.js';

const PATIENCE = 4000; // ms: then it is "by hand, no position"
const NEAR = 300; // metres around the site
const ROUGH = 1000; // a reading that may be out by more says nothing
const EARTH = 6_371_009;
const NOBODYS = { version: null }; // consent belongs to no visit

let asking = false;

/** Check in; `act` gets what goes with the step. */
export async function arrive(app, visit, act) {
  if (asking) return null;
  asking = true;
  const place = await position(app).finally(() => { asking = false; });
  const away = place && visit.site.point ? metres(place, visit.site.point) : null;
  const facts = { check_in: 'hand', ...(place ? { position: place } : {}) };
  if (away === null || place.accuracy_m > ROUGH) return act(facts);
  if (away <= NEAR + place.accuracy_m) return act({ ...facts, check_in: 'geofence' });
  return askReason(app, t('You are %(n)s m from the site. Why do you check in here?', { n: Math.round(away) }),
    [t('The place on the map is wrong'), t('I meet the customer here'), t('The position is wrong')], reason => act({ ...facts, reason }));
}

function position(app) {
  if (!app.shown.location?.given || !navigator.geolocation) return Promise.resolve(null);
  return new Promise(resolve => {
    setTimeout(() => resolve(null), PATIENCE + 100); // some engines forget their own time limit
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ latitude: coords.latitude, longitude: coords.longitude, accuracy_m: Math.round(coords.accuracy) }),
      () => resolve(null),
      { timeout: PATIENCE, maximumAge: 60_000, enableHighAccuracy: true },
    );
  });
}

/** Metres between a position and a point [latitude, longitude]. */
export function metres({ latitude, longitude }, [north, east]) {
  const rad = Math.PI / 180;
  const half = Math.sin((north - latitude) * rad / 2) ** 2 + Math.cos(latitude * rad) * Math.cos(north * rad) * Math.sin((east - longitude) * rad / 2) ** 2;
  return 2 * EARTH * Math.asin(Math.sqrt(half));
}

/** The switch: what it is for, how long it is kept, and that it can be taken back. */
export function consent(app) {
  const { location } = app.shown;
  if (!location) return nothing;
  const set = given => app.record('consent', NOBODYS, { given, version: location.version });
  return card(t('Check in by position'), html`<p class="s i2">${t('When you press Arrived on duty, your position is read once. The office sees how far you were from the site; the position is deleted after 30 days. Off duty no position is kept. You can take this back at any time.')}</p>
    <label class="check"><input type="checkbox" .checked=${location.given} @change=${event => set(event.target.checked)}><span>${t('I agree')}</span></label>`);
}
