/**
 * One upload: its facts, its history, and the button that asks the bucket.
 */

import { confirmUpload, fetchHistory } from "./console-api.js";
import { byId, bytes, facts, foreign, make, showState, time } from "./console-parts.js";
import { knows, t } from "./messages.js";

const CONFIRMABLE = new Set(["issued", "unconfirmed", "expired"]);

let shown = null;

/** Show an upload. */
export async function showUpload(uploadId) {
  const { upload, changes, truncated } = await fetchHistory(uploadId);
  if (shown !== uploadId) {
    byId("one-reply").hidden = true;
  }
  shown = uploadId;
  showState(byId("one-state"), upload.state);
  byId("one-hint").textContent = knows(`state.${upload.state}_hint`) ? t(`state.${upload.state}_hint`) : "";
  byId("one-title").replaceChildren(foreign(upload.file_name));
  const open = byId("one-open");
  open.hidden = !upload.url;
  if (upload.url) {
    open.href = upload.url;
  } else {
    open.removeAttribute("href");
  }
  showPreview(upload);
  byId("one-confirm").hidden = byId("one-confirm-hint").hidden = !CONFIRMABLE.has(upload.state);
  byId("one-history").replaceChildren(...changes.map(makeChange));
  byId("one-truncated").hidden = !truncated;
  showFacts(upload);
}

/** Show the first of the profile's smaller pictures, once the browser has it. */
function showPreview(upload) {
  const place = byId("one-preview");
  const [link] = Object.values(upload.thumbnails ?? {});
  const image = place.firstElementChild.cloneNode();
  place.hidden = true;
  if (link) {
    image.addEventListener("load", () => {
      place.hidden = false;
    });
    image.src = link;
  } else {
    image.removeAttribute("src");
  }
  place.replaceChildren(image);
}

/** Have the bucket asked, and show the upload as it is then. */
export async function askBucket(tell) {
  const button = byId("one-confirm");
  const uploadId = shown;
  button.disabled = true;
  try {
    const reply = await confirmUpload(uploadId);
    await showUpload(uploadId);
    byId("one-reply-text").textContent = JSON.stringify(reply, null, 2);
    byId("one-reply").hidden = false;
    byId("one-title").focus();
    tell(t("state.uploaded_hint"));
  } finally {
    button.disabled = false;
  }
}

function makeChange({ claim, at, via, facts: learned }) {
  const [kind, rest] = claim.split(":", 2);
  const words = knows(`claim.${kind}`) ? t(`claim.${kind}`, { result: rest ?? "" }) : claim;
  const by = via && knows(`via.${via}`) ? t(`via.${via}`) : via;
  const beside = Object.entries(learned).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return make(
    "li",
    { data: { claim: kind } },
    make("p", {}, make("strong", {}, words), by ? make("span", { className: "muted" }, ` · ${by}`) : null),
    make("p", { className: "muted" }, time(at)),
    beside.length || kind === "replaced"
      ? make("p", { className: "muted beside" }, [kind === "replaced" ? rest : "", ...beside].filter(Boolean).join(", "))
      : null,
  );
}

function showFacts(upload) {
  const plain = (name) => [name, upload[name]];
  const moment = (name) => [name, upload[name] && time(upload[name])];
  const variables = Object.entries(upload.vars).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  facts(byId("one-facts"), [
    plain("upload_id"),
    plain("profile"),
    ["subject", foreign(upload.subject)],
    ["issuer", foreign(upload.issuer)],
    plain("via"),
    plain("bucket"),
    ["object_key", make("bdi", { dir: "auto" }, upload.object_key)],
    ["size", upload.size === null ? null : bytes(upload.size)],
    plain("content_type"),
    plain("etag"),
    plain("crc64"),
    ["vars", variables.length ? foreign(variables.join(", "), 500) : null],
    moment("created_at"),
    moment("expires_at"),
    moment("uploaded_at"),
    moment("keep_until"),
    ["arrived_via", upload.arrived_via && (knows(`via.${upload.arrived_via}`) ? t(`via.${upload.arrived_via}`) : upload.arrived_via)],
  ]);
}

