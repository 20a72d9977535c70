// Forms and dialogs: one press sends once; buttons open and close what they name.

export function startForms() {
  document.addEventListener('submit', guard);
  addEventListener('pageshow', event => { if (event.persisted) document.querySelectorAll('form[data-sent]').forEach(release); });
  document.addEventListener('click', openOrClose);
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

function openOrClose(event) {
  const opener = event.target.closest('[data-dialog]');
  if (opener) {
    document.getElementById(opener.dataset.dialog)?.showModal();
    event.preventDefault();
  } else if (event.target.closest('[data-close]')) {
    event.target.closest('dialog')?.close();
  }
}
