// What goes to the server and comes from it, on two lanes that never wait for each other: commands in their order and
// then the snapshot; pictures in parts. Whatever fails is tried again; what fails alone, again and again, is set aside.

import { LinkError, Refused, read } from './link.js';

export const CLIENT = 2; // how this page speaks; the server understands this and the two before (commands.py CURRENT)
const BATCH = 50;
const PART = 256 * 1024;
const AGAIN = [20, 40, 80, 160, 320, 640, 1_300, 2_500, 5_000, 15_000, 30_000, 60_000]; // ms, each a little by chance
const MERCY = 1_000; // ms at least for a server that answers, but badly
const EVERY = 60_000;
const STRIKES = 3; // so often one entry alone makes a healthy server fail before it is set aside
const SET_ASIDE = 3_600_000; // ms after which it is tried once more: the server may have been mended
const ORDER = ['busy', 'other_person', 'signed_out', 'owes', 'forbidden', 'outdated', 'failed', 'offline', 'idle'];
const RESTS = ['other_person', 'signed_out', 'owes', 'forbidden', 'outdated']; // only a person can change these

export class Sync extends EventTarget {
  constructor(store, link, clock) {
    super();
    Object.assign(this, { store, link, clock, synced: null, askedOut: false, storage: null, timer: 0, size: BATCH });
    this.lanes = {
      commands: new Lane('commands', this, () => this.exchange()),
      uploads: new Lane('uploads', this, () => this.sendUploads()),
    };
  }

  async start() {
    this.synced = (await this.store.kept('synced')) || null;
    this.timer = setInterval(() => this.now(), EVERY);
    return this.now();
  }

  stop() {
    clearInterval(this.timer);
    for (const lane of Object.values(this.lanes)) lane.stop();
  }

  /** Exchange what there is; a call while one runs makes it run once more. */
  now() { return Promise.all(Object.values(this.lanes).map(lane => lane.now())); }

  /** There is a network again, or somebody pressed *Send now*. */
  hurry() {
    for (const lane of Object.values(this.lanes)) lane.tries = 0;
    return this.now();
  }

  get state() {
    const states = Object.values(this.lanes).map(lane => lane.state);
    return ORDER.find(state => states.includes(state));
  }

  /** What the server said about the last failure. */
  get words() { return Object.values(this.lanes).find(lane => lane.words)?.words || ''; }

  tell() { this.dispatchEvent(new Event('change')); }

  // Commands --------------------------------------------------------------------------------------------

  async exchange() {
    if (!(await this.store.kept('snapshot'))) await this.fetchSnapshot(); // the first visit: the day before anything else
    for (let first = true; ; first = false) {
      const waiting = (await this.store.commands()).filter(row => row.state === 'waiting' || (first && isDue(row)));
      const rows = oneDevice(waiting).slice(0, this.size);
      if (!rows.length && !first) break;
      try {
        await this.sendCommands(rows);
        this.lanes.commands.tries = 0; // the link carries something
        this.size = Math.min(BATCH, this.size * 2);
        if (!rows.length) break;
      } catch (error) {
        if (error.status === 409) throw new LinkError('failed', error.message); // somebody was faster: again
        if (!blames(error) || !rows.length) throw error;
        await this.fairly(error);
        if (rows.length > 1) this.size = Math.ceil(rows.length / 2); // look for the one that does it
        else if (!(await this.strike('commands', rows[0].seq, rows[0], error))) throw error;
      }
    }
    await this.fetchSnapshot();
    if (this.askedOut) await this.leave();
  }

  // With no command it is a greeting: the office sees when this tablet was there last and what waits on it.
  async sendCommands(rows) {
    const commands = rows.map(({ id, seq, origin, kind, at, device_at, base_at, base_version, again_of, payload }) => ({ id, seq: origin?.seq ?? seq, kind, at, device_at, base_at, base_version, again_of, payload }));
    const { results = [], device } = await read(await this.post('/tablet/commands', {
      device_id: rows[0]?.origin?.device ?? this.store.device, carried_by: this.store.device, client: CLIENT, sent_at: new Date(this.clock.wall()).toISOString(),
      report: await this.report(rows.length), commands,
    }));
    if (results.length !== rows.length || results.some(({ id }, index) => id !== rows[index].id)) throw new LinkError('failed');
    await this.store.change('commands', rows.map((row, index) => [row.seq, { state: results[index].status === 'rejected' ? 'rejected' : 'done', result: results[index] }]));
    const again = rows.filter((_row, index) => results[index].flags?.includes('upload_again')).map(row => [row.payload.upload, { state: 'waiting', sent: 0 }]);
    if (again.length) await this.store.change('uploads', again);
    for (const { detail } of results) if (detail) this.dispatchEvent(new CustomEvent('said', { detail }));
    this.askedOut = device?.state === 'sign_out_asked';
  }

  // What the list of devices in the office shows, without what this call carries.
  async report(carried) {
    const [commands, uploads] = await Promise.all([this.store.commands(), this.store.uploads()]);
    const open = commands.filter(row => row.state === 'waiting');
    const rows = [...open.slice(carried), ...uploads.filter(row => row.state === 'waiting')];
    return {
      waiting: {
        commands: Math.max(0, open.length - carried), uploads: rows.length - Math.max(0, open.length - carried),
        held: [...commands, ...uploads].filter(row => row.state === 'held').length,
        oldest_at: rows.map(row => row.at).filter(Boolean).sort()[0] ?? null,
      },
      storage: this.storage || { persisted: null, usage: 0, quota: 0 },
      offset_ms: this.clock.offset,
    };
  }

  // No answer at all: only a server that answers a greeting shows that it was for what was sent.
  async fairly(error) {
    if (!error.silent) return;
    await this.sendCommands([]);
    error.state = 'failed';
  }

  /** One entry alone made the server fail: counted, and after the third time set aside if the server is well otherwise. */
  async strike(kind, key, row, error) {
    const strikes = error instanceof Refused ? STRIKES : (row.strikes || 0) + 1;
    if (strikes < STRIKES) {
      await this.store.change(kind, [[key, { strikes }]]);
      return false;
    }
    await this.sendCommands([]); // throws when the server fails at everything: then this entry is not to blame
    await this.store.change(kind, [[key, { state: 'held', strikes: 0, why: error.message, held: Date.now() }]]);
    return true;
  }

  // The office asked for this tablet: it leaves once everything has been handed over.
  async leave() {
    const left = [...await this.store.commands(), ...await this.store.uploads()].some(row => ['waiting', 'held'].includes(row.state));
    if (left) return;
    try {
      await this.post('/tablet/signed-out', { device_id: this.store.device });
    } catch (error) {
      if (error instanceof Refused) return; // the office has thought better of it
      throw error;
    }
    this.dispatchEvent(new Event('left'));
  }

  // The snapshot -------------------------------------------------------------------------------------------

  async fetchSnapshot() {
    const applied = (await this.store.commands()).filter(row => row.state === 'done').map(row => row.seq);
    // The bytes stay as long as an entry about them may have to be sent again.
    const needed = new Set((await this.store.commands()).filter(row => row.state !== 'done').map(row => row.payload.upload));
    const arrived = (await this.store.uploads()).filter(row => row.state === 'done' && !needed.has(row.id)).map(row => row.id);
    const held = await this.store.kept('snapshot');
    const sent = this.clock.wall();
    const fresh = await read(await this.link.call(`/tablet/snapshot?${new URLSearchParams({ since: held?.stamp || '' })}`));
    this.clock.measure(Date.parse(fresh.now), sent, this.clock.wall());
    this.synced = fresh.now;
    await this.store.keep('offset', this.clock.offset);
    await this.store.keep('synced', this.synced);
    const snapshot = fresh.unchanged ? held : { ...fresh, catalogue: fresh.catalogue || held.catalogue };
    await this.store.replaceSnapshot(snapshot, { commands: applied, uploads: arrived });
    this.dispatchEvent(new Event('snapshot'));
  }

  post(path, content) {
    return this.link.call(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(content) });
  }

  // Pictures ----------------------------------------------------------------------------------------------

  async sendUploads() {
    let [any, failure] = [false, null];
    for (const { id } of (await this.store.uploads()).filter(row => row.state === 'waiting' || isDue(row))) {
      try {
        any = (await this.sendUpload(id)) || any;
      } catch (error) {
        if (!(error instanceof LinkError && blames(error))) throw error;
        await this.fairly(error);
        const row = await this.store.upload(id);
        if (row && !(await this.strike('uploads', id, row, error))) failure = error; // others go on
      }
    }
    if (any) this.lanes.commands.now();
    if (failure) throw failure;
    if (this.askedOut) this.lanes.commands.now();
  }

  async sendUpload(id) {
    const [row, bytes] = await Promise.all([this.store.upload(id), this.store.bytes(id)]);
    if (!row || !bytes) return false;
    try {
      for (let rounds = 0; ; rounds += 1) {
        await this.sendParts(row, bytes);
        try {
          await confirmed(id, await this.post(`/tablet/uploads/${id}/complete`, { sha256: await digest(bytes), name: row.name }));
          break;
        } catch (error) {
          // The server lost parts, or they came damaged: from the beginning, but not for ever.
          if (error.status !== 409) throw error;
          if (rounds === STRIKES) throw Object.assign(new LinkError('failed', error.message), { crashed: true }); // others go on
          row.sent = 0;
        }
      }
      await this.store.change('uploads', [[id, { state: 'done' }]]);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await this.store.change('uploads', [[id, { state: 'rejected', sent: 0, why: error.message }]]); // others go on
      return false;
    } finally {
      this.tell();
    }
  }

  async sendParts(row, bytes) {
    const total = Math.ceil(bytes.byteLength / PART);
    for (let index = row.sent; index < total; index += 1) {
      const body = bytes.slice(index * PART, (index + 1) * PART);
      await confirmed(row.id, await this.link.call(`/tablet/uploads/${row.id}/${index}`, { method: 'PUT', headers: { 'Content-Type': 'application/octet-stream' }, body }));
      row.sent = index + 1;
      this.lanes.uploads.tries = 0;
      await this.store.change('uploads', [[row.id, { sent: row.sent }]]);
      this.tell();
    }
  }
}

/** One thing at a time, again after a failure, once more when asked meanwhile. */
class Lane {
  constructor(name, sync, work) {
    Object.assign(this, { name, sync, work, state: 'idle', words: '', tries: 0, running: null, again: false, timer: 0 });
  }

  now() {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    clearTimeout(this.timer);
    this.running = this.run().finally(() => {
      this.running = null;
      if (!this.again) return;
      this.again = false;
      if (!this.timer) this.now();
    });
    return this.running;
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = -1;
  }

  async run() {
    this.timer = 0;
    this.become('busy');
    try {
      await this.alone();
      this.tries = 0;
      this.become('idle');
    } catch (error) {
      if (!(error instanceof LinkError)) console.error(error);
      const state = error instanceof LinkError ? error.state : 'failed';
      if (!RESTS.includes(state)) this.later(state === 'failed' ? Math.max(error.after * 1000 || 0, MERCY) : 0);
      this.become(state, error instanceof LinkError ? error.words : '');
    }
  }

  later(least) {
    const wait = AGAIN[Math.min(this.tries, AGAIN.length - 1)] * (0.5 + Math.random() / 2);
    this.tries += 1;
    if (this.timer !== -1) this.timer = setTimeout(() => this.now(), Math.max(least, wait));
  }

  // Of several open pages one sends at a time. Without a secure origin there are no locks; the server copes.
  alone() {
    const locks = globalThis.navigator?.locks;
    return locks ? locks.request(`${this.sync.store.name} ${this.name}`, this.work) : this.work();
  }

  become(state, words = '') {
    Object.assign(this, { state, words });
    this.sync.tell();
  }
}

// What was brought over from another tablet goes under that tablet's name and numbers, never mixed with our own.
function oneDevice(rows) {
  const device = rows[0]?.origin?.device;
  return rows.filter(row => row.origin?.device === device);
}

const isDue = row => row.state === 'held' && Date.now() - row.held > SET_ASIDE;

/** Whether what was sent may be the cause: the server crashed on it, never answers it, or will never take it. */
const blames = error => error instanceof Refused || (error instanceof LinkError && (error.crashed || error.silent));

// Something between us and the server may answer in its place: only what names the picture is an answer about it.
async function confirmed(id, answer) {
  if ((await read(answer)).upload !== id) throw new LinkError('offline');
}

async function digest(bytes) {
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(hash)].map(byte => byte.toString(16).padStart(2, '0')).join('');
}
