// What was typed survives a reload, for a day and on this device only.

const PREFIX = 'draft:report:';
const KEEP = 24 * 60 * 60 * 1000;
const FIELDS = ['description', 'severity', 'name', 'phone', 'serial', 'address', 'email'];

/** Keep the draft of a form, and bring back what was kept, unless the server has just brought the form back itself. */
export function keepDraft(form) {
  const key = PREFIX + form.dataset.draft;
  if ('refused' in form.dataset === false) restore(form, read(key));
  form.addEventListener('input', () => {
    const typed = Object.fromEntries(FIELDS.map(name => [name, form.elements[name]?.value ?? '']));
    attempt(() => localStorage.setItem(key, JSON.stringify({ at: Date.now(), typed })));
  });
}

export function forgetDrafts() {
  attempt(() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  });
}

function restore(form, typed) {
  for (const name of FIELDS) {
    const field = form.elements[name];
    if (field && typed[name] && !field.value) field.value = typed[name];
  }
}

function read(key) {
  return attempt(() => {
    const { at, typed } = JSON.parse(localStorage.getItem(key) ?? '{}');
    return Date.now() - at < KEEP ? typed : {};
  }) ?? {};
}

// Private windows and some in-app browsers have no storage: then there is no draft, and nothing else changes.
function attempt(deed) {
  try {
    return deed();
  } catch {
    return undefined;
  }
}
