// The link to the server, and the only file that knows its addresses: commands in their order, then the snapshot,
// then pictures on a lane of their own, so that a large photo never holds up a step. Whatever fails is tried again.

const BATCH = 50;
const PART = 256 * 1024;
const AGAIN = [2_000, 5_000, 15_000, 60_000];
const EVERY = 60_000;
const PATIENCE = 60_000; // a link that says nothing for longer is no link

export class Sync extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.state = 'idle'; // idle, busy, offline, signed_out, forbidden, failed
    this.words = ''; // what the server said about the last failure
    this.synced = null; // server time of the last complete exchange
    this.offset = 0; // server clock minus this clock, in ms
    this.tries = 0;
    this.running = null;
    this.again = false;
  }

  async start() {
    this.offset = (await this.store.kept('offset')) || 0;
    this.synced = (await this.store.kept('synced')) || null;
    addEventListener('online', () => this.now());
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.now(); });
    setInterval(() => this.now(), EVERY);
    return this.now();
  }

  /** Exchange what there is; a call while one runs makes it run once more. */
  now() {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    clearTimeout(this.timer);
    this.running = this.alone(() => this.exchange()).finally(() => {
      this.running = null;
      if (this.again) {
        this.again = false;
        this.now();
      }
    });
    return this.running;
  }

  // Of several open pages one sends at a time. Without a secure origin there are no locks; the server copes.
  alone(work) {
    return navigator.locks ? navigator.locks.request('tablet sync', work) : work();
  }

  async exchange() {
    this.tell('busy');
    try {
      await this.sendCommands();
      await this.fetchSnapshot();
      if (await this.sendUploads()) await this.fetchSnapshot();
      this.tries = 0;
      this.tell('idle');
    } catch (error) {
      if (!(error instanceof LinkError)) console.error(error);
      const state = error instanceof LinkError ? error.state : 'failed';
      this.words = error.words || '';
      this.tell(state);
      if (['signed_out', 'forbidden'].includes(state)) return;
      this.timer = setTimeout(() => this.now(), AGAIN[Math.min(this.tries, AGAIN.length - 1)]);
      this.tries += 1;
    }
  }

  tell(state) {
    this.state = state;
    this.dispatchEvent(new Event('change'));
  }

  // Commands --------------------------------------------------------------------------------------------

  async sendCommands() {
    for (;;) {
      const waiting = (await this.store.commands()).filter(row => row.state === 'waiting').slice(0, BATCH);
      if (!waiting.length) return;
      const commands = waiting.map(({ id, seq, kind, at, base_version, payload }) => ({ id, seq, kind, at, base_version, payload }));
      const answer = await this.call('/tablet/commands', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ device_id: this.store.device, commands }),
      });
      const { results } = await answer.json();
      for (const [index, row] of waiting.entries()) {
        const result = results[index];
        const state = result.status === 'rejected' ? 'rejected' : 'done';
        await this.store.change('commands', row.seq, { state, result });
        if (result.code === 'upload_again') await this.store.change('uploads', row.payload.upload, { state: 'waiting', sent: 0 });
        if (result.detail) this.dispatchEvent(new CustomEvent('said', { detail: result.detail }));
      }
    }
  }

  // The snapshot -------------------------------------------------------------------------------------------

  async fetchSnapshot() {
    const applied = (await this.store.commands()).filter(row => row.state === 'done').map(row => row.seq);
    const arrived = (await this.store.uploads()).filter(row => row.state === 'done').map(row => row.id);
    const held = await this.store.kept('snapshot');
    const sent = Date.now();
    const answer = await this.call(`/tablet/snapshot?${new URLSearchParams({ since: held?.stamp || '' })}`);
    const fresh = await answer.json();
    this.offset = Date.parse(fresh.now) - (sent + Date.now()) / 2;
    this.synced = fresh.now;
    await this.store.keep('offset', this.offset);
    await this.store.keep('synced', this.synced);
    const snapshot = fresh.unchanged ? held : { ...fresh, catalogue: fresh.catalogue || held.catalogue };
    await this.store.replaceSnapshot(snapshot, { commands: applied, uploads: arrived });
    this.dispatchEvent(new Event('snapshot'));
  }

  // Pictures ----------------------------------------------------------------------------------------------

  async sendUploads() {
    let any = false;
    for (const row of (await this.store.uploads()).filter(one => one.state === 'waiting')) {
      any = (await this.sendUpload(row)) || any;
      this.dispatchEvent(new Event('change'));
    }
    return any;
  }

  async sendUpload({ id, bytes, name, sent }) {
    const total = Math.ceil(bytes.byteLength / PART);
    try {
      for (let index = sent; index < total; index += 1) {
        const body = bytes.slice(index * PART, (index + 1) * PART);
        await this.call(`/tablet/uploads/${id}/${index}`, { method: 'PUT', headers: { 'Content-Type': 'application/octet-stream' }, body });
        await this.store.change('uploads', id, { sent: index + 1 });
        this.dispatchEvent(new Event('change'));
      }
      await this.call(`/tablet/uploads/${id}/complete`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ sha256: await digest(bytes), name }),
      });
      await this.store.change('uploads', id, { state: 'done' });
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await this.store.change('uploads', id, { state: 'rejected', sent: 0, why: error.message }); // others go on
      return false;
    }
  }

  // One call ----------------------------------------------------------------------------------------------

  async call(url, options = {}, renewed = false) {
    const headers = { Accept: 'application/json', ...options.headers };
    const token = document.querySelector('meta[name="csrf-token"]');
    if (options.method) headers['X-CSRFToken'] = token.content;
    let answer;
    try {
      answer = await fetch(url, { ...options, headers, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) });
    } catch {
      throw new LinkError('offline');
    }
    if (answer.ok) return answer;
    if (answer.type === 'opaqueredirect' || answer.status === 401) throw new LinkError('signed_out');
    const problem = await answer.json().catch(() => ({}));
    if (problem.code === 'csrf' && !renewed) {
      await renewToken(token);
      return this.call(url, options, true);
    }
    if (answer.status === 403) throw new LinkError('forbidden', problem.detail); // no technician's account
    if (answer.status >= 500 || answer.status === 429 || answer.status === 409) throw new LinkError('failed');
    const lines = Object.values(problem.errors || {}).flat();
    throw new Refused(lines.join(' ') || problem.detail || `HTTP ${answer.status}`);
  }
}

// A page that was open for hours asks for a new token; its entries wait meanwhile.
async function renewToken(token) {
  const answer = await fetch('/tablet', { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
  if (!answer?.ok) throw new LinkError(answer ? 'signed_out' : 'offline');
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  token.content = page.querySelector('meta[name="csrf-token"]').content;
}

async function digest(bytes) {
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(hash)].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** The server cannot be reached now, or does not know who this is. */
class LinkError extends Error {
  constructor(state, words = '') {
    super(words || state);
    this.state = state;
    this.words = words;
  }
}

/** The server will never take this one. */
class Refused extends Error {}
