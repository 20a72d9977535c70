// The lines of a job and who pays each, by the same table of rules as workorders/coverage.py and lines.py. Pure.

const INSIDE = ['warranty', 'contract'];

// The first rule that holds decides: reason, who pays, when.
const RULES = [
  ['approved', 'billable', (_cover, line) => line.approved],
  ['goodwill', 'goodwill', cover => cover.coverage === 'goodwill'],
  ['contract', 'contract', cover => cover.coverage === 'contract'],
  ['wears', 'billable', (cover, line) => cover.coverage === 'warranty' && line.wears],
  ['in_warranty', 'warranty', (cover, line) => cover.coverage === 'warranty' && cover.until && line.day <= cover.until],
  ['reported_in_warranty', 'warranty', cover => cover.coverage === 'warranty' && cover.until],
  ['warranty', 'warranty', cover => cover.coverage === 'warranty'],
  ['other_maker', 'billable', cover => cover.other_maker],
  ['machine_unknown', 'billable', cover => !cover.known],
  ['warranty_over', 'billable', (cover, line) => cover.until && line.day > cover.until],
  ['agreed', 'billable', cover => cover.until],
  ['no_warranty', 'billable', () => true],
];

/** Whether the customer has to approve before such a line counts. */
export const needsApproval = (cover, coverage) => coverage === 'billable' && INSIDE.includes(cover.coverage);

export function decide(cover, line) {
  if (line.chosen && !line.approved) return { coverage: line.chosen, reason: 'chosen', pending: needsApproval(cover, line.chosen) };
  const [reason, coverage] = RULES.find(([, , holds]) => holds(cover, line));
  return { coverage, reason, pending: needsApproval(cover, coverage) && !line.approved };
}

export const coverOf = visit => ({ ...visit.cover, coverage: visit.coverage });

/** The calendar day a visit counts for. */
export const dayOf = visit => (visit.times.on_site_at || visit.starts_at).slice(0, 10);

/** A quantity without the dust of binary fractions: three decimals, as the ledger has them. */
export const exact = quantity => Math.round(quantity * 1000) / 1000;

const between = (from, to) => (from && to ? Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 60_000)) : 0);

/** Every line of the job: of running work so far, until `now`. */
export function linesOf(visit, { parts }, now) {
  const { cover, times, choices } = visit;
  const extras = visit.extras.filter(one => one.decision === 'approved');
  const left = {};
  for (const { lines } of extras) for (const line of lines) if (line.part) left[line.part] = exact((left[line.part] || 0) + Number(line.quantity));
  const found = [];
  const add = (key, kind, day, quantity, worth, facts = {}) => {
    const number = parts[facts.part]?.number;
    const included = kind === 'part' && (left[number] || 0) >= quantity;
    if (included) left[number] = exact(left[number] - quantity);
    const choice = choices[key];
    const decision = decide(coverOf(visit), { day, wears: parts[facts.part]?.wears, approved: included || kind === 'extra', chosen: choice?.coverage });
    const free = decision.coverage !== 'billable' || decision.pending || included;
    found.push({ key, kind, quantity, worth, ...decision, included, pays: free ? 0 : worth, ...facts, ...(decision.reason === 'chosen' ? { words: choice.reason } : {}) });
  };
  for (const use of visit.used) add(use.id, 'part', use.day, use.quantity, Math.round((parts[use.part]?.price || 0) * use.quantity), { part: use.part, use, mine: use.mine });
  const paused = visit.paused_min + (visit.state === 'paused' ? between(times.paused_at, now) : 0);
  const labour = times.started_at ? between(times.started_at, times.finished_at || now) - paused : 0;
  const said = kind => visit.corrections?.[kind]?.minutes;
  const mine = { id: visit.id, day: dayOf(visit), labour_min: said('work') ?? labour, travel_min: said('travel') ?? between(times.en_route_at, times.on_site_at), mine: true };
  for (const one of [...visit.before, mine]) {
    for (const kind of ['labour', 'travel']) {
      const count = one[`${kind}_min`];
      if (count > 0) add(`${kind}-${one.id}`, kind, one.day, count, Math.floor((count * cover[`${kind}_rate`] * 2 + 60) / 120), { mine: one.mine });
    }
  }
  for (const extra of extras) extra.lines.forEach((line, index) => add(`extra-${extra.id}-${index}`, 'extra', dayOf(visit), Number(line.quantity), Math.round(line.price * line.quantity), { words: line.words }));
  let given = 0; // as beyond_goodwill of coverage.py
  for (const line of found.filter(isGoodwill)) {
    given += line.worth;
    line.over = given > cover.goodwill_limit;
  }
  return found;
}

/** What the technician gave beyond the rules. */
const isGoodwill = line => line.reason === 'chosen' && line.coverage === 'goodwill';

/** Whether giving this line, too, is above what the front line may give without asking (P-09). */
export const beyondGoodwill = (lines, line, limit) => sum(lines.filter(one => one.key !== line.key && isGoodwill(one)), one => one.worth) + line.worth > limit;

/** Parts that would be paid inside warranty and wait for the customer's approval. */
export const pending = (visit, shown) => (needsApproval(coverOf(visit), 'billable') ? linesOf(visit, shown, visit.starts_at).filter(line => line.pending) : []);

export const sum = (lines, of = line => line.pays) => lines.reduce((total, line) => total + of(line), 0);
