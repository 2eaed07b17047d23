/**
 * Texts, numbers and times in the reader's language, out of the data that the page carries.
 *
 * The texts themselves are in messages/en.json and messages/zh.json, shared with the server.
 */

const data = JSON.parse(document.getElementById("page-data").textContent);
const language = document.documentElement.lang;
const narrow = matchMedia("(max-width: 34rem)").matches;
const plurals = new Intl.PluralRules(language);
const percents = new Intl.NumberFormat(language, { style: "percent" });

/** What the server put into the page beside the texts. */
export const pageData = data;

/**
 * Fetch a text and put the values in.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  return (data.messages[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Tell whether there is a text under a key. */
export function knows(key) {
  return key in data.messages;
}

/** Fetch the form of a text that fits a number. */
export function plural(key, n) {
  return t(`${key}.${plurals.select(n)}`, { n });
}

/** Join sentences as the language does. */
export function sentences(...parts) {
  return parts.filter(Boolean).join(language.startsWith("zh") ? "" : " ");
}

/** Write a share of 1 as a percentage. */
export function percent(share) {
  return percents.format(Math.floor(share * 100) / 100);
}

/**
 * Write a size as people read it; 1 KB is 1,024 bytes, as in the limits of profiles.
 *
 * @param {number} bytes
 * @param {boolean} [steady] Always one decimal, so that a running figure does not change its width.
 * @returns {string}
 */
export function size(bytes, steady = false) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 ? 0 : 1;
  return `${value.toLocaleString(language, { minimumFractionDigits: steady ? digits : 0, maximumFractionDigits: digits })} ${units[unit]}`;
}

/** Write a size to the byte. */
export function exactSize(bytes) {
  return `${bytes.toLocaleString(language)} B`;
}

/** Write a span of seconds, in steps coarse enough not to flicker. */
export function duration(seconds) {
  if (seconds < 60) {
    return t("unit.seconds", { n: Math.max(1, seconds < 15 ? Math.ceil(seconds) : Math.ceil(seconds / 5) * 5) });
  }
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60
    ? t("unit.minutes", { n: minutes })
    : t("unit.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

/**
 * Prepare a file name for display: no characters that reorder what stands around them, and the middle
 * left out where it is very long.
 *
 * @param {string} name
 * @param {number} [most] Characters as people count them; fewer on narrow screens.
 * @returns {string}
 */
export function shownName(name, most = narrow ? 48 : 72) {
  const clean = name.replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, "").replace(/\p{Cc}/gu, "\ufffd");
  const letters = Intl.Segmenter ? Array.from(new Intl.Segmenter().segment(clean), (each) => each.segment) : [...clean];
  const tail = Math.floor(most / 3);
  return letters.length > most
    ? `${letters.slice(0, most - tail - 1).join("")}…${letters.slice(-tail).join("")}`
    : clean;
}
