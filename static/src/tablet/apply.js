// What the tablet shows: the server's snapshot with the waiting commands applied to it. Pure, and the same rules as on
// the server (workorders/visits.py, findings.py), which has the last word.

import { dayOf, exact, pending } from './lines.js';

const AT = { accepted: 'accepted_at', en_route: 'en_route_at', on_site: 'on_site_at' };
export const ENDED = ['completed', 'partially_completed', 'cannot_complete'];
export const AT_WORK = ['on_site', 'in_progress', 'paused'];

/** The snapshot as it will be once `commands` (in order) and `uploads` have arrived. */
export function applied(snapshot, commands, uploads) {
  const pending = commands.filter(row => row.state !== 'rejected');
  if (!pending.length && !uploads.length) return snapshot;
  const consent = pending.findLast(row => row.kind === 'consent');
  const touched = new Set(pending.map(row => row.payload.visit));
  const visits = snapshot.visits.map(visit => (touched.has(visit.id) ? structuredClone(visit) : visit));
  const stock = structuredClone(snapshot.stock);
  const shown = { ...snapshot, visits, stock };
  if (consent) shown.location = { ...snapshot.location, given: consent.payload.given };
  for (const row of pending) {
    const visit = visits.find(one => one.id === row.payload.visit);
    if (visit) KINDS[row.kind]?.(visit, row.payload, row, shown);
  }
  return shown;
}

const KINDS = {
  move(visit, { to, restored, reason, check_in }, { at }) {
    if (to === 'on_site') visit.check_in = check_in || null;
    if (visit.state === 'paused' && visit.times.paused_at) {
      visit.paused_min += Math.max(0, Math.round((Date.parse(at) - Date.parse(visit.times.paused_at)) / 60_000));
      visit.times.paused_at = null;
    }
    if (to === 'paused') visit.times.paused_at = at;
    if (to === 'in_progress') visit.times.started_at ||= at;
    if (AT[to]) visit.times[AT[to]] = at;
    if (to === 'on_site') stop(visit, 'arrival', at);
    if (ENDED.includes(to)) {
      visit.times.finished_at = at;
      visit.restored = restored ?? to === 'completed';
      visit.end_reason = to === 'cannot_complete' ? reason : null;
      if (visit.restored) stop(visit, 'restore', at);
    }
    visit.state = to;
  },

  answer(visit, { field, value, note }, { at }, { forms }) {
    const known = forms[visit.form]?.find(one => one.code === field);
    const wrong = value !== null && out(known, value);
    if (value === null) delete visit.answers[field];
    else visit.answers[field] = { value, note: note || '', at, mine: true, out: wrong };
    weigh(visit, field, wrong ? (note ? 'tolerated' : 'found') : value === null ? 'withdrawn' : 'corrected');
  },

  part(visit, { part, quantity, location, serial, removed_serial, batch, returns }, { id, at }, { stock, parts }) {
    if (returns) {
      const use = visit.used.find(one => one.id === returns || one.command === returns);
      visit.used = visit.used.filter(one => one !== use);
      if (use) move(stock, use.location, use.part, use.quantity);
      if (use) settlePlanned(visit, use.part);
      return;
    }
    const known = Number(Object.keys(parts).find(key => parts[key].number === part));
    const place = location ?? stock.find(one => one.kind === 'van')?.id;
    visit.used.push({ id, command: id, part: known, quantity, location: place, serial: serial || null, removed_serial: removed_serial || null, batch: batch || null, at, day: dayOf(visit), mine: true });
    move(stock, place, known, -quantity);
    settlePlanned(visit, known);
  },

  photo(visit, { upload, field, moment }, { at }, { forms }) {
    const known = forms[visit.form]?.find(one => one.code === field);
    if (!visit.photos.some(one => one.upload === upload)) visit.photos.push({ file: null, upload, field: field || null, moment: (known ? known.moment : moment) || null, state: 'waiting', at, of: 'visit' });
    if (!field) return;
    const before = (visit.answers[field]?.mine && visit.answers[field].value) || []; // another visit's stay there
    visit.answers[field] = { value: [...before, upload], note: '', at, mine: true, out: false };
  },

  summary(visit, { summary, technical_note }) {
    visit.summary = summary;
    if (technical_note !== undefined && technical_note !== null) visit.technical_note = technical_note;
  },

  failure(visit, { pattern, codes, unknown_reason }, _row, { catalogue }) {
    const chosen = catalogue.patterns.find(one => one.code === pattern);
    if (chosen) {
      const former = catalogue.patterns.find(one => one.code === visit.failure.pattern);
      if (!visit.summary || Object.values(former?.remedy || {}).includes(visit.summary)) visit.summary = chosen.remedy[visit.customer_language];
      const { failure_mode, failure_mechanism, failure_cause, detection, activity } = chosen;
      visit.failure = { pattern, failure_mode, failure_mechanism, failure_cause, detection, activity, unknown_reason: null };
    } else {
      visit.failure = { ...visit.failure, ...codes, pattern: null, unknown_reason: unknown_reason || null };
    }
  },

  signature(visit, { name, upload }, { at }) {
    visit.signature = { at, name, file: null, upload };
  },

  note() {},

  need(visit, { part, quantity, words, returns }, { id }, { parts }) {
    if (returns) {
      const other = item => item.command !== returns && `item-${item.item ?? item.id}` !== returns;
      visit.planned = visit.planned.filter(other);
      visit.needs = visit.needs.filter(other);
    } else if (part) {
      const known = Number(Object.keys(parts).find(key => parts[key].number === part));
      visit.planned.push({ item: id, command: id, part: known, quantity: quantity ?? 1, required: true, done: false, words: words || '', mine: true });
    } else {
      visit.needs.push({ id, command: id, words, required: true, done: false, mine: true });
    }
  },

  coverage(visit, { line, coverage, reason }) {
    visit.choices[visit.used.find(use => use.command === line)?.id ?? line] = { coverage, reason };
  },

  extra(visit, { extra, words, lines, decision, name, upload }, { at }) {
    const total = lines.reduce((found, line) => found + Math.round(line.price * line.quantity), 0);
    visit.extras.push({ id: extra, words, lines, total, decision, name, upload, at });
  },

  follow_up(visit, { words, urgency, field }, { at }) {
    (visit.follow_ups ||= []).push({ words, urgency, number: '', at });
    if (field) settle(visit, field, 'followed_up');
  },

  time(visit, { kind, minutes, reason }) {
    (visit.corrections ||= {})[kind] = { minutes, reason };
  },
};

/** The finding of a field that still holds. */
export const standing = (visit, field) => visit.findings?.findLast(one => one.field === field && ['found', 'tolerated'].includes(one.state));

// A wrong answer raises a finding, a right one settles it, as onsite/raised.weigh does.
function weigh(visit, field, state) {
  if (standing(visit, field)) settle(visit, field, state);
  else if (['found', 'tolerated'].includes(state)) (visit.findings ||= []).push({ field, state });
}

function settle(visit, field, state) {
  const finding = standing(visit, field);
  if (finding) finding.state = state;
}

function stop(visit, kind, at) {
  const clock = visit.clocks.find(one => one.kind === kind && !one.stopped_at);
  if (clock) Object.assign(clock, { stopped_at: at, state: Date.parse(at) <= Date.parse(clock.due_at) ? 'kept' : 'breached' });
}

function move(stock, location, part, quantity) {
  const place = stock.find(one => one.id === location);
  if (place) place.on_hand[part] = exact((place.on_hand[part] || 0) + quantity);
}

// Planned parts are done as far as what was fitted reaches, as findings._settle_planned does.
function settlePlanned(visit, part) {
  let fitted = exact(visit.used.filter(use => use.part === part).reduce((sum, use) => sum + use.quantity, 0));
  for (const item of visit.planned) {
    if (item.part !== part) continue;
    item.done = fitted >= item.quantity;
    fitted = Math.max(0, exact(fitted - item.quantity));
  }
}

/** Whether a reading lies out of its tolerance, or a required check failed. */
export function out(field, value) {
  if (field?.type === 'check') return field.required && value === false;
  if (field?.type !== 'number') return false;
  const reading = Number(value);
  return (field.low !== null && reading < field.low) || (field.high !== null && reading > field.high);
}

/** What still stands between this visit and its completion: [{what, tab, words, field?}], as findings.missing_for. */
export function missing(visit, shown, ticked, t) {
  const { forms, catalogue, parts } = shown;
  const found = [];
  for (const field of forms[visit.form] || []) {
    if (field.required && !answered(visit.answers[field.code]) && !explained(visit.answers[field.code])) found.push({ what: 'field', tab: 'checklist', words: field.label, field: field.code });
  }
  for (const item of visit.planned) {
    if (item.required && !item.done) found.push({ what: 'part', tab: 'parts', words: parts[item.part]?.name || '' });
  }
  for (const item of visit.open_items) {
    if (item.required && !item.done && !ticked.includes(item.id)) found.push({ what: 'item', tab: 'job', words: item.words });
  }
  for (const item of visit.needs) {
    if (!item.done) found.push({ what: 'item', tab: 'parts', words: item.words });
  }
  for (const line of pending(visit, shown)) found.push({ what: 'approval', tab: 'report', words: t('Approval of the customer: %(part)s', { part: parts[line.part]?.name || '' }) });
  if (visit.corrective && !coded(visit.failure) && catalogue) found.push({ what: 'failure', tab: 'report', words: t('Fault pattern') });
  if (!visit.summary.trim()) found.push({ what: 'summary', tab: 'report', words: t('Words for the customer') });
  return found;
}

export function answered(given) {
  const value = given?.value ?? null; // a check that is not ticked is missing
  return value !== null && value !== '' && value !== false && !(Array.isArray(value) && !value.length);
}

/** A failed check is an answer once it says why. */
const explained = given => given?.value === false && Boolean(given.note);

function coded(failure) {
  if (failure.failure_mode === 'UNK') return Boolean(failure.unknown_reason);
  return Boolean(failure.failure_mode && failure.failure_mechanism && failure.failure_cause);
}
