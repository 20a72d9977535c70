// One call to the server, and what its failure means. The only file that knows how to prove who calls.

const PATIENCE = 60_000; // ms for what comes: a link that says nothing for longer is no link
const SHORT = 20_000; // ms for the answer to what is sent, and
const PACE = 4; // bytes a millisecond (32 kbit/s) for sending it
const OWED = ['second_factor_owed', 'password_owed'];
const BUSY = [408, 425, 429, 503]; // a server, or what stands before it, that asks for patience

export class Link {
  /** `person`: whose entries are sent; `base`, `fetch`: for programs that are no page. */
  constructor(person, { base = '', fetch = (...all) => globalThis.fetch(...all), patience = patienceFor } = {}) {
    Object.assign(this, { person, base, fetch, patience, language: globalThis.document?.documentElement.lang || '', session: null, renewing: null });
  }

  /** Who is signed in, asked once: {person: {id, name}, csrf, after}. Throws LinkError. */
  async whoIsThere() {
    this.session ||= await (this.renewing ||= this.renew().finally(() => { this.renewing = null; }));
    return this.session;
  }

  async renew() {
    const session = await read(await this.send('/tablet/session', {}));
    if (this.person && String(session.person.id) !== String(this.person)) throw new LinkError('other_person');
    return session;
  }

  /** GET, or what `options` say. Throws LinkError (later, or after signing in) or Refused (never). */
  async call(path, options = {}) {
    if (!options.method) return this.send(path, options);
    const token = (await this.whoIsThere()).csrf;
    try {
      return await this.send(path, signed(options, token));
    } catch (error) {
      if (error.code !== 'csrf') throw error;
      this.session = null; // a page that was open for days needs a new one
      return this.send(path, signed(options, (await this.whoIsThere()).csrf));
    }
  }

  async send(path, options) {
    const headers = { Accept: 'application/json', 'X-Tablet-Person': String(this.person), 'X-Tablet-Language': this.language, ...options.headers };
    let answer;
    try {
      answer = await this.fetch(this.base + path, { ...options, headers, redirect: 'manual', cache: 'no-store', signal: AbortSignal.timeout(this.patience(options.body)) });
    } catch (error) {
      throw broken(error);
    }
    if (answer.ok) return answer;
    if (answer.type === 'opaqueredirect' || answer.status === 401 || (answer.status >= 300 && answer.status < 400)) throw this.ended('signed_out');
    const problem = await answer.json().catch(() => ({}));
    if (problem.code === 'csrf') throw Object.assign(new LinkError('failed'), { code: 'csrf' });
    if (problem.code === 'other_person') throw this.ended('other_person');
    if (problem.code === 'client_too_old') throw new LinkError('outdated', problem.detail);
    if (OWED.includes(problem.code)) throw this.ended('owes', problem.detail);
    if (answer.status === 403) throw this.ended('forbidden', problem.detail); // no technician's account
    if (BUSY.includes(answer.status)) throw new LinkError('failed', problem.detail, seconds(answer));
    if (answer.status >= 500) throw Object.assign(new LinkError('failed', problem.detail), { crashed: true });
    throw new Refused(problem, answer.status);
  }

  ended(state, words) {
    this.session = null;
    return new LinkError(state, words);
  }
}

/** How long to wait for an answer, in ms: what hangs must not hold back the rest, and a thin link needs its time. */
function patienceFor(body) {
  const size = body?.byteLength ?? body?.length;
  return size === undefined ? PATIENCE : SHORT + size / PACE;
}

/** The content of an answer. Throws LinkError when the line broke in the middle, or something else answered. */
export async function read(answer) {
  try {
    return await answer.json();
  } catch (error) {
    throw broken(error);
  }
}

// Nothing came; `silent` when it took too long: what was sent may be why, where the server answers everything else.
const broken = error => Object.assign(new LinkError('offline'), { silent: error?.name === 'TimeoutError' });

const signed = (options, token) => ({ ...options, headers: { ...options.headers, 'X-CSRFToken': token } });

const seconds = answer => Number(answer.headers.get('Retry-After')) || 0;

/** The server cannot be reached or cannot answer now, or does not know who this is. `crashed`,
 *  `silent`: by what was sent, maybe. */
export class LinkError extends Error {
  constructor(state, words = '', after = 0) {
    super(words || state);
    Object.assign(this, { state, words, after, code: '', crashed: false, silent: false });
  }
}

/** The server will never take this as it is. */
export class Refused extends Error {
  constructor(problem, status) {
    super(Object.values(problem.errors || {}).flat().join(' ') || problem.detail || `HTTP ${status}`);
    Object.assign(this, { problem, status, code: problem.code || '' });
  }
}
