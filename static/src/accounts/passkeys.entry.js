// Passkeys: make one on the account page, sign in with one on the sign-in page.

import { t } from '../foundation/texts.js';

const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), sign => sign.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

async function post(url, token, body) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
  const type = answer.headers.get('Content-Type') ?? '';
  if (!type.includes('json')) { location.reload(); throw new Error(t('Please confirm your password first.')); }
  const content = await answer.json();
  if (!answer.ok) throw new Error(Object.values(content.errors ?? {}).flat()[0] ?? content.detail);
  return content;
}

function listen(root, work) {
  const button = root.querySelector('button');
  const status = root.querySelector('[role=status]');
  if (!window.PublicKeyCredential) { root.hidden = true; return; }
  root.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    status.textContent = '';
    try {
      location.assign((await work()).next);
    } catch (error) {
      status.textContent = error.name === 'NotAllowedError' ? t('It was cancelled or took too long.') : error.message;
      button.disabled = false;
    }
  });
}

const adding = document.querySelector('[data-passkey-add]');
if (adding) {
  listen(adding, async () => {
    const { token, options, passkeyAdd } = adding.dataset;
    const wanted = await post(options, token);
    wanted.challenge = bytes(wanted.challenge);
    wanted.user.id = bytes(wanted.user.id);
    for (const known of wanted.excludeCredentials ?? []) known.id = bytes(known.id);
    const made = await navigator.credentials.create({ publicKey: wanted });
    const answer = {
      id: made.id, rawId: text(made.rawId), type: made.type,
      response: { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject) },
    };
    return post(passkeyAdd, token, { name: adding.querySelector('input').value, answer });
  });
}

const entering = document.querySelector('[data-passkey-enter]');
if (entering) {
  listen(entering, async () => {
    const { token, options, passkeyEnter } = entering.dataset;
    const wanted = await post(options, token);
    wanted.challenge = bytes(wanted.challenge);
    const found = await navigator.credentials.get({ publicKey: wanted });
    const { response } = found;
    return post(passkeyEnter, token, {
      id: found.id, rawId: text(found.rawId), type: found.type,
      response: {
        clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData),
        signature: text(response.signature), userHandle: response.userHandle ? text(response.userHandle) : null,
      },
    });
  });
}
