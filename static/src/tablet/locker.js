// What waits on this tablet as a file under a password, for the day the tablet breaks: AES-GCM with a key from PBKDF2.
// Brought into another tablet it is sent under the first one's name, so that nothing is applied twice.

const SIGN = 'FS360-OUTBOX-1\n';
const ROUNDS = 600_000; // OWASP's figure for PBKDF2-HMAC-SHA256
const [SALT, IV] = [16, 12];
export const LEAST = 8; // letters of the password

/** The waiting entries as an encrypted file. */
export async function lock(store, password) {
  const [commands, uploads] = await Promise.all([store.commands(), store.uploads()]);
  const open = rows => rows.filter(row => row.state !== 'done');
  const content = {
    person: store.person,
    commands: open(commands).map(({ seq, origin, ...row }) => ({ ...row, state: 'waiting', origin: origin || { device: store.device, seq } })),
    uploads: await Promise.all(open(uploads).map(async row => ({ ...row, sent: 0, state: 'waiting', bytes: base64(await store.bytes(row.id)) }))),
  };
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  const iv = crypto.getRandomValues(new Uint8Array(IV));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await keyOf(password, salt), new TextEncoder().encode(JSON.stringify(content)));
  return new Blob([SIGN, salt, iv, sealed], { type: 'application/octet-stream' });
}

/** Bring such a file in; {commands, uploads}: how many. Throws NotOurs, WrongPassword or OtherPerson. */
export async function unlock(store, file, password) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const at = SIGN.length;
  if (new TextDecoder().decode(bytes.slice(0, at)) !== SIGN) throw new NotOurs();
  const key = await keyOf(password, bytes.slice(at, at + SALT));
  const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes.slice(at + SALT, at + SALT + IV) }, key, bytes.slice(at + SALT + IV))
    .catch(() => { throw new WrongPassword(); });
  const { person, commands, uploads } = JSON.parse(new TextDecoder().decode(plain));
  if (String(person) !== String(store.person)) throw new OtherPerson();
  // Back on the tablet it came from, an entry has its old number already.
  await store.add(commands, uploads.map(row => ({ ...row, bytes: fromBase64(row.bytes) })));
  return { commands: commands.length, uploads: uploads.length };
}

export class NotOurs extends Error {}
export class WrongPassword extends Error {}
export class OtherPerson extends Error {}

async function keyOf(password, salt) {
  const raw = await crypto.subtle.importKey('raw', new TextEncoder().encode(password.normalize('NFKC')), 'PBKDF2', false, ['deriveKey']);
  return crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS }, raw, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

function base64(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

const fromBase64 = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
