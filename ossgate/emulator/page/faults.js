// Faults: what there is, how often it was played, and a form for another.

import { call } from './api.js';
import { find, make } from './dom.js';

const NUMBERS = new Set(['seconds', 'status', 'after', 'copies', 'truncate', 'nth', 'times', 'probability', 'seed']);
const TELL = new Set(['id', 'on', 'action', 'seen', 'fired', 'left', 'times', 'nth', 'seed']);

export class Faults {
  async start() {
    this.form = find('fault-form');
    this.select = find('action');
    const { actions } = await call('actions');
    this.actions = new Map(actions.map((action) => [`${action.on}.${action.action}`, action]));
    const groups = Map.groupBy ? Map.groupBy(actions, (action) => action.on) : groupBy(actions);
    this.select.replaceChildren(...[...groups].map(([on, members]) => make('optgroup', { label: on },
      ...members.map((action) => make('option', { value: `${on}.${action.action}` }, `${on}: ${action.action.replaceAll('_', ' ')}`)))));
    this.select.addEventListener('change', () => this.showParameters());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.add();
    });
    find('clear-faults').addEventListener('click', async () => this.show((await call('faults', { method: 'DELETE' })).faults));
    this.showParameters();
    await this.refresh();
  }

  async refresh() {
    this.show((await call('faults')).faults);
  }

  show(faults) {
    find('faults').replaceChildren(...faults.map((fault) => this.render(fault)));
    find('no-faults').hidden = faults.length > 0;
    find('clear-faults').hidden = faults.length === 0;
  }

  showParameters() {
    const action = this.actions.get(this.select.value);
    const noun = { callback: 'The callback', request: 'The request', response: 'The answer', clock: 'The emulator’s clock', list: 'A listing', key: 'The key’s host', sts: 'AssumeRole' };
    find('action-title').textContent = `${noun[action.on] ?? action.on} ${action.title}.`;
    find('times').placeholder = action.standing ? 'until removed' : '1';
    find('parameters').replaceChildren(...action.parameters.map((name) => renderField(name, action.defaults[name])));
    this.tell('');
  }

  render(fault) {
    const facts = Object.entries(fault)
      .filter(([name, value]) => !TELL.has(name) && value !== '')
      .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
    if (fault.nth > 1) facts.push(`from occasion ${fault.nth} on`);
    const played = fault.times === null ? `played ${fault.fired} ${fault.fired === 1 ? 'time' : 'times'}, until removed` : `played ${fault.fired} of ${fault.times}`;
    const spent = fault.left === 0;
    return make('li', { class: spent ? 'spent' : '' },
      make('span', { class: 'fault-name' }, `${fault.on}.${fault.action}`),
      make('span', { class: 'about' }, [...facts, played].join(' · ')),
      make('button', {
        type: 'button',
        'aria-label': `Remove ${fault.on}.${fault.action}, ${fault.id}`,
        onclick: async () => {
          await call(`faults/${fault.id}`, { method: 'DELETE' }).catch(() => undefined);
          await this.refresh();
        },
      }, 'Remove'));
  }

  async add() {
    const action = this.actions.get(this.select.value);
    const fault = { on: action.on, action: action.action };
    try {
      for (const [name, value] of new FormData(this.form)) {
        if (value !== '') fault[name] = readValue(name, value);
      }
      this.show((await call('faults', { method: 'POST', body: fault })).faults);
      this.tell('');
    } catch (error) {
      this.tell(error.message);
    }
  }

  tell(problem) {
    const place = find('fault-problem');
    place.textContent = problem;
    place.hidden = !problem;
  }
}

function renderField(name, initial) {
  if (typeof initial === 'boolean') {
    return make('label', {}, `${name} `, make('select', { name },
      ...[false, true].map((value) => make('option', { value: String(value), selected: value === initial }, value ? 'yes' : 'no'))));
  }
  const hint = { change: '{"size": 1}', code: 'SlowDown', url: 'other or same', text: '<html>', message: '', truncate: '10', status: '500' };
  return make('label', {}, `${name} `, make('input', {
    name, value: initial ?? '', placeholder: hint[name] ?? '', spellcheck: false, inputMode: NUMBERS.has(name) ? 'decimal' : 'text',
  }));
}

function readValue(name, value) {
  if (value === 'true' || value === 'false') return value === 'true';
  if (NUMBERS.has(name)) return Number.isNaN(Number(value)) ? value : Number(value);
  if (name !== 'change') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new Error('“change” is written as JSON, like {"size": 1}.');
  }
}

function groupBy(actions) {
  const groups = new Map();
  for (const action of actions) groups.set(action.on, [...(groups.get(action.on) ?? []), action]);
  return groups;
}
