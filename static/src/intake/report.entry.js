// Comforts of the report form; without scripts it is complete as it is.
import { keepDraft } from './draft.js';
import { startPhotos } from './photos.js';
import { startMachine, startPlace, startPosition } from './where.js';

const form = document.querySelector('form[data-draft]');
keepDraft(form);
startPhotos(form.querySelector('[data-photos]'));
startMachine(form);
startPlace(form);
startPosition(form);
