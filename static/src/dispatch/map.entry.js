// The map of the dispatch board as an element of its own: <dispatch-map>.

import { DispatchMap } from './map/element.js';

customElements.define('dispatch-map', DispatchMap);
