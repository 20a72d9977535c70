// The report has arrived: drafts are no longer needed.
import { forgetDrafts } from './draft.js';

forgetDrafts();
