/**
 * The lists: counts and uploads, and what every list is. Each shows a page and adds the next when told to.
 */

import { fetchCounts, listUploads } from "./console-api.js";
import { byId, bytes, foreign, make, showState, time } from "./console-parts.js";
import { pageData, plural, t } from "./messages.js";

const numbers = new Intl.NumberFormat(pageData.language);

/** A list that grows by pages; an answer that comes after another question was asked is dropped. */
export class Pages {
  #asked = 0;
  #cursor = null;

  /**
   * @param {string} name The ids of its elements begin so.
   * @param {HTMLElement} list
   * @param {(cursor: string | null) => Promise<{ rows: Node[], cursor: string | null }>} fetchPage
   */
  constructor(name, list, fetchPage) {
    this.name = name;
    this.list = list;
    this.fetchPage = fetchPage;
  }

  async show() {
    this.#cursor = null;
    return this.#fetch((rows) => this.list.replaceChildren(...rows));
  }

  async showMore() {
    const before = this.list.lastElementChild;
    const shown = await this.#fetch((rows) => this.list.append(...rows));
    before?.nextElementSibling?.querySelector("a, summary")?.focus();
    return shown;
  }

  async #fetch(place) {
    const number = ++this.#asked;
    const more = byId(`${this.name}-more`);
    this.list.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const { rows, cursor } = await this.fetchPage(this.#cursor);
      if (number !== this.#asked) {
        return null;
      }
      this.#cursor = cursor;
      place(rows);
      more.hidden = cursor === null;
      byId(`${this.name}-empty`).hidden = this.list.childElementCount > 0;
    } finally {
      more.disabled = false;
      this.list.removeAttribute("aria-busy");
    }
    return plural(`${this.name === "uploads" ? "list" : this.name}.shown`, this.list.childElementCount);
  }
}

let filters = {};

export const uploads = new Pages("uploads", byId("uploads-rows"), async (cursor) => {
  const page = await listUploads(filters, cursor);
  return { rows: page.uploads.map(makeRow), cursor: page.next_cursor };
});

/** Show the uploads that filters let through. */
export async function showUploads(wanted) {
  filters = wanted;
  const narrowed = Object.values(wanted).some(Boolean);
  byId("uploads-empty-hint").textContent = t(narrowed ? "list.empty_hint" : "list.none_hint");
  const told = await uploads.show();
  byId("uploads-table").hidden = byId("uploads-rows").childElementCount === 0;
  return told;
}

/** Show how many uploads of the period are in each state. */
export async function showCounts(seconds) {
  const counts = await fetchCounts(seconds);
  const shown = Object.entries(counts.states).map(([state, n]) =>
    makeCount(`#/uploads?${new URLSearchParams({ state })}`, showState(make("span"), state), n),
  );
  const refused = make("span", { className: "badge badge-bad" }, t("counts.refusals"));
  byId("counts").replaceChildren(...shown, makeCount("#/callbacks?verdict=refused", refused, counts.refusals));
}

function makeCount(href, badge, n) {
  const label = t("counts.filter", { state: badge.textContent, n: numbers.format(n) });
  const link = make("a", { href, ariaLabel: label }, make("span", { className: "count" }, numbers.format(n)), badge);
  return make("li", { data: { none: n ? "" : "none" } }, link);
}

function makeRow(upload) {
  const cell = (column, ...children) => make("td", { data: { label: t(`list.${column}`), column } }, ...children);
  const link = make("a", { href: `#/uploads/${upload.upload_id}` }, foreign(upload.file_name, 60));
  return make(
    "tr",
    { data: { state: upload.state, id: upload.upload_id } },
    cell("state", showState(make("span"), upload.state)),
    cell("file", link, make("span", { className: "muted key", dir: "ltr" }, upload.object_key)),
    cell("profile", upload.profile),
    cell("subject", foreign(upload.subject, 40)),
    cell("size", bytes(upload.size)),
    cell("created", time(upload.created_at)),
  );
}
