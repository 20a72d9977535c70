// Forms and dialogs: one press sends once; buttons open and close what they name.

export function startForms() {
  document.addEventListener('submit', guard);
  addEventListener('pageshow', event => { if (event.persisted) document.querySelectorAll('form[data-sent]').forEach(release); });
  document.addEventListener('click', openOrClose);
  document.addEventListener('change', tellFile);
}

// A second press while the first is on its way is dropped. `data-repeat` on a form (a download) opts out;
// htmx looks after its own forms, which arrive here already prevented.
function guard(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post' || 'repeat' in form.dataset) return;
  if ('sent' in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = '';
  event.submitter?.setAttribute('aria-busy', 'true');
}

function release(form) {
  delete form.dataset.sent;
  form.querySelectorAll('[aria-busy]').forEach(button => button.removeAttribute('aria-busy'));
}

// A file field of the house tells what was chosen in the page's language; the browser's own would tell it in its own.
function tellFile({ target }) {
  if (!target.matches?.('input[data-file]')) return;
  const told = document.getElementById(`${target.id}-chosen`);
  told.dataset.none ??= told.textContent;
  told.textContent = [...target.files].map(file => file.name).join(', ') || told.dataset.none;
}

function openOrClose(event) {
  const opener = event.target.closest('[data-dialog]');
  if (opener) {
    document.getElementById(opener.dataset.dialog)?.showModal();
    event.preventDefault();
  } else if (event.target.closest('[data-close]')) {
    event.target.closest('dialog')?.close();
  }
}
