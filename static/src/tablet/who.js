// Whose tablet this is now. A cookie of the server tells, also without a network; signing out takes it away.

import { LinkError } from './link.js';
import { PICTURES } from './shell.js';

const NAME = 'who';

/** The id of whoever signed in last here and has not signed out; '' for nobody. */
export function whoIsHere() {
  return document.cookie.split('; ').find(pair => pair.startsWith(`${NAME}=`))?.slice(NAME.length + 1) || '';
}

/** From now on this tablet shows nobody's work. What it keeps stays. */
function forget() {
  document.cookie = `${NAME}=; path=/; max-age=0; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  localStorage.setItem('leaving', '1'); // without a network the session ends later
  globalThis.caches?.delete(PICTURES); // of customers' machines: the next person has no business with them
}

/** Sign out here at once, and on the server as soon as there is a link. */
export async function signOut(link) {
  forget();
  await endSession(link);
}

/** End the session that somebody left while there was no network. Throws nothing: the next load tries again. */
export async function endSession(link) {
  if (!localStorage.getItem('leaving')) return;
  if (whoIsHere()) { // somebody has signed in since: the session is theirs
    localStorage.removeItem('leaving');
    return;
  }
  try {
    await link.call('/logout', { method: 'POST' });
  } catch (error) {
    if (!(error instanceof LinkError) || error.state !== 'signed_out') return;
  }
  localStorage.removeItem('leaving');
}
