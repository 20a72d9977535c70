// A drop: first what would come of it, in a small dialog beside the bar; then it is done, with ten seconds to undo it.

import { t } from '../../foundation/texts.js';
import { toast } from '../../foundation/toast.js';
import { icon } from '../timeline/icons.js';
import { make, MINUTE } from '../timeline/pieces.js';
import { ask, technicianOf } from './server.js';

const GAP = 8; // px between bar and dialog

export class Drop {
  #timeline;
  #feed;
  #dialog = document.querySelector('#drop');

  constructor(timeline, feed) {
    this.#timeline = timeline;
    this.#feed = feed;
  }

  /** Moves as the timeline tells them: {id, order, lane, start, end, version}; what is dropped waits until it is answered. */
  async propose(moves) {
    const ids = moves.map(move => move.id);
    try {
      const told = await ask('/dispatch/preview', { moves: moves.map(wish) });
      const choice = await this.#choose(told, ids[0]);
      if (choice === 'confirm') return await this.#carryOut(moves);
      if (choice === 'offer') return await this.propose(moves.map(move => ({ ...move, start: told.offer.start, end: told.offer.start + move.end - move.start })));
    } catch (error) {
      this.#giveBack(ids);
      await this.#choose({ title: t('Not done'), lines: [{ tone: 'bad', icon: 'triangle-alert', text: error.message }], allowed: false }, ids[0]);
    }
    return this.#giveBack(ids);
  }

  async #carryOut(moves) {
    const done = await ask('/dispatch/moves', { moves: moves.map(wish) });
    await this.#feed.refresh();
    this.#timeline.remove(moves.filter(move => move.order).map(move => move.id)); // what came of them stands there now
    this.#toast(done);
  }

  #giveBack(ids) {
    this.#timeline.settle(ids);
    this.#feed.refresh();
  }

  #toast({ text, undo, seconds }) {
    toast(text, { seconds, undo: () => this.#takeBack(undo) });
  }

  async #takeBack(token) {
    try {
      toast((await ask('/dispatch/undo', { token })).text);
    } catch (error) {
      toast(error.message);
    }
    this.#feed.refresh();
  }

  // The dialog, until it is answered: 'confirm', 'offer' or '' when it was left.
  #choose(told, id) {
    const dialog = this.#dialog;
    const { sprite } = this.#timeline;
    dialog.returnValue = '';
    dialog.replaceChildren(...content(told, sprite));
    dialog.showModal();
    this.#beside(id);
    dialog.querySelector('[autofocus]')?.focus();
    return new Promise(resolve => { dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true }); });
  }

  #beside(id) {
    const bar = this.#timeline.querySelector(`.tml-bar[data-id="${CSS.escape(id)}"]`)?.getBoundingClientRect();
    const { style, offsetWidth, offsetHeight } = this.#dialog;
    if (!bar) {
      style.removeProperty('margin');
      style.removeProperty('inset');
      return;
    }
    const below = bar.bottom + GAP + offsetHeight < innerHeight;
    const top = below ? bar.bottom + GAP : Math.max(GAP, bar.top - GAP - offsetHeight);
    const left = Math.max(GAP, Math.min(bar.left, innerWidth - offsetWidth - GAP));
    style.margin = '0';
    style.inset = `${Math.round(top)}px auto auto ${Math.round(left)}px`;
  }
}

/** A move as the server takes it. */
function wish({ id, order, lane, start, end, version }) {
  const subject = order ? { order } : { visit: Number(id) };
  return { ...subject, version, technician: Number(technicianOf(lane)), starts_at: new Date(start).toISOString(), duration_min: Math.round((end - start) / MINUTE) };
}

function content({ title, lines, allowed, offer }, sprite) {
  const form = make('form', 'stack g6', { method: 'dialog' });
  const heading = Object.assign(make('h2', '', { id: 'drop-title' }), { textContent: title });
  const list = make('ul', 'stack g4');
  for (const line of lines) {
    const item = make('li', 'row g6 tone', { 'data-s': line.tone });
    item.append(icon(sprite, line.icon), Object.assign(make('span'), { textContent: line.text }));
    list.append(item);
  }
  const buttons = make('div', 'dialog-f');
  if (offer) buttons.append(button(offer.text, 'offer', true));
  buttons.append(button(allowed ? t('Cancel') : t('Close'), '', !allowed && !offer));
  if (allowed) buttons.append(button(t('Confirm'), 'confirm', true));
  form.append(heading, list, buttons);
  return [form];
}

function button(text, value, first) {
  const made = make('button', `btn${first ? ' btn-primary' : ''}`, { type: 'submit', value });
  made.toggleAttribute('autofocus', first);
  made.textContent = text;
  return made;
}
