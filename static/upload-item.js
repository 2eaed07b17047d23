/**
 * One row of the upload page's list: how an item of the queue looks and what can be done with it.
 */

import { duration, exactSize, knows, percent, sentences, shownName, size, t } from "./messages.js";

const ACTIONS = {
  waiting: ["cancel"],
  granting: ["cancel"],
  sending: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  sent: ["cancel"],
  asking: ["pause", "cancel"],
  completing: ["cancel"],
  confirming: ["cancel"],
  done: ["remove"],
  unconfirmed: ["confirm", "remove"],
  failed: ["retry", "remove"],
  refused: ["instead", "remove"],
  cancelled: ["retry", "remove"],
};
const MEASURED = new Set(["sending", "paused"]);
const ENDED = new Set(["done", "unconfirmed", "failed", "refused", "cancelled"]);

/** Say what went wrong and what to do, in the reader's language where the code is known. */
export function explain(error, { file, profile }) {
  const key = error.stored ? "error.not_confirmed" : `error.${error.code}`;
  if (!knows(key)) {
    return sentences(error.message, error.hint);
  }
  let shown = size(file.size);
  if (shown === size(profile.max_size)) {
    shown = exactSize(file.size);
  }
  const values = { size: shown, max: size(profile.max_size), min: size(profile.min_size), types: profile.types };
  const wait = error.retryAfter ? t("retry.wait", { time: duration(error.retryAfter) }) : "";
  return sentences(t(key, values), t(`${key}.do`, values), wait);
}

function describeOss(oss) {
  return oss ? [oss.code, oss.message, oss.ec].filter(Boolean).join(" · ") : "";
}

/** A row, kept up to date by `update`. */
export class ItemView {
  /**
   * @param {import("./upload-queue.js").Item} item
   * @param {(action: string, item: object) => void} onAction Called with cancel, pause, resume, retry, confirm, instead or remove.
   * @param {(item: object) => object | null} findInstead Another profile that would take the file, or null.
   */
  constructor(item, onAction, findInstead) {
    this.item = item;
    this.onAction = onAction;
    this.findInstead = findInstead;
    this.name = shownName(item.file.name);
    this.drawnState = null;
    this.element = document.getElementById("item-template").content.firstElementChild.cloneNode(true);
    this.parts = {};
    for (const part of this.element.querySelectorAll("[data-part]")) {
      this.parts[part.dataset.part] = part;
    }
    const { name, total, bar } = this.parts;
    name.textContent = this.name;
    name.title = item.file.name;
    total.textContent = size(item.file.size);
    bar.setAttribute("aria-label", t("progress.label", { name: this.name }));
    this.#drawThumbnail();
    this.update();
  }

  /** Let go of what the row holds. */
  dispose() {
    if (this.thumbnail) {
      URL.revokeObjectURL(this.thumbnail);
    }
    this.element.remove();
  }

  /** Draw the item as it is now. */
  update() {
    const { item, parts } = this;
    if (MEASURED.has(item.state)) {
      this.#drawProgress();
    }
    // How much was there before is known after the first progress alone.
    parts.note.hidden = item.storedBefore === null || !MEASURED.has(item.state);
    if (item.state === this.drawnState) {
      return;
    }
    this.drawnState = item.state;
    this.element.dataset.state = item.state;
    parts.bar.hidden = ENDED.has(item.state) || item.state === "waiting";
    if (!MEASURED.has(item.state)) {
      // Without a value the bar shows that something goes on, not how much of it.
      parts.bar.removeAttribute("value");
      parts.state.textContent = t(`state.${item.state}`);
      parts.detail.textContent = "";
    }
    const troubled = item.error !== null && ENDED.has(item.state) && item.state !== "cancelled";
    parts.problem.textContent = troubled ? explain(item.error, item) : "";
    parts.problem.hidden = !troubled;
    this.#drawActions();
    this.#drawLinks();
    this.#drawDetails();
  }

  #drawThumbnail() {
    const { type } = this.item.file;
    const { image, icon } = this.parts;
    icon.textContent = (/\.([^.]{1,4})$/.exec(this.item.file.name)?.[1] ?? "").toUpperCase();
    if (!type.startsWith("image/")) {
      return;
    }
    this.thumbnail = URL.createObjectURL(this.item.file);
    image.addEventListener("load", () => {
      image.hidden = false;
      icon.hidden = true;
    });
    image.src = this.thumbnail;
  }

  #drawProgress() {
    const { item, parts } = this;
    const share = item.file.size ? item.loaded / item.file.size : 1;
    parts.bar.value = share * 100;
    if (item.storedBefore !== null) {
      parts.note.textContent = t("state.resumed", { loaded: size(item.storedBefore) });
    }
    parts.state.textContent = t(`state.${item.state}`, {
      percent: percent(share),
      loaded: size(item.loaded, true),
      total: size(item.file.size, true),
    });
    const speed = item.rate > 0 ? [t("state.speed", { speed: size(item.rate, true) })] : [];
    const left = Number.isFinite(item.secondsLeft) ? [t("state.left", { time: duration(item.secondsLeft) })] : [];
    parts.detail.textContent = ["", ...speed, ...left].join(" · ");
  }

  #drawActions() {
    const { item, parts } = this;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.action : undefined;
    const instead = item.state === "refused" ? this.findInstead(item) : null;
    const buttons = [];
    for (const action of ACTIONS[item.state]) {
      const useless =
        (action === "retry" && item.state === "failed" && !item.error?.retryable) || (action === "pause" && !item.inParts);
      if (!useless && (action !== "instead" || instead)) {
        buttons.push(this.#buildButton(action, t(`action.${action}`, { profile: instead?.title ?? "" })));
      }
    }
    const isQuiet = (button) => button.className === "quiet";
    parts.aside.replaceChildren(...buttons.filter(isQuiet));
    parts.actions.replaceChildren(...buttons.filter((button) => !isQuiet(button)));
    if (focused !== undefined) {
      (buttons.find((button) => button.dataset.action === focused) ?? buttons[0])?.focus();
    }
  }

  #buildButton(action, label) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.action = action;
    button.setAttribute("aria-label", t("item.action", { action: label, name: this.name }));
    button.addEventListener("click", () => this.onAction(action, this.item));
    if (["remove", "cancel", "pause", "resume"].includes(action)) {
      // On narrow screens the sign stands for the word.
      const word = document.createElement("span");
      word.textContent = label;
      button.className = "quiet";
      button.title = label;
      button.append(word);
    } else {
      button.textContent = label;
    }
    return button;
  }

  #drawLinks() {
    const { item, parts } = this;
    const url = item.result?.reply?.url;
    const links = [];
    if (item.state === "done" && /^https?:\/\//.test(url ?? "")) {
      links.push(this.#buildLink("open", url));
    }
    const uploadId = item.result?.uploadId ?? item.uploadId;
    if (uploadId && ["done", "unconfirmed"].includes(item.state)) {
      links.push(this.#buildLink("status", `/uploads/${encodeURIComponent(uploadId)}`));
    }
    parts.links.replaceChildren(...links);
  }

  #buildLink(action, url) {
    const link = document.createElement("a");
    link.href = url;
    link.target = "_blank";
    link.rel = "noopener";
    link.dataset.link = action;
    link.textContent = t(`action.${action}`);
    link.setAttribute("aria-label", t("item.action", { action: link.textContent, name: this.name }));
    return link;
  }

  #drawDetails() {
    const { item, parts } = this;
    const facts = item.state === "done" ? this.#listAnswer() : item.error && item.state !== "refused" ? this.#listError() : [];
    parts.facts.replaceChildren(
      ...facts.map(([name, value]) => {
        const row = document.createElement("div");
        const term = document.createElement("dt");
        const text = document.createElement("dd");
        const isolated = document.createElement("bdi");
        term.textContent = t(`details.${name}`);
        isolated.dir = "auto";
        isolated.textContent = value;
        text.append(isolated);
        row.append(term, text);
        return row;
      }),
    );
    const reply = item.state === "done" ? item.result.reply : null;
    parts.raw.textContent = reply === null ? "" : JSON.stringify(reply, null, 2);
    parts.answer.hidden = reply === null;
    parts.details.hidden = (facts.length === 0 && reply === null) || item.state === "cancelled";
  }

  #listAnswer() {
    const { reply, via, uploadId, oss } = this.item.result;
    const answer = reply !== null && typeof reply === "object" ? reply : {};
    return [
      ["key", answer.object_key],
      ["size", typeof answer.size === "number" ? `${size(answer.size)} (${exactSize(answer.size)})` : answer.size],
      ["type", answer.content_type],
      ["etag", answer.etag],
      ["upload_id", uploadId],
      ["via", t(`details.via_${via}`)],
      ["oss", describeOss(oss)],
    ].filter(([, value]) => value !== undefined && value !== null && value !== "");
  }

  #listError() {
    const { error } = this.item;
    return [
      ["code", error.code],
      ["message", sentences(error.message, error.hint)],
      ["oss", describeOss(error.oss)],
      ["status", error.status || ""],
      ["upload_id", error.uploadId],
      ["request_id", error.requestId],
    ].filter(([, value]) => value);
  }
}
