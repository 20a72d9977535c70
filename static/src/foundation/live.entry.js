// Live updates on pages without htmx (a customer's tracking page): the element is fetched and put in place of the old.

import { startLive } from './live.js';

startLive(async (element, url) => {
  const answer = await fetch(url, { headers: { 'HX-Request': 'true', Accept: 'text/html' } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const fresh = page.getElementById(element.id);
  if (fresh) element.replaceWith(document.adoptNode(fresh));
});
