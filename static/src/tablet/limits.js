// What the server takes at most, as its snapshot says (workorders/tablet/limits.py): nothing that is recorded without a
// network may be refused for its size later. A snapshot kept from before knows no limits: then nothing is bounded. Pure.

const UNSTORABLE = /(?![\n\t])[\p{Cc}\p{Cs}]/gu; // scanners send control characters; no database keeps halves of letters

/** A payload without signs that the server refuses. */
export function cleaned(value) {
  if (typeof value === 'string') return value.replace(UNSTORABLE, '');
  if (Array.isArray(value)) return value.map(cleaned);
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cleaned(one)]));
  return value;
}

/** The first thing in `value` that is beyond its limit: {place, most}; null when the server will take it. */
export function beyond(limits, place, value) {
  if (Array.isArray(value)) {
    if (value.length > limits?.[place]) return { place, most: limits[place] };
    return first(value, one => beyond(limits, one && typeof one === 'object' ? place : `${place}.each`, one));
  }
  if (value && typeof value === 'object') return first(Object.entries(value), ([name, one]) => beyond(limits, `${place}.${name}`, one));
  const size = typeof value === 'string' ? value.length : value;
  return typeof size === 'number' && size > limits?.[place] ? { place, most: limits[place] } : null;
}

function first(list, look) {
  for (const one of list) {
    const found = look(one);
    if (found) return found;
  }
  return null;
}

/** A reading as typed: "12,5" and full-width digits are numbers too; null for what is none. */
export function readNumber(text, limits) {
  const plain = text.normalize('NFKC').trim().replace(/^(-?\d+),(\d+)$/, '$1.$2').replace('−', '-');
  const [whole, decimals] = ['whole', 'decimals'].map(name => limits?.[`number.${name}`] ?? '');
  return new RegExp(`^[+-]?\\d{1,${whole}}(\\.\\d{1,${decimals}})?$`).test(plain) ? plain.replace(/^\+/, '') : null;
}

/** Whether a text fits a field of the checklist. */
export const fitsField = (field, text) => !(text.length > field.most) && (!field.pattern || new RegExp(`^(?:${field.pattern})$`).test(text.normalize('NFKC')));

/** How many photos a visit, and a field of its checklist, still take; those on their way count. */
export function room(visit, limits, field = null) {
  const held = visit.photos.filter(one => one.of === 'visit' && !['rejected', 'refused'].includes(one.state)).length;
  const given = field && visit.answers[field.code];
  const answers = given?.mine && Array.isArray(given.value) ? given.value.length : 0;
  return Math.max(0, Math.min((limits?.photos ?? Infinity) - held, (field?.most ?? Infinity) - answers));
}
