// Which bars are selected: one, one more, or all between two.

/** Selects by a press on `id` (null: beside any bar); tells the page. */
export function choose(scene, id, { one = false, range = false }) {
  const next = range && id && scene.plan.entries.has(scene.anchor) ? between(scene, scene.anchor, id) : toggled(scene, id, one);
  if (!range) scene.anchor = id;
  if (next.length === scene.selected.size && next.every(each => scene.selected.has(each))) return;
  scene.select(next);
  scene.say('selected', { count: next.length });
  scene.tell('select', { ids: next });
}

function toggled({ selected }, id, one) {
  if (!one || !id) return id ? [id] : [];
  return selected.has(id) ? [...selected].filter(each => each !== id) : [...selected, id];
}

// The rectangle of lanes and time that two bars span.
function between({ plan }, first, second) {
  const corners = [plan.entries.get(first), plan.entries.get(second)];
  const rows = corners.map(corner => plan.byLane.get(corner.lane).at);
  const from = Math.min(...corners.map(corner => corner.start));
  const to = Math.max(...corners.map(corner => corner.end));
  return plan.lanes.slice(Math.min(...rows), Math.max(...rows) + 1)
    .flatMap(lane => lane.entries.filter(entry => entry.start < to && entry.end > from).map(entry => entry.bar.id));
}
