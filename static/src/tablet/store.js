// What the tablet keeps of one person in IndexedDB: commands and pictures on their way, the last snapshot, the device.
// Pictures are ArrayBuffers: WebKit loses Blobs.
// Nothing here is ever wiped by signing out or by an error; a command goes only when the server's own picture holds it.

import { openDB } from 'idb';

const VERSION = 2;
const TRIES = 3;
const DURABLE = { durability: 'strict' }; // on the disk before it is shown as kept

/** The store of one person: tablets are shared, and nobody sends what somebody else recorded. */
export async function openStore(person) {
  const store = new Store(person);
  let device = await store.kept('device');
  if (!device) {
    device = newId();
    await store.keep('device', device);
  }
  store.device = device;
  return store;
}

class Store extends EventTarget {
  constructor(person) {
    super();
    this.person = person;
    this.name = `tablet ${person}`;
    this.opening = null;
    this.others = globalThis.BroadcastChannel ? new BroadcastChannel(this.name) : null;
    if (this.others) this.others.onmessage = () => this.dispatchEvent(new Event('changed'));
  }

  open() {
    this.opening ||= openDB(this.name, VERSION, {
      upgrade(db, before, _version, work) {
        if (before < 1) {
          db.createObjectStore('commands', { keyPath: 'seq', autoIncrement: true }); // never gives a number twice
          db.createObjectStore('uploads', { keyPath: 'id' });
          db.createObjectStore('kept');
        }
        if (before < 2) {
          work.objectStore('commands').createIndex('id', 'id', { unique: true });
          db.createObjectStore('bytes'); // of uploads: a list of two hundred photos must not load them all
          return moveBytes(work);
        }
      },
      blocking: (_before, _wanted, event) => { event.target.close(); this.opening = null; },
      terminated: () => { this.opening = null; },
    }).catch(error => { this.opening = null; throw error; });
    return this.opening;
  }

  // Browsers lose their database process now and then (WebKit does when the tablet sleeps): open it again, do it again.
  async use(work) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work(await this.open());
      } catch (error) {
        if (tries === TRIES || !['InvalidStateError', 'UnknownError', 'AbortError'].includes(error?.name)) throw error;
        this.opening?.then(db => db.close()).catch(() => {});
        this.opening = null;
      }
    }
  }

  tellOthers() { this.others?.postMessage(''); }

  /** Keep commands, and the pictures they are about (with `bytes`), in one transaction; what is kept already stays. */
  async add(commands, uploads = []) {
    await this.use(async db => {
      const work = db.transaction(['commands', 'uploads', 'bytes'], 'readwrite', DURABLE);
      const [known, knownUploads] = await Promise.all([
        Promise.all(commands.map(({ id }) => work.objectStore('commands').index('id').getKey(id))),
        Promise.all(uploads.map(({ id }) => work.objectStore('uploads').getKey(id))),
      ]);
      const put = commands.filter((_one, index) => known[index] === undefined).map(one => work.objectStore('commands').add({ state: 'waiting', ...one }));
      for (const [index, { bytes, ...upload }] of uploads.entries()) {
        if (knownUploads[index] !== undefined) continue;
        put.push(work.objectStore('uploads').add({ sent: 0, state: 'waiting', ...upload, size: bytes.byteLength }), work.objectStore('bytes').put(bytes, upload.id));
      }
      await Promise.all([...put, work.done]);
    });
    this.tellOthers();
  }

  commands() { return this.use(db => db.getAll('commands')); }

  uploads() { return this.use(db => db.getAll('uploads')); }

  upload(id) { return this.use(db => db.get('uploads', id)); }

  bytes(id) { return this.use(db => db.get('bytes', id)); }

  /** Change rows of one kind, {key: facts}, in one transaction. */
  async change(kind, changes) {
    await this.use(async db => {
      const work = db.transaction(kind, 'readwrite', DURABLE);
      for (const [key, facts] of changes) {
        const row = await work.store.get(key);
        if (row) await work.store.put({ ...row, ...facts });
      }
      await work.done;
    });
    this.tellOthers();
  }

  /** Somebody decided that this entry shall not be sent. */
  async drop(kind, key) {
    await this.use(async db => {
      const work = db.transaction([kind, 'bytes'], 'readwrite');
      await Promise.all([work.objectStore(kind).delete(key), kind === 'uploads' && work.objectStore('bytes').delete(key), work.done]);
    });
    this.tellOthers();
  }

  kept(name) { return this.use(db => db.get('kept', name)); }

  keep(name, value) { return this.use(db => db.put('kept', value, name)); }

  /** A new snapshot, and what it makes superfluous: commands it was asked for after they were applied. */
  async replaceSnapshot(snapshot, covered) {
    await this.use(async db => {
      const work = db.transaction(['kept', 'commands', 'uploads', 'bytes'], 'readwrite');
      await Promise.all([
        work.objectStore('kept').put(snapshot, 'snapshot'),
        ...covered.commands.map(seq => work.objectStore('commands').delete(seq)),
        ...covered.uploads.flatMap(id => [work.objectStore('uploads').delete(id), work.objectStore('bytes').delete(id)]),
        work.done,
      ]);
    });
    this.tellOthers();
  }
}

async function moveBytes(work) {
  for (let at = await work.objectStore('uploads').openCursor(); at; at = await at.continue()) {
    const { bytes, ...upload } = at.value;
    await work.objectStore('bytes').put(bytes, upload.id);
    await at.update({ ...upload, size: bytes.byteLength });
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
