// The machine of a serial and the division of an address are told while the form is filled in, and the position is offered.
import { t } from '../foundation/texts.js';

/** Part of the form named `id`, fetched with what is typed; a part that does not come leaves the form as it is. */
async function fetchPart(id, address, values) {
  const answer = await fetch(`${address}?${new URLSearchParams(values)}`, { headers: { Accept: 'text/html' } }).catch(() => null);
  if (!answer?.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const fresh = page.getElementById(id);
  if (fresh) document.getElementById(id)?.replaceWith(document.adoptNode(fresh));
  return fresh;
}

/** The address is needed while neither machine nor position tells where to go. */
function needAddress(form) {
  const { address, latitude } = form.elements;
  const known = Boolean(latitude?.value || form.querySelector('[data-known]'));
  address.required = !known;
  form.querySelector('label[for="address"] .opt').hidden = !known;
}

export function startMachine(form) {
  const { serial } = form.elements;
  if (!serial) return;
  form.querySelector('button[name="look"]').remove();
  const look = async () => {
    const fresh = await fetchPart('machine', form.dataset.machineUrl, { serial: serial.value.trim() });
    if (fresh) needAddress(form);
  };
  serial.addEventListener('change', look);
  if (serial.value && !form.querySelector('[data-known]')) look(); // from a draft
}

export function startPlace(form) {
  const { address } = form.elements;
  const ask = values => fetchPart('place', form.dataset.placeUrl, { address: address.value.trim(), ...values });
  address.addEventListener('change', () => ask({}));
  form.addEventListener('change', async ({ target }) => {
    if (!('places' in target.dataset) || !target.value) return;
    const asked = form.elements.division_asked?.value ?? '';
    const fresh = await ask({ division_code: target.value, division_asked: asked });
    fresh?.querySelector('select')?.focus();
  });
}

export function startPosition(form) {
  const button = form.querySelector('[data-position]');
  const said = form.querySelector('[data-position-said]');
  const { latitude, longitude } = form.elements;
  if (!navigator.geolocation || !isSecureContext) return;
  const say = text => { said.textContent = text; };
  const set = (north, east) => {
    latitude.value = north;
    longitude.value = east;
    button.setAttribute('aria-pressed', String(Boolean(north)));
    needAddress(form);
  };
  button.hidden = false;
  if (latitude.value) set(latitude.value, longitude.value);
  button.addEventListener('click', () => {
    if (latitude.value) {
      set('', '');
      return say(t('Position taken back.'));
    }
    say(t('Finding you …'));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        set(coords.latitude.toFixed(6), coords.longitude.toFixed(6));
        say(t('Position taken, within %(metres)s m', { metres: Math.round(coords.accuracy) }));
      },
      () => say(t('Your position is not available. Please type the address.')),
      { enableHighAccuracy: true, timeout: 15_000 },
    );
  });
}
