// On every page: theme, forms, dialogs, toasts, running clocks. Pages work without it.

import { startClocks } from './clocks.js';
import { startForms } from './forms.js';
import { startTheme } from './theme.js';
import { startToasts } from './toast.js';

startTheme();
startForms();
startToasts();
startClocks();
