// Questions to the server: JSON there and back; a refusal is an error whose message says why.

import { t } from '../../foundation/texts.js';

/** The answer; with `body` it is a POST, done once for a `key`. Throws an Error with the server's sentence; of several, by
 *  field, also with `errors`. */
export async function ask(url, body, key) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? '';
  const once = key && { 'Idempotency-Key': key };
  const sent = body && { method: 'POST', headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRFToken': token, ...once }, body: JSON.stringify(body) };
  const answer = await fetch(url, sent ?? { headers: { Accept: 'application/json' } }).catch(() => null);
  if (!answer) throw new Error(t('No answer from the server. Nothing was saved; check the connection and try again.'));
  if (answer.ok) return answer.json();
  if (answer.status === 401) location.reload(); // signed out meanwhile
  const problem = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(sentence(problem)), { errors: problem.errors ?? {} });
}

/** A name for one deed, so that pressing twice does it once. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map(part => part.toString(36)).join('-'); // randomUUID needs https
}

/** The technician of a lane: who is lent has two of them where both stations are shown. */
export function technicianOf(lane) {
  return lane.split('@')[0];
}

function sentence({ detail, errors }) {
  return Object.values(errors ?? {}).flat()[0] ?? detail ?? t('This did not work. Load the page again and repeat the step.');
}
