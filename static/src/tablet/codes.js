// What a label says: the QR code of a machine, a part number, GS1 element strings, a serial number. Pure.

const SEPARATOR = '\x1d'; // FNC1 between fields of variable length
const FIXED = { '00': 18, '01': 14, '02': 14, '11': 6, '12': 6, '13': 6, '15': 6, '16': 6, '17': 6, '20': 2 };
const VARIABLE = /^(?:10|21|22|30|37|24[0-3]|25[0-4]|400|9[0-9])/;

/** {text, asset?, part?, serial?, batch?}. `known` tells the part number of a number or GTIN, else nothing. */
export function read(raw, known = () => null) {
  const text = raw.replace(/^\][A-Za-z]\d/, '').trim(); // readers may put the kind of code first
  const asset = /\/a\/(\d{1,18})\.[\w-]{20,60}$/.exec(text);
  if (asset) return { text, asset: asset[1] };
  const fields = elements(text);
  if (fields) {
    const [gtin, own] = [fields['01'] || fields['02'], fields[240] || fields[241]];
    const part = (own && known(own)) || (gtin && known(gtin)) || own;
    return given({ text: own || gtin || fields[21] || fields[10] || text, part, serial: fields[21], batch: fields[10] });
  }
  if (known(text)) return { text, part: known(text) };
  const marked = /^(?:S\/?N|SERIAL|序列号)[\s:：#.]+(\S.*)$/i.exec(text);
  if (marked) return { text: marked[1], serial: marked[1] };
  const [first, ...more] = text.split(/[;|\t\n]/).map(piece => piece.trim()).filter(Boolean); // our own small labels: number;serial;batch
  const part = more.length && known(first);
  return part ? given({ text, part, serial: more[0], batch: more[1] }) : { text };
}

const given = facts => Object.fromEntries(Object.entries(facts).filter(([, value]) => value));

// GS1 element strings, as they are printed, `(01)…(10)…`, or as they are coded; null for anything else.
function elements(text) {
  if (/^\(\d{2,4}\)/.test(text)) {
    return Object.fromEntries([...text.matchAll(/\((\d{2,4})\)([^(]+)/g)].map(([, id, value]) => [id, value.trim()]));
  }
  let rest = text.replace(new RegExp(`^${SEPARATOR}`), '');
  if (!/^(?:01|02)\d{14}/.test(rest) || !checked(rest.slice(2, 16))) return null;
  const found = {};
  while (rest) {
    const id = FIXED[rest.slice(0, 2)] ? rest.slice(0, 2) : VARIABLE.exec(rest)?.[0];
    if (!id) return null;
    const end = FIXED[id] ? id.length + FIXED[id] : rest.indexOf(SEPARATOR) < 0 ? rest.length : rest.indexOf(SEPARATOR);
    found[id] = rest.slice(id.length, end);
    rest = rest.slice(end).replace(new RegExp(`^${SEPARATOR}`), '');
  }
  return found;
}

// The last digit of a GTIN proves the others.
function checked(gtin) {
  const sum = [...gtin].reduce((total, digit, place) => total + Number(digit) * (place % 2 ? 1 : 3), 0);
  return sum % 10 === 0;
}
