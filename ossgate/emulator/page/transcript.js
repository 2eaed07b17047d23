// The transcript: newest first, each event a line that opens to all that is known of it.

import { call } from './api.js';
import { find, formatSize, formatTime, make } from './dom.js';

const KEPT = 1000;
const FACTS = [
  ['operation', 'Operation'], ['method', 'Method'], ['code', 'Code'], ['ec', 'EC'], ['receiver', 'Receiver'],
  ['fault', 'Fault'], ['fault_id', 'Fault ID'], ['faults', 'Faults played'], ['size', 'Size'], ['request_id', 'Request ID'],
  ['at', 'Time'], ['query', 'Query'], ['message', 'Message'],
];
const WIDE = new Set(['query', 'message']);

export class Transcript {
  constructor() {
    this.list = find('events');
    this.open = new Set();
    find('search').addEventListener('input', () => this.filter());
    find('kind').addEventListener('change', () => this.filter());
    find('clear-events').addEventListener('click', async () => {
      await call('events', { method: 'DELETE' });
      this.clear();
    });
    this.filter();
  }

  add(events) {
    const fragment = document.createDocumentFragment();
    for (const event of events) fragment.prepend(render(event));
    this.list.prepend(fragment);
    while (this.list.children.length > KEPT) this.list.lastElementChild.remove();
    this.filter();
  }

  clear() {
    this.list.replaceChildren();
    this.filter();
  }

  filter() {
    const words = find('search').value.trim().toLowerCase();
    const kind = find('kind').value;
    let shown = 0;
    for (const item of this.list.children) {
      const hidden = (kind !== 'all' && !item.dataset.kinds.includes(kind)) || !item.dataset.words.includes(words);
      item.hidden = hidden;
      if (!hidden) shown += 1;
    }
    const empty = find('no-events');
    empty.hidden = shown > 0;
    empty.textContent = this.list.children.length
      ? 'No event fits.'
      : 'Nothing has been asked for yet. Point a client at this endpoint, and each request appears here with what became of it.';
  }
}

function render(event) {
  const name = event.event === 'refused' ? event.operation : event.event;
  const where = event.receiver ? `→ ${event.receiver}` : tellWhere(event);
  const tone = event.event === 'fault' ? 'fault' : toneOf(event.status);
  const summary = make('summary', {},
    make('time', { class: 'time', dateTime: event.at, title: event.at }, formatTime(event.at)),
    make('span', { class: `status ${tone}` }, event.event === 'fault' ? 'fault' : String(event.status ?? '·')),
    make('span', { class: 'name' }, (event.event === 'fault' ? event.fault : name ?? '').replaceAll('_', ' ')),
    make('span', { class: 'where' }, where),
    make('span', { class: 'duration' }, tellAmount(event)),
    tellTrouble(event),
  );
  const details = make('details', {}, summary);
  details.addEventListener('toggle', () => {
    // Built when it is opened for the first time.
    if (details.open && details.children.length === 1) details.append(renderFacts(event));
  });
  const item = make('li', { class: `event ${tone}` }, details);
  item.dataset.words = JSON.stringify(event).toLowerCase();
  item.dataset.kinds = [
    event.event === 'fault' || event.status === 203 || event.status >= 400 ? 'trouble' : '',
    event.event.startsWith('callback') ? 'callbacks' : '',
  ].join(' ');
  return item;
}

function tellWhere(event) {
  if (!event.bucket) return '';
  if (event.object_key) return `${event.bucket}/${event.object_key}`;
  // What a listing asks for stands in its query.
  return event.query && !event.query.includes('=***(') ? `${event.bucket}?${event.query}` : event.bucket;
}

function tellAmount(event) {
  if (event.duration_ms !== undefined) return `${event.duration_ms} ms`;
  return event.size === undefined ? '' : formatSize(event.size);
}

function tellTrouble(event) {
  const words = [event.code, event.message].filter(Boolean).join(': ');
  return words ? make('span', { class: 'trouble' }, words) : null;
}

function toneOf(status) {
  if (!status) return 'plain';
  if (status === 203) return 'warn';
  if (status >= 500) return 'bad';
  return status >= 400 ? 'warn' : 'good';
}

function renderFacts(event) {
  const facts = make('div', { class: 'facts' });
  if (event.reason) facts.append(make('p', { class: 'reason' }, event.reason));
  const list = make('dl');
  for (const [name, title] of FACTS) {
    const value = event[name];
    if (value === undefined || value === '') continue;
    list.append(make('div', { class: WIDE.has(name) ? 'wide' : '' }, make('dt', {}, title), make('dd', {}, Array.isArray(value) ? value.join(', ') : String(value))));
  }
  facts.append(list);
  for (const [name, title] of [['string_to_sign', 'StringToSign, as it should have been'], ['canonical_request', 'CanonicalRequest, as it should have been']]) {
    if (!event[name]) continue;
    const copy = make('button', { type: 'button', onclick: () => copyText(copy, event[name]) }, 'Copy');
    facts.append(make('div', { class: 'signed-head' }, make('h3', {}, title), copy));
    facts.append(make('pre', { tabIndex: 0 }, event[name]));
  }
  return facts;
}

async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    // Clipboards are closed to pages on plain addresses.
    button.textContent = 'Select it by hand';
  }
}
