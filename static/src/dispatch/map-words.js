// Every text of the map, for whoever puts it on a page.

import { t } from '../foundation/texts.js';

const GROUPS = { person: () => t('technicians'), station: () => t('stations'), area: () => t('areas') };

const how = area => area.how ?? `${area.factor}×`; // how slow it is there

/** @param {Record<string, string>} tones what each hue means on this page */
export function mapWords(tones = {}) {
  const length = km => (km < 1 ? t('%(count)s m', { count: Math.round(km * 1000) }) : t('%(count)s km', { count: km < 10 ? km : Math.round(km) }));
  return {
    label: t('Map'),
    help: t('Arrows move, plus and minus zoom, 0 shows all, Tab goes through what is shown, Escape lets you leave, Enter selects.'),
    empty: t('Nothing to show on the map'),
    fit: t('Show all'), zoomIn: t('Zoom in'), zoomOut: t('Zoom out'),
    scale: ({ km }) => length(km),
    station: one => one.title,
    person: (one, { count }) => `${one.title}, ${t('%(count)s jobs', { count })}`,
    job: (one, stop) => [one.short, one.title, tones[one.tone], stop && t('%(number)s of %(of)s with %(name)s', { number: stop.number, of: stop.of, name: stop.person.title })].filter(Boolean).join(', '),
    area: one => [one.title, how(one), one.until].filter(Boolean).join(', '),
    slow: one => [one.title, how(one), one.until].filter(Boolean).join(' '),
    factor: how,
    group: ({ kind, count }) => `${count} ${(GROUPS[kind] || (() => t('jobs')))()}`,
    view: ({ km, count }) => t('%(width)s wide, %(count)s shown', { width: length(km), count }),
    opened: t('%(count)s spread out'),
    drawing: t('Drawing an area: click its corners, Enter closes it'),
    point: t('Corner %(count)s'),
    few: t('At least %(least)s corners'),
    closed: t('Area of %(count)s corners'),
    cancelled: t('Drawing given up'),
  };
}
