/**
 * The upload page: takes files in (drop, choose, paste, camera), shows the queue and says what happens.
 */

import { checkFile } from "./ossgate.js";
import { explain, ItemView } from "./upload-item.js";
import { LeftOvers } from "./upload-left.js";
import { Queue } from "./upload-queue.js";
import { pageData, percent, plural, shownName, size, t } from "./messages.js";

const SAID_TOGETHER = 900;
const ended = new Set(["done", "refused", "failed", "unconfirmed", "cancelled"]);
const profiles = pageData.profiles;
const find = (id) => document.getElementById(id);
const title = document.title;
const fingers = matchMedia("(pointer: coarse)").matches;
const views = new Map();
const said = new Map();
let sentences = [];
let announcement = null;
let sumIsDue = false;

const queue = new Queue({ server: "", onChange: drawItem, onIdle: sayEnd });
const left = new LeftOvers({
  profiles,
  isShown: (uploadId) => queue.items.some((item) => item.uploadId === uploadId),
  onDiscard: (uploadId) => queue.giveUp(uploadId),
  onTake: (file, profile) => addFiles([file], profile),
  say,
});

/** Say something to screen readers: what comes close together is said together. */
function say(sentence) {
  sentences.push(sentence);
  announcement ??= setTimeout(() => {
    find("announcer").textContent = sentences.slice(-4).join(". ");
    sentences = [];
    announcement = null;
  }, SAID_TOGETHER);
}

function sayOutcome(item) {
  const before = said.get(item);
  if (before === item.state) {
    return;
  }
  said.set(item, item.state);
  const name = shownName(item.file.name, 40);
  if (item.state === "paused") {
    say(t("said.paused", { name, percent: percent(item.loaded / item.file.size) }));
  } else if (before === "paused" && item.state === "asking") {
    say(t("said.resumed", { name }));
  } else if (item.state === "done") {
    say(t("said.done", { name }));
  } else if (item.state === "unconfirmed") {
    say(t("said.unconfirmed", { name }));
  } else if (item.state === "failed" || item.state === "refused") {
    say(t("said.failed", { name, reason: explain(item.error, item) }));
  }
}

function sayEnd() {
  const done = queue.items.filter((item) => item.state === "done").length;
  if (queue.items.length > 1) {
    say(t("said.all", { done, total: queue.items.length }));
  }
}

function drawItem(item) {
  let view = views.get(item);
  if (!view) {
    view = new ItemView(item, act, findInstead);
    views.set(item, view);
    find("items").append(view.element);
  }
  view.update();
  if (said.get(item) !== item.state && (item.inParts || ended.has(item.state))) {
    left.draw();
  }
  sayOutcome(item);
  if (!sumIsDue) {
    // Once for all files that are added together.
    sumIsDue = true;
    queueMicrotask(drawSum);
  }
}

/** Draw what holds for all files together. */
function drawSum() {
  sumIsDue = false;
  const { items } = queue;
  const counted = items.filter((item) => !["refused", "cancelled"].includes(item.state));
  const done = items.filter((item) => item.state === "done").length;
  const failed = items.filter((item) => ["failed", "refused", "unconfirmed"].includes(item.state)).length;
  const total = counted.reduce((sum, item) => sum + item.file.size, 0);
  const loaded = counted.reduce((sum, item) => sum + (item.state === "failed" ? 0 : item.loaded), 0);
  const busy = items.some((item) => !ended.has(item.state));
  const moving = items.some((item) => !ended.has(item.state) && item.state !== "paused");

  document.body.classList.toggle("has-items", items.length > 0);
  find("queue-empty").hidden = items.length > 0;
  find("queue-sum").textContent = [
    ...(items.length > 0 ? [t("queue.progress", { done, total: items.length })] : []),
    ...(busy ? [t("queue.bytes", { loaded: size(loaded), total: size(total) })] : []),
    ...(failed > 0 ? [plural("queue.failed", failed)] : []),
  ].join(" · ");
  find("queue-bar").hidden = !busy || items.length < 2;
  find("queue-bar").value = total ? (loaded / total) * 100 : 0;
  const retried = items.filter(mayRetry);
  find("retry-failed").hidden = busy || retried.length < 2;
  find("clear-finished").hidden = !items.some((item) => item.state === "done");
  document.title = moving && total ? `${t("queue.title", { percent: percent(loaded / total) })} · ossgate` : title;
}

function mayRetry(item) {
  return ["failed", "unconfirmed"].includes(item.state) && item.error?.retryable;
}

/** Find another profile that takes a refused file. */
function findInstead(item) {
  return profiles.find((profile) => profile !== item.profile && checkFile(profile, item.file) === null) ?? null;
}

function act(action, item) {
  if (action === "cancel") {
    queue.cancel(item);
  } else if (action === "pause") {
    queue.pause(item);
  } else if (action === "resume") {
    queue.resume(item);
  } else if (action === "retry" || action === "confirm") {
    queue.retry(item);
  } else if (action === "instead") {
    item.profile = findInstead(item);
    item.error = null;
    queue.retry(item);
  } else {
    removeItems([item]);
  }
}

/** Remove rows; the focus goes to the row that takes their place, or to the list's heading. */
function removeItems(items) {
  const rows = [...find("items").children];
  const focused = rows.findIndex((row) => row.contains(document.activeElement));
  for (const item of items) {
    queue.remove(item);
    views.get(item).dispose();
    views.delete(item);
    said.delete(item);
  }
  if (focused >= 0 && !rows[focused].isConnected) {
    const next = rows.slice(focused).find((row) => row.isConnected) ?? rows.findLast((row) => row.isConnected);
    (next?.querySelector("button") ?? find("queue-title")).focus();
  }
  drawSum();
  queue.pump();
}

function chosenProfile() {
  const chosen = document.querySelector("input[name=profile]:checked")?.value;
  return profiles.find((profile) => profile.name === chosen) ?? profiles[0];
}

/** Show the limits of the chosen profile, and let the file chooser offer what they allow. */
function drawProfile() {
  const profile = chosenProfile();
  const anything = profile.content_types.includes("*/*");
  find("limits").textContent = profile.limits;
  find("chooser").accept = anything ? "" : profile.content_types.join(",");
  const images = anything || profile.content_types.some((type) => type.startsWith("image/"));
  find("camera").hidden = !fingers || !images;
  find("paste-hint").hidden = fingers || !images;
}

function addFiles(files, profile = chosenProfile()) {
  const added = [...files];
  if (added.length === 0) {
    return;
  }
  say(plural("said.added", added.length));
  for (const file of added) {
    queue.add(file, profile);
  }
  queue.pump();
}

/** Collect dropped files, also those inside dropped folders. */
async function readDropped(transfer) {
  // The entries must be taken before anything is awaited: after that the drop is forgotten.
  const entries = [...transfer.items].map((each) => each.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) {
    return plain;
  }
  const nested = await Promise.all(entries.filter(Boolean).map(readEntry));
  return nested.flat();
}

async function readEntry(entry) {
  if (entry.isFile) {
    return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader hands out a folder in portions and ends with an empty one.
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) {
      return (await Promise.all(found.map(readEntry))).flat();
    }
    found.push(...portion);
  }
}

/** Give a pasted picture a name of its own: browsers call each of them image.png. */
function namePasted(file) {
  if (file.name !== "image.png") {
    return file;
  }
  const now = new Date();
  const time = new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace(/:/g, "").replace("T", "-");
  return new File([file], t("pasted", { time, extension: "png" }), { type: file.type });
}

function carriesFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

function listenForDrops() {
  let depth = 0;
  const light = (on) => find("drop").classList.toggle("over", on);
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) {
      depth += 1;
      light(true);
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFiles(event)) {
      depth = Math.max(0, depth - 1);
      light(depth > 0);
    }
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    }
  });
  document.addEventListener("drop", async (event) => {
    depth = 0;
    light(false);
    if (carriesFiles(event)) {
      event.preventDefault();
      addFiles(await readDropped(event.dataTransfer));
    }
  });
}

function listen() {
  for (const [button, chooser] of [["choose", "chooser"], ["camera", "camera-chooser"]]) {
    find(button).addEventListener("click", () => find(chooser).click());
    find(chooser).addEventListener("change", (event) => {
      addFiles(event.target.files);
      // Emptied, so that choosing the same file again is a change again.
      event.target.value = "";
    });
  }
  find("left-chooser").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) {
      left.take(file);
    }
  });
  document.addEventListener("paste", (event) => addFiles([...(event.clipboardData?.files ?? [])].map(namePasted)));
  listenForDrops();
  for (const radio of document.querySelectorAll("input[name=profile]")) {
    radio.addEventListener("change", drawProfile);
  }
  find("retry-failed").addEventListener("click", () => queue.items.filter(mayRetry).forEach((item) => queue.retry(item)));
  find("clear-finished").addEventListener("click", () => {
    removeItems(queue.items.filter((item) => item.state === "done"));
    find("queue-title").focus();
  });
  addEventListener("beforeunload", (event) => {
    // What is paused goes on at the next visit.
    if (queue.items.some((item) => !ended.has(item.state) && item.state !== "paused")) {
      event.preventDefault();
    }
  });
}

if (fingers) {
  find("drop-idle").textContent = find("drop-idle").dataset.touch;
}
listen();
drawProfile();
drawSum();
left.draw();
find("uploader").hidden = false;
