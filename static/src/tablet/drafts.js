// What somebody has begun to fill in for a visit (ticks, a name) stays until the visit is long over. Pure.

const KEPT = 14 * 86_400_000; // ms after a visit has left the snapshot

/** The drafts worth keeping of `drafts` {visit id: facts}, `gone` saying since when (ms) a visit is not in the snapshot.
 *  `rows`: what waits on this tablet, in whatever state. */
export function pruned(drafts, visits, rows, now) {
  const here = new Set(visits.map(one => String(one.id)));
  const unsent = new Set(rows.map(row => String(row.payload?.visit ?? row.visit)));
  const kept = {};
  for (const [id, { gone, ...facts }] of Object.entries(drafts)) {
    if (here.has(id)) kept[id] = facts;
    else if (unsent.has(id) || gone === undefined || now - gone <= KEPT) kept[id] = { ...facts, gone: gone ?? now };
  }
  return kept;
}
