// One tablet under Node: the real store (IndexedDB by fake-indexeddb), the real link and lanes, against a real server.
// It records what the plan says while the line fails, "reloads" and opens second tabs as the plan says, and then waits
// until nothing is left. argv: the plan as JSON {base, cookie, person, seed, visit, fields, part, commands, photos,
// reloads, tabs}. stdout: JSON lines: {kept}, then {left, rows, recorded}.

import 'fake-indexeddb/auto';
import { createHash } from 'node:crypto';
import { Clock } from '../../../static/src/tablet/clock.js';
import { Link } from '../../../static/src/tablet/link.js';
import { newId, openStore } from '../../../static/src/tablet/store.js';
import { Sync } from '../../../static/src/tablet/sync.js';

const plan = JSON.parse(process.argv[2]);
const chance = mulberry(plan.seed);
const pages = [];
const recorded = [];
const photos = {};
const HURRY = 3_000; // ms: sooner, and those who ask keep a server that begins anew from beginning
const PATIENCE = 4_000; // ms: a server killed in the middle of a request says nothing more

let offline = plan.offline;
const browser = (path, options) => offline ? Promise.reject(new Error('no network')) : fetch(path, { ...options, headers: { ...options.headers, Cookie: plan.cookie, Connection: 'close' } });

async function page() {
  const store = await openStore(plan.person);
  const clock = new Clock({ offset: (await store.kept('offset')) || 0 });
  const sync = new Sync(store, new Link(plan.person, { base: plan.base, fetch: browser, patience: () => PATIENCE }), clock);
  sync.start();
  const one = { store, sync, clock };
  pages.push(one);
  return one;
}

// What a reload or a killed browser leaves: whatever ran ends in the middle, the store stays.
async function leave(one) {
  one.sync.stop();
  one.sync.link.fetch = () => Promise.reject(new Error('this page is gone'));
  if (chance() < 0.5) (await one.store.open()).close();
  pages.splice(pages.indexOf(one), 1);
}

async function record(one, kind, payload, upload) {
  const { at, device } = one.clock.record();
  const command = { id: newId(), kind, at: new Date(at).toISOString(), device_at: new Date(device).toISOString(), base_version: 1, payload: { visit: plan.visit, ...payload } };
  await one.store.add([command], upload ? [{ ...upload, at: command.at }] : []);
  recorded.push({ id: command.id, kind, ...payload });
  if (chance() < 0.5) one.sync.now();
}

const notes = () => ({ words: `note ${recorded.length}` });
const answers = () => {
  const { code, value } = pick(plan.fields);
  return { field: code, value };
};

async function recordOne(one, number) {
  const drawn = chance();
  if (number < plan.steps.length) return record(one, 'move', { to: plan.steps[number] });
  if (drawn < 0.2) return record(one, 'part', { part: plan.part, quantity: 1 });
  if (drawn < 0.4) return record(one, 'summary', { summary: `summary ${number}` });
  return drawn < 0.7 ? record(one, 'note', notes()) : record(one, 'answer', answers());
}

async function recordPhoto(one, number) {
  const bytes = picture(number);
  const id = newId();
  photos[id] = createHash('sha256').update(bytes).digest('hex');
  const upload = { id, visit: plan.visit, bytes: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), name: `photo ${number}.jpg` };
  await record(one, 'photo', { upload: id }, upload);
}

// A small real JPEG, padded behind its end so that it has several parts and each photo is another file.
function picture(number) {
  const jpeg = Buffer.from(plan.jpeg, 'base64');
  const more = Buffer.alloc(Math.floor(chance() * plan.padding), number + 1);
  return Buffer.concat([jpeg, more, Buffer.from([plan.seed & 255, number])]);
}

async function day() {
  let one = await page();
  const total = plan.commands + plan.photos;
  const photoAt = new Set();
  while (photoAt.size < plan.photos) photoAt.add(plan.steps.length + Math.floor(chance() * (total - plan.steps.length)));
  const turnAt = new Set(Array.from({ length: plan.reloads }, () => Math.floor(chance() * total)));
  for (let number = 0; number < total; number += 1) {
    await (photoAt.has(number) ? recordPhoto(one, number) : recordOne(one, number));
    if (turnAt.has(number)) {
      if (chance() < 0.5 || !plan.tabs) {
        await leave(one);
        one = await page();
      } else one = await page(); // a second tab, and the first goes on
    }
    if (chance() < plan.pause) await sleep(chance() * 30);
  }
  return one;
}

async function untilNothingIsLeft(one) {
  const until = Date.now() + plan.patience;
  let hurried = 0;
  for (;;) {
    const [commands, uploads] = await Promise.all([one.store.commands(), one.store.uploads()]);
    const open = [...commands, ...uploads].filter(row => row.state === 'waiting' || row.state === 'held');
    if (!open.length) return { left: 0, rejected: [...commands, ...uploads].filter(row => row.state === 'rejected').map(row => [row.kind || 'upload', row.result?.code || row.why]) };
    if (Date.now() > until) return { left: open.length, states: pages.map(({ sync }) => [sync.state, sync.words]), rejected: [] };
    if (Date.now() > hurried + HURRY) {
      hurried = Date.now();
      one.sync.hurry(); // as somebody does who sees the network come back
    }
    await sleep(250); // reading the store is what a trial spends its time on
  }
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const pick = list => list[Math.floor(chance() * list.length)];

function mulberry(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let drawn = Math.imul(state ^ (state >>> 15), state | 1);
    drawn ^= drawn + Math.imul(drawn ^ (drawn >>> 7), drawn | 61);
    return ((drawn ^ (drawn >>> 14)) >>> 0) / 4294967296;
  };
}

const last = await day();
offline = false;
const began = Date.now();
const outcome = await untilNothingIsLeft(last);
console.log(JSON.stringify({ ...outcome, ms: Date.now() - began, device: last.store.device, recorded, photos }));
process.exit(0);
