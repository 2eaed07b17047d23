/**
 * Pieces that the console's views are made of: elements, badges, times, facts.
 */

import { exactSize, knows, pageData, shownName, size, t } from "./messages.js";

const TONES = { uploaded: "good", unconfirmed: "warn", issued: "wait" };
const times = new Intl.DateTimeFormat(pageData.language, { dateStyle: "medium", timeStyle: "medium" });

/** Find an element of the page. */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element.
 *
 * @param {string} name
 * @param {Record<string, unknown>} [properties] Properties of the element; `data` becomes its data attributes.
 * @param {(Node | string | null)[]} children Those that are null are left out.
 */
export function make(name, { data = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  Object.assign(element.dataset, data);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Write a state as a word in a colour. */
export function showState(badge, state) {
  badge.textContent = knows(`state.${state}`) ? t(`state.${state}`) : state;
  badge.className = `badge badge-${TONES[state] ?? "quiet"}`;
  badge.title = knows(`state.${state}_hint`) ? t(`state.${state}_hint`) : "";
  return badge;
}

/** Write a time in the reader's zone. */
export function time(text) {
  const element = make("time", { dateTime: text, title: text });
  element.textContent = times.format(new Date(text));
  return element;
}

/** Write foreign text, which may run in any direction. */
export function foreign(text, most) {
  return make("bdi", { dir: "auto", title: text }, shownName(text, most));
}

/** Write a size; the bytes are in its title. */
export function bytes(count) {
  return count === null ? "" : make("span", { title: exactSize(count) }, size(count));
}

/** Write facts as terms and what they are; those that are nothing are left out. */
export function facts(list, entries) {
  list.replaceChildren(
    ...entries
      .filter(([, value]) => value !== null && value !== "")
      .map(([name, value]) => make("div", {}, make("dt", {}, t(`fact.${name}`)), make("dd", {}, value))),
  );
}

/** Write what went wrong, in the reader's words where there are any. */
export function explain(error) {
  if (knows(`error.${error.code}`)) {
    return t(`error.${error.code}`, { status: error.status });
  }
  return [error.message, error.hint].filter(Boolean).join(" ");
}
