// The tablet's lanes by themselves under Node, over a line that does what `given` says:
// {dead: nothing answers, owes: code of the first three answers, hanging: [ids of uploads that get no answer]};
// a note that says "poison" never gets an answer either.

import 'fake-indexeddb/auto';
import { Clock } from '../../../static/src/tablet/clock.js';
import { Link } from '../../../static/src/tablet/link.js';
import { newId, openStore } from '../../../static/src/tablet/store.js';
import { Sync } from '../../../static/src/tablet/sync.js';

const PATIENCE = 40; // ms
const now = () => new Date().toISOString();
const json = (content, status = 200) => new Response(JSON.stringify(content), { status });
const ANSWERS = {
  session: () => json({ person: { id: 7, name: 'Lu' }, csrf: 'x', after: 0 }),
  snapshot: () => json({ stamp: 's', now: now(), unchanged: false, visits: [], catalogue: {} }),
};

const hang = signal => new Promise((_done, fail) => {
  const alive = setTimeout(() => {}, 60_000); // node leaves when nothing else is to be done
  signal.addEventListener('abort', () => { clearTimeout(alive); fail(signal.reason); });
});

/** A page: {store, sync, sent: words of notes by call, note(words), picture(id), settled(reached)}. */
export async function page(given) {
  const sent = [];
  let refused = 0;
  async function line(path, { body, signal }) {
    const [, , what, id] = path.split('?')[0].split('/');
    if (given.dead) return hang(signal);
    if (given.owes && refused < 3) {
      refused += 1;
      return json({ code: given.owes, detail: 'first the account' }, 403);
    }
    if (what === 'commands') {
      const { commands } = JSON.parse(body);
      sent.push(commands.map(one => one.payload.words));
      if (sent.at(-1).includes('poison')) return hang(signal);
      return json({ results: commands.map(one => ({ id: one.id, status: 'accepted' })), device: { state: 'active' } });
    }
    if (what === 'uploads') return given.hanging?.includes(id) ? hang(signal) : json({ upload: id });
    return ANSWERS[what]();
  }
  const store = await openStore('7');
  const sync = new Sync(store, new Link('7', { fetch: line, patience: () => PATIENCE }), new Clock({ offset: 0 }));
  const note = words => store.add([{ id: newId(), kind: 'note', at: now(), payload: { visit: 1, words } }]);
  const picture = id => store.add([], [{ id, visit: 1, name: id, at: now(), bytes: new Uint8Array([1, 2, 3]).buffer }]);
  const settled = async reached => {
    while (!(await reached())) {
      await sync.hurry();
      await new Promise(rest => setTimeout(rest, 5));
    }
    sync.stop();
  };
  return { store, sync, sent, note, picture, settled };
}

/** Say what was found, and leave. */
export function tell(found) {
  console.log(JSON.stringify(found));
  process.exit(0);
}
