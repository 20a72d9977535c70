// Forms of records: suggestions for fields that refer to something, and the map.

import './place-map.js';
import './suggest.js';
