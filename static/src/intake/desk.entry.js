// The division of an address is told while the agent types, and asked back at once where it is not clear.
import { startPlace } from './where.js';

startPlace(document.querySelector('.intake-desk'));
