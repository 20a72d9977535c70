// The tablet's state and what people do with it. Screens read `app.shown` and call `app.record`.

import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { applied, missing } from './apply.js';
import { pruned } from './drafts.js';
import { beyond, cleaned, room } from './limits.js';
import { shrink } from './pictures.js';
import { newId } from './store.js';
import { stamp } from './times.js';

const OLD = 3 * 86_400_000; // ms; WebKit deletes after a week in which nobody opened the page
const DOUBLE = 700; // ms in which a second press on a step is the same press

export class App extends EventTarget {
  constructor(store, sync, shell) {
    super();
    Object.assign(this, { store, sync, shell, commands: [], uploads: [], drafts: {}, person: null, previews: new Map(), doing: new Set(), stepped: -DOUBLE, shown: null, pictures: null, reads: 0, newest: 0, ticks: 0 });
    for (const source of [store, sync, shell]) source.addEventListener(source === store ? 'changed' : 'change', () => this.load());
    sync.addEventListener('snapshot', () => this.prime());
    sync.addEventListener('said', ({ detail }) => toast(detail));
  }

  /** Read everything from the store again and draw; calls in a row are one. */
  load() {
    this.loading ||= Promise.resolve().then(() => { this.loading = null; return this.read(); });
    return this.loading;
  }

  async read() {
    const [turn, ticks] = [this.reads += 1, this.ticks];
    const [snapshot, commands, uploads, drafts, person] = await Promise.all([
      this.store.kept('snapshot'), this.store.commands(), this.store.uploads(), this.store.kept('drafts'), this.store.kept('person'),
    ]);
    if (turn < this.newest) return; // a later reading was faster
    this.newest = turn;
    Object.assign(this, { commands, uploads, person: person || null });
    if (ticks === this.ticks) this.drafts = drafts || {}; // else somebody ticked meanwhile: what was read is older
    this.shown = snapshot ? applied(snapshot, commands, uploads) : null; // of another language for a moment: better than nothing
    this.tidy(uploads);
    this.dispatchEvent(new Event('change'));
  }

  // Pictures that have left are not held in memory any longer.
  tidy(uploads) {
    const here = new Set(uploads.map(row => row.id));
    for (const [id, url] of this.previews) {
      if (here.has(id)) continue;
      if (url) URL.revokeObjectURL(url);
      this.previews.delete(id);
    }
  }

  /** Do it once: a second press while it is being done is the same press. */
  async once(key, deed) {
    if (this.doing.has(key)) return;
    this.doing.add(key);
    try {
      await deed();
    } finally {
      this.doing.delete(key);
    }
  }

  /** A new snapshot is here: its pictures too, and a look at the room that is left. */
  async prime() {
    await this.load();
    const pictures = (this.shown?.visits || []).flatMap(visit => visit.photos.filter(one => one.file && one.state === 'ready').map(one => one.file));
    this.pictures = await this.shell.keepPictures(pictures);
    this.sync.storage = await this.shell.measure();
    await this.pruneDrafts();
  }

  async pruneDrafts() {
    if (!this.shown) return;
    const drafts = pruned(this.drafts, this.shown.visits, [...this.commands, ...this.uploads], this.sync.clock.now());
    if (JSON.stringify(drafts) === JSON.stringify(this.drafts)) return;
    await this.putDrafts(drafts);
  }

  putDrafts(drafts) {
    this.drafts = drafts;
    this.ticks += 1;
    return this.store.keep('drafts', drafts);
  }

  // Reading -----------------------------------------------------------------------------------------------

  /** Now, on the server's clock, in the station's offset. */
  get now() { return this.stamp(this.sync.clock.now()); }

  stamp(ms) { return stamp(ms, this.shown?.now || '+08:00'); }

  visit(id) { return this.shown.visits.find(one => one.id === id); }

  word(list, code) { return this.shown.catalogue.codes[list]?.find(one => one.code === code)?.label || code || ''; }

  part(id) { return this.shown.parts[id] || { number: '', name: t('Unknown part'), unit: '', price: null }; }

  pattern(code) { return this.shown.catalogue.patterns.find(one => one.code === code); }

  get van() { return this.shown.stock.find(one => one.kind === 'van'); }

  /** What the server takes at most there (limits.js); undefined where nothing is known. */
  most(place) { return this.shown.limits?.[place]; }

  /** Whether the server will take this content of an entry for its size. */
  fits(kind, payload) { return !beyond(this.shown.limits, kind, cleaned(payload)); }

  onHand(place, part) { return place?.on_hand[part] || 0; }

  draft(visit) { return { ticked: [], restored: true, name: '', ...this.drafts[visit.id] }; }

  missing(visit) { return missing(visit, this.shown, this.draft(visit).ticked, t); }

  in(state) { return [...this.commands, ...this.uploads].filter(row => row.state === state); }

  get waiting() { return this.in('waiting').length; }

  /** What only a person can bring further: refused by the server, or set aside because it fails at it. */
  get stuck() { return [...this.in('rejected'), ...this.in('held')]; }

  /** Whether the browser may delete what was recorded before it is sent: it promises nothing, and it is old or much. */
  get mayBeLost() {
    if (!this.waiting || this.shell.storage?.persisted) return false;
    const oldest = [...this.in('waiting'), ...this.in('held')].map(row => Date.parse(row.at)).filter(Boolean).sort((one, other) => one - other)[0];
    return this.shell.nearlyFull || this.sync.clock.now() - oldest > OLD;
  }

  /** The address of a picture: the server's, or the one still on this tablet (drawn again once it is read). */
  picture({ file, upload }) {
    const row = this.uploads.find(one => one.id === upload);
    if (!row) return file ? `/tablet/files/${file}` : null;
    if (!this.previews.has(upload)) {
      this.previews.set(upload, null);
      this.store.bytes(upload).then(bytes => {
        if (!bytes) return;
        this.previews.set(upload, URL.createObjectURL(new Blob([bytes])));
        this.dispatchEvent(new Event('change'));
      });
    }
    return this.previews.get(upload);
  }

  // Acting ------------------------------------------------------------------------------------------------

  /** Keep a command, show it as done, and send it when there is a link. Throws for what the server would refuse. */
  async record(kind, visit, given, upload = null) {
    const payload = cleaned(given);
    const over = beyond(this.shown?.limits, kind, payload);
    if (over) {
      toast(t('This is too much to be kept: at most %(most)s. Make it shorter.', over));
      throw new RangeError(`${over.place} is beyond ${over.most}`);
    }
    if (kind !== 'move') this.stepped = -DOUBLE; // who has done something else since means the next press
    const { at, device } = this.sync.clock.record();
    const command = {
      id: newId(), kind, at: this.stamp(at), device_at: this.stamp(device), base_at: this.shown?.now ?? null,
      base_version: visit?.version ?? null,
      payload: { ...(visit ? { visit: visit.id } : {}), ...payload },
    };
    const keep = () => this.store.add([command], upload ? [{ ...upload, at: command.at }] : []);
    try {
      await keep().catch(async () => { await this.shell.makeRoom(); await keep(); });
    } catch (error) {
      console.error(error);
      toast(t('This tablet could not store the entry: its memory may be full. Nothing was sent. Free some space and try again.'));
      throw error;
    }
    await this.load();
    this.sync.now();
  }

  /** A step of a visit. */
  async step(visit, to, facts = {}) {
    this.stepped = performance.now();
    await this.record('move', visit, { to, ...facts });
  }

  /** Whether a press on the primary button belongs to the press before: by then the button has the next step. */
  get pressedTwice() { return performance.now() - this.stepped < DOUBLE; }

  async addPictures(visit, files, field = null) {
    const most = room(visit, this.shown.limits, field);
    if (files.length > most) toast(t('%(n)s of %(all)s photos were taken in: this visit holds no more.', { n: most, all: files.length }));
    for (const file of files.slice(0, most)) {
      const bytes = await shrink(file).catch(error => { console.warn(error); return null; });
      if (!bytes?.byteLength) {
        toast(t('This picture could not be read: %(name)s. Take it again.', { name: file.name }));
        continue;
      }
      await this.addUpload('photo', visit, bytes, file.name.slice(0, 200) || 'photo', { field: field?.code ?? null });
    }
  }

  async addUpload(kind, visit, bytes, name, facts) {
    const id = newId();
    await this.record(kind, visit, { upload: id, ...facts }, { id, visit: visit.id, bytes, name });
  }

  async keepDraft(visit, facts) {
    await this.putDrafts({ ...this.drafts, [visit.id]: { ...this.draft(visit), ...facts } });
    this.dispatchEvent(new Event('change'));
  }

  async dismiss(row) {
    await (row.seq ? this.store.drop('commands', row.seq) : this.store.drop('uploads', row.id));
    await this.load();
  }

  /** Send an entry once more; a refused command under a new id, since the old one has its answer. */
  async retry(row) {
    if (!row.seq) await this.store.change('uploads', [[row.id, { state: 'waiting', sent: 0, strikes: 0, why: '' }]]);
    else if (row.state === 'rejected') {
      const { kind, base_at, base_version, payload, at, device_at } = row;
      await this.store.add([{ id: newId(), again_of: row.id, kind, at, device_at, base_at, base_version, payload }]);
      await this.store.drop('commands', row.seq);
    } else await this.store.change('commands', [[row.seq, { state: 'waiting', strikes: 0, why: '' }]]);
    await this.load();
    this.sync.hurry();
  }
}
