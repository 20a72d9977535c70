// The timeline of the dispatch board as an element of its own: <resource-timeline>.

import { ResourceTimeline } from './timeline/element.js';

customElements.define('resource-timeline', ResourceTimeline);
