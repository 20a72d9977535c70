// What the tablet keeps of one person in IndexedDB: commands and pictures on their way, the last snapshot, the device.
// Nothing here is ever wiped by signing out or by an error; a command goes only when the server's own picture holds it.

import { openDB } from 'idb';

const VERSION = 1;

/** The store of one person: tablets are shared, and nobody sends what somebody else recorded. */
export async function openStore(person) {
  const db = await openDB(`tablet ${person}`, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore('commands', { keyPath: 'seq', autoIncrement: true }); // never gives a number twice
      fresh.createObjectStore('uploads', { keyPath: 'id' });
      fresh.createObjectStore('kept');
    },
  });
  let device = await db.get('kept', 'device');
  if (!device) {
    device = newId();
    await db.put('kept', device, 'device');
  }
  navigator.storage?.persist?.(); // best effort: browsers may refuse, and then may evict
  return new Store(db, device);
}

class Store {
  constructor(db, device) {
    this.db = db;
    this.device = device;
  }

  /** Keep a command, and the picture it is about, in one transaction. */
  async add(command, upload = null) {
    const work = this.db.transaction(['commands', 'uploads'], 'readwrite');
    if (upload) work.objectStore('uploads').put(upload);
    const seq = await work.objectStore('commands').add({ ...command, state: 'waiting' });
    await work.done;
    return seq;
  }

  commands() { return this.db.getAll('commands'); }

  uploads() { return this.db.getAll('uploads'); }

  async change(kind, key, facts) {
    const work = this.db.transaction(kind, 'readwrite');
    const row = await work.store.get(key);
    if (row) await work.store.put({ ...row, ...facts });
    await work.done;
  }

  drop(kind, key) { return this.db.delete(kind, key); }

  kept(name) { return this.db.get('kept', name); }

  keep(name, value) { return this.db.put('kept', value, name); }

  /** A new snapshot, and what it makes superfluous: commands it was asked for after they were applied. */
  async replaceSnapshot(snapshot, covered) {
    const work = this.db.transaction(['kept', 'commands', 'uploads'], 'readwrite');
    work.objectStore('kept').put(snapshot, 'snapshot');
    for (const seq of covered.commands) work.objectStore('commands').delete(seq);
    for (const id of covered.uploads) work.objectStore('uploads').delete(id);
    await work.done;
  }
}

/** A UUID that sorts by time (version 7, RFC 9562). */
export function newId(at = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let place = 0; place < 6; place += 1) bytes[place] = Math.floor(at / 2 ** (8 * (5 - place))) % 256;
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
