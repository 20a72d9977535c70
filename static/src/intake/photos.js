// Photos are shown before they are sent, can be added one by one, and taken away again.
import { t } from '../foundation/texts.js';

const MOST = 10;

export function startPhotos(box) {
  const input = box.querySelector('input[type="file"]');
  const kept = box.querySelectorAll('.intake-held').length;
  let files = [];
  input.classList.add('sr');
  input.addEventListener('change', () => {
    files = [...files, ...input.files].slice(0, MOST - kept);
    show();
  });

  function show() {
    const carrier = new DataTransfer();
    files.forEach(file => carrier.items.add(file));
    input.files = carrier.files;
    for (const old of box.querySelectorAll('[data-preview]')) {
      URL.revokeObjectURL(old.querySelector('img').src);
      old.remove();
    }
    input.closest('label').before(...files.map(preview));
    input.closest('label').hidden = files.length + kept >= MOST;
  }

  function preview(file, index) {
    const frame = document.createElement('figure');
    frame.className = 'photo';
    frame.dataset.preview = '';
    const image = document.createElement('img');
    image.src = URL.createObjectURL(file);
    image.alt = t('Photo %(number)s', { number: kept + index + 1 });
    const away = document.createElement('button');
    away.type = 'button';
    away.className = 'intake-away';
    away.textContent = '×';
    away.setAttribute('aria-label', t('Remove photo %(number)s', { number: kept + index + 1 }));
    away.addEventListener('click', () => {
      files.splice(index, 1);
      show();
      input.focus();
    });
    frame.append(image, away);
    return frame;
  }
}
