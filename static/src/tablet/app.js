// The tablet's state and what people do with it. Screens read `app.shown` and call `app.record`.

import { t } from '../foundation/texts.js';
import { toast } from '../foundation/toast.js';
import { applied, missing } from './apply.js';
import { shrink } from './pictures.js';
import { newId } from './store.js';
import { stamp } from './times.js';

const DOUBLE = 700; // ms in which a second press on a step is the same press

export class App extends EventTarget {
  constructor(store, sync) {
    super();
    Object.assign(this, { store, sync, commands: [], uploads: [], drafts: {}, previews: new Map(), stepped: -DOUBLE, shown: null });
    sync.addEventListener('snapshot', () => this.load());
    sync.addEventListener('change', () => this.load());
    sync.addEventListener('said', ({ detail }) => toast(detail));
  }

  /** Read everything from the store again and draw. */
  async load() {
    const [snapshot, commands, uploads, drafts] = await Promise.all([
      this.store.kept('snapshot'), this.store.commands(), this.store.uploads(), this.store.kept('drafts'),
    ]);
    const fits = snapshot && snapshot.language === document.documentElement.lang.slice(0, 2);
    Object.assign(this, { commands, uploads, drafts: drafts || {} });
    this.shown = fits ? applied(snapshot, commands, uploads) : null;
    this.dispatchEvent(new Event('change'));
  }

  // Reading -----------------------------------------------------------------------------------------------

  /** Now, on the server's clock, in the station's offset. */
  get now() { return stamp(Date.now() + this.sync.offset, this.shown?.now || '+08:00'); }

  visit(id) { return this.shown.visits.find(one => one.id === id); }

  word(list, code) { return this.shown.catalogue.codes[list]?.find(one => one.code === code)?.label || code || ''; }

  part(id) { return this.shown.parts[id] || { number: '', name: t('Unknown part'), unit: '', price: null }; }

  pattern(code) { return this.shown.catalogue.patterns.find(one => one.code === code); }

  get van() { return this.shown.stock.find(one => one.kind === 'van'); }

  onHand(place, part) { return place?.on_hand[part] || 0; }

  draft(visit) { return { ticked: [], restored: true, name: '', ...this.drafts[visit.id] }; }

  missing(visit) { return missing(visit, this.shown, this.draft(visit).ticked, t); }

  get waiting() {
    return this.commands.filter(row => row.state === 'waiting').length + this.uploads.filter(row => row.state === 'waiting').length;
  }

  get rejected() {
    return [...this.commands, ...this.uploads].filter(row => row.state === 'rejected');
  }

  /** The address of a picture: the server's, or the one still on this tablet. */
  picture({ file, upload }) {
    const row = this.uploads.find(one => one.id === upload);
    if (!row) return file ? `/tablet/files/${file}` : null;
    if (!this.previews.has(upload)) this.previews.set(upload, URL.createObjectURL(new Blob([row.bytes])));
    return this.previews.get(upload);
  }

  // Acting ------------------------------------------------------------------------------------------------

  /** Keep a command, show it as done, and send it when there is a link. */
  async record(kind, visit, payload, upload = null) {
    if (kind !== 'move') this.stepped = -DOUBLE; // who has done something else since means the next press
    const command = { id: newId(), kind, at: this.now, base_version: visit.version, payload: { visit: visit.id, ...payload } };
    try {
      await this.store.add(command, upload);
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
    for (const file of files) {
      const bytes = await shrink(file);
      await this.addUpload('photo', visit, bytes, file.name.slice(0, 200) || 'photo', { field });
    }
  }

  async addUpload(kind, visit, bytes, name, facts) {
    const upload = { id: newId(), visit: visit.id, bytes, name, sent: 0, state: 'waiting' };
    await this.record(kind, visit, { upload: upload.id, ...facts }, upload);
  }

  async keepDraft(visit, facts) {
    this.drafts = { ...this.drafts, [visit.id]: { ...this.draft(visit), ...facts } };
    await this.store.keep('drafts', this.drafts);
    this.dispatchEvent(new Event('change'));
  }

  async dismiss(row) {
    await (row.seq ? this.store.drop('commands', row.seq) : this.store.drop('uploads', row.id));
    await this.load();
  }

  /** Send a refused entry once more; a command under a new id, since the old one has its answer. */
  async retry(row) {
    if (row.seq) {
      const { kind, base_version, payload, at } = row;
      await this.store.add({ id: newId(), kind, at, base_version, payload });
      await this.store.drop('commands', row.seq);
    } else {
      await this.store.change('uploads', row.id, { state: 'waiting', sent: 0 });
    }
    await this.load();
    this.sync.now();
  }
}
