/**
 * The inbox: callbacks as they came, with what was made of them; headers and body are asked for when somebody looks.
 */

import { fetchCallback, listCallbacks } from "./console-api.js";
import { Pages } from "./console-lists.js";
import { byId, explain, make, time } from "./console-parts.js";
import { knows, size, t } from "./messages.js";

const TONES = { believed: "good", repeated: "good", unconfirmed: "warn", unavailable: "warn", refused: "bad", crashed: "bad" };

let filters = {};

export const callbacks = new Pages("callbacks", byId("callbacks-items"), async (cursor) => {
  const page = await listCallbacks(filters, cursor);
  return { rows: page.callbacks.map(makeCallback), cursor: page.next_cursor };
});

/** Show the callbacks that filters let through. */
export function showCallbacks(wanted) {
  filters = wanted;
  const narrowed = Object.values(wanted).some(Boolean);
  byId("callbacks-empty-hint").textContent = t(narrowed ? "callbacks.empty_hint" : "callbacks.none_hint");
  return callbacks.show();
}

function makeCallback(callback) {
  const verdict = knows(`verdict.${callback.verdict}`) ? t(`verdict.${callback.verdict}`) : callback.verdict;
  const layer = knows(`layer.${callback.layer}`) ? t(`layer.${callback.layer}`) : callback.layer;
  const link = callback.upload_id
    ? make("p", {}, make("a", { href: `#/uploads/${callback.upload_id}` }, t("callbacks.upload")))
    : null;
  return make(
    "li",
    { className: "card", data: { verdict: callback.verdict, code: callback.code ?? "" } },
    make(
      "p",
      { className: "callback-head" },
      make("span", { className: `badge badge-${TONES[callback.verdict] ?? "quiet"}` }, verdict),
      layer ? make("span", {}, layer) : null,
      callback.code ? make("code", {}, callback.code) : null,
      make(
        "span",
        { className: "muted" },
        time(callback.at),
        ` ${t("callbacks.from", { address: callback.remote_addr || "?", ms: callback.took_ms })}`,
      ),
    ),
    callback.detail ? make("p", { lang: "en" }, callback.detail) : null,
    link,
    makeRequest(callback),
  );
}

function makeRequest(callback) {
  const rest = make("div", {});
  const details = make(
    "details",
    {},
    make("summary", {}, t("callbacks.request")),
    make("pre", { dir: "ltr", tabIndex: 0 }, `POST ${callback.raw_target}`),
    rest,
  );
  details.addEventListener("toggle", async () => {
    if (!details.open || rest.childElementCount > 0) {
      return;
    }
    try {
      rest.replaceChildren(...makeRest(await fetchCallback(callback.callback_id)));
    } catch (error) {
      rest.textContent = explain(error);
    }
  });
  return details;
}

function makeRest(whole) {
  const headers = Object.entries(whole.headers).map(([name, value]) => `${name}: ${value}`);
  return [
    headers.length > 0 ? make("pre", { dir: "ltr", tabIndex: 0 }, headers.join("\n")) : "",
    make("p", { className: "muted" }, t("callbacks.body", { size: size(whole.body_size) })),
    whole.body ? make("pre", { dir: "ltr", tabIndex: 0 }, whole.body) : "",
    whole.replayable
      ? make("p", { className: "muted" }, t("callbacks.replay"), " ", make("code", {}, `ossgate inbox replay ${whole.callback_id}`))
      : make("p", { className: "muted" }, t("callbacks.cut")),
  ];
}
