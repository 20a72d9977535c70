// The page of a plan: routes as they would be and as they are on the map; what is pointed at in one is shown in the other.

import { t } from '../foundation/texts.js';
import { DispatchMap } from './map/element.js';
import { mapWords } from './map-words.js';

customElements.define('dispatch-map', DispatchMap);
fill();
document.addEventListener('htmx:after:swap', fill); // the plan was computed while somebody watched
document.addEventListener('pointerover', ({ target }) => point(target.closest?.('tr[data-order]')?.dataset.order));
document.addEventListener('map-hover', ({ detail }) => mark(detail.kind === 'job' ? detail.id : null));

function fill() {
  const map = document.getElementById('plan-map');
  const drawn = document.getElementById('plan-drawn');
  if (!map || !drawn || map.dataset.filled) return;
  map.dataset.filled = 'yes';
  const { compare, ...data } = JSON.parse(drawn.textContent);
  map.words = mapWords({ ok: t('placed'), info: t('moved'), warn: t('dropped'), mute: t('unchanged') });
  map.data = data;
  map.compare = compare;
}

function point(order) {
  const map = document.getElementById('plan-map');
  if (map?.dataset.filled) map.highlight = order ? { kind: 'job', id: order } : null;
}

function mark(order) {
  for (const row of document.querySelectorAll('tr[data-order]')) row.toggleAttribute('data-pointed', row.dataset.order === order);
}
