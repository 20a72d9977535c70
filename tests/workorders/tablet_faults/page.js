// Put into the tablet's page by the bad line: does what the trial says and tells what came of it. Of several tabs the
// newest is spoken to; the others go on by themselves.

const page = crypto.randomUUID();
const app = () => document.getElementById('tablet')?.app;
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const visit = id => app().visit(id);

const DEEDS = {
  record: ({ kind, visit: id, payload }) => app().record(kind, visit(id), payload),

  photo({ visit: id, trial, jpeg, more }) {
    const picture = Uint8Array.from(atob(jpeg), one => one.charCodeAt(0));
    const padding = new Uint8Array(more).fill(trial % 251);
    const bytes = new Uint8Array([...picture, ...padding, trial >> 8, trial & 255]);
    return app().addUpload('photo', visit(id), bytes.buffer, `photo-${trial}.jpg`, { trial });
  },

  left() {
    app().sync.hurry();
    return app().waiting;
  },

  stuck: () => app().stuck.map(row => [row.payload?.visit ?? row.visit, row.kind || 'upload', row.state, row.result?.code || row.why]),

  reload() { setTimeout(() => location.reload(), 0); },

  tab() { return Boolean(window.open('/tablet')); },
};

// A browser does not repeat a POST whose kept connection was just being closed; the trial would wait for ever.
async function tell(told) {
  for (;;) {
    try {
      return await fetch('/trial/told', { method: 'POST', body: JSON.stringify(told) });
    } catch {
      await sleep(50);
    }
  }
}

async function listen() {
  while (!app()?.shown) await sleep(20);
  for (;;) {
    try {
      const asked = await fetch(`/trial/next?page=${page}`);
      if (asked.status === 410) return;
      if (asked.status !== 200) continue;
      const { id, name, facts } = await asked.json();
      const told = await Promise.resolve(DEEDS[name](...facts)).then(value => ({ value }), error => ({ error: String(error) }));
      await tell({ id, ...told });
    } catch {
      await sleep(50);
    }
  }
}

listen();
