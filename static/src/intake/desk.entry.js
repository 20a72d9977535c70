// The division of an address is told while the agent types; what was typed survives a reload until it is sent.
import { forgetDrafts, keepDraft } from './draft.js';
import { startPlace } from './where.js';

const form = document.querySelector('.intake-desk');
keepDraft(form);
form.addEventListener('submit', forgetDrafts);
startPlace(form);
