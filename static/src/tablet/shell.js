// What lets the page live without a network: its service worker, what the browser promises to keep, and the pictures of
// the next days. Without a secure address there is none of it; the page still works while it is open.

export const PICTURES = 'tablet pictures';
const LOOK = 3_600_000; // ms between looking for a newer version
const FULL = 0.8; // of the room the browser gives

export class Shell extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { offline: false, waiting: null, storage: null });
  }

  async start() {
    navigator.storage?.persist?.().catch(() => {}); // browsers may refuse, and then may delete
    await this.measure();
    if (!navigator.serviceWorker) return;
    try {
      const registration = await navigator.serviceWorker.register('/tablet/worker.js', { scope: '/tablet' });
      const wasControlled = Boolean(navigator.serviceWorker.controller);
      navigator.serviceWorker.addEventListener('controllerchange', () => { if (wasControlled || this.taking) location.reload(); });
      const look = () => {
        this.waiting = registration.active ? registration.waiting : null;
        this.offline = Boolean(registration.active);
        this.dispatchEvent(new Event('change'));
      };
      registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look));
      look();
      registration.active || navigator.serviceWorker.ready.then(look);
      setInterval(() => registration.update().catch(() => {}), LOOK);
      this.registration = registration;
    } catch (error) {
      console.warn(error); // no network at the first visit, or storage is refused: the page works, but only while open
    }
  }

  /** The server says this page is too old: fetch the newer one now. */
  look() { return this.registration?.update().catch(() => {}); }

  /** Put the newer version in charge; the page loads again by itself. */
  takeOver() {
    this.taking = true;
    if (this.waiting) this.waiting.postMessage('take over');
    else location.reload();
  }

  /** How much lies here, and whether the browser may delete it: {persisted, usage, quota}. */
  async measure() {
    try {
      const [persisted, { usage = 0, quota = 0 }] = await Promise.all([navigator.storage.persisted(), navigator.storage.estimate()]);
      this.storage = { persisted, usage, quota };
    } catch {
      this.storage = null; // an old browser, or no secure address
    }
    this.dispatchEvent(new Event('change'));
    return this.storage;
  }

  get nearlyFull() { return Boolean(this.storage?.quota) && this.storage.usage > FULL * this.storage.quota; }

  /** Free what can be fetched again. */
  async makeRoom() { await globalThis.caches?.delete(PICTURES); }

  /** Keep these pictures of the server, and no others; {kept, all}: how many. */
  async keepPictures(ids) {
    if (!globalThis.caches || !this.offline) return { kept: 0, all: ids.length };
    const cache = await caches.open(PICTURES);
    const wanted = new Set(ids.map(id => new URL(`/tablet/files/${id}`, location.href).href));
    const held = new Set((await cache.keys()).map(({ url }) => url));
    await Promise.all([...held].filter(url => !wanted.has(url)).map(url => cache.delete(url)));
    let kept = [...held].filter(url => wanted.has(url)).length;
    for (const url of wanted) {
      if (held.has(url)) continue;
      try {
        await cache.add(url);
        kept += 1;
      } catch {
        // not ready yet, or no network: the next exchange tries again
      }
    }
    return { kept, all: wanted.size };
  }
}
