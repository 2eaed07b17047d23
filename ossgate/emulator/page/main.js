// Keeps the page in step with the emulator: waits for events, and looks again at what they may have changed.

import { call, query } from './api.js';
import { find, make } from './dom.js';
import { Faults } from './faults.js';
import { Objects } from './objects.js';
import { Transcript } from './transcript.js';

const transcript = new Transcript();
const objects = new Objects();
const faults = new Faults();
let run = '';
let since = 0;
let due = 0;

function tellConnection(state, words) {
  const place = find('connection');
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.textContent = words;
}

async function refresh() {
  const state = await call('state');
  find('place').replaceChildren(...[['Endpoint', state.url], ['Region', state.region]].map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value))));
  objects.showBuckets(state.buckets, state.bucket);
  await Promise.all([objects.refresh(), faults.refresh()]);
}

function refreshSoon() {
  // A burst of events is one look.
  if (due) return;
  due = setTimeout(() => {
    due = 0;
    refresh().catch(() => undefined);
  }, 150);
}

async function follow() {
  let pause = 500;
  for (;;) {
    try {
      const answer = await call(`events?${query({ since, follow: run && '1' })}`);
      if (run && answer.run !== run) {
        // Another emulator has taken the place: its numbers begin anew.
        transcript.clear();
        since = 0;
        run = '';
        continue;
      }
      run = answer.run;
      since = answer.last;
      transcript.add(answer.events);
      if (answer.events.length) refreshSoon();
      tellConnection('live', 'live');
      pause = 500;
    } catch {
      tellConnection('lost', 'not reachable');
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 5000);
    }
  }
}

find('clear-all').addEventListener('click', () => find('confirm').showModal());
find('confirm-no').addEventListener('click', () => find('confirm').close());
find('confirm-yes').addEventListener('click', async () => {
  await call('clear', { method: 'POST' });
  find('confirm').close();
  transcript.clear();
  objects.restart();
  await refresh();
});

await faults.start();
await refresh();
follow();
