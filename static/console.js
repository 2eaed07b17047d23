/**
 * The operators' page: who is signed in, which part is shown, and what its buttons do.
 *
 * The address tells what is shown (#/uploads?state=issued, #/uploads/ID, #/callbacks?verdict=refused), so that back, reload and links work.
 */

import { forgetKey, hasKey, useKey } from "./console-api.js";
import { callbacks, showCallbacks } from "./console-callbacks.js";
import { showCounts, showUploads, uploads } from "./console-lists.js";
import { byId, explain } from "./console-parts.js";
import { askBucket, showUpload } from "./console-upload.js";
import { t } from "./messages.js";

const PARTS = ["uploads", "callbacks", "one"];
const TIMES = ["created_from", "created_until"];
const form = byId("filters");
const inboxForm = byId("inbox-filters");
let listHash = "#/uploads";

function tell(words) {
  byId("announcer").textContent = words ?? "";
}

function showProblem(error) {
  const problem = byId("problem");
  problem.textContent = explain(error);
  problem.hidden = false;
}

/** Do something that asks the server; what goes wrong is shown, and a key that will not do is forgotten. */
async function attempt(action) {
  byId("problem").hidden = true;
  try {
    await action();
  } catch (error) {
    if (error.isAboutKey) {
      forgetKey();
      showSignIn(explain(error));
    } else if (error.code) {
      showProblem(error);
    } else {
      throw error;
    }
  }
}

function showSignIn(problem = "") {
  byId("console").hidden = true;
  byId("session").hidden = true;
  byId("sign-in").hidden = false;
  byId("sign-in-problem").textContent = problem;
  byId("sign-in-problem").hidden = !problem;
  for (const list of ["uploads-rows", "callbacks-items", "one-history", "one-facts", "counts"]) {
    // What was shown is for operators, and may be looked at by whoever sits here next.
    byId(list).replaceChildren();
  }
  byId("key").focus();
}

function readAddress() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [part, id] = path.split("/");
  return { part: part === "callbacks" ? "callbacks" : id ? "one" : "uploads", id, query: new URLSearchParams(query) };
}

function fillFilters(query) {
  for (const field of form.elements) {
    if (field.name) {
      const given = query.get(field.name) ?? "";
      field.value = given && TIMES.includes(field.name) ? toLocal(given) : given;
    }
  }
  if ([...query.keys()].some((name) => !["q", "state"].includes(name))) {
    byId("more-filters").open = true;
  }
}

function readFilters() {
  const values = Object.fromEntries(new FormData(form));
  for (const name of TIMES) {
    values[name] = values[name] && new Date(values[name]).toISOString().replace(/\.\d+Z$/, "Z");
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value));
}

/** Write a time of UTC as the field for local times wants it. */
function toLocal(text) {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime())
    ? ""
    : new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function readInboxFilters() {
  return Object.fromEntries([...new FormData(inboxForm)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
}

async function showPart({ moveFocus }) {
  const { part, id, query } = readAddress();
  for (const each of PARTS) {
    byId(each).hidden = each !== part;
  }
  for (const link of document.querySelectorAll(".parts a")) {
    const current = link.dataset.part === (part === "one" ? "uploads" : part);
    link.toggleAttribute("aria-current", current);
    if (current) {
      link.setAttribute("aria-current", "page");
    }
  }
  if (part === "one") {
    byId("one-back").href = listHash;
    await showUpload(id);
  } else if (part === "callbacks") {
    for (const field of inboxForm.querySelectorAll("[name]")) {
      field.value = query.get(field.name) ?? "";
    }
    tell(await showCallbacks(readInboxFilters()));
  } else {
    listHash = location.hash || "#/uploads";
    fillFilters(query);
    tell(await showUploads(readFilters()));
  }
  if (moveFocus) {
    byId(`${part}-title`).focus();
  }
}

/** Show everything anew. */
async function refresh({ moveFocus = false } = {}) {
  await attempt(async () => {
    await showCounts(Number(byId("period").value));
    byId("sign-in").hidden = true;
    byId("console").hidden = false;
    byId("session").hidden = false;
    await showPart({ moveFocus });
  });
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = byId("key").value.trim();
  if (!key) {
    showSignIn(t("signin.empty"));
    return;
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    showSignIn(t("error.credentials_invalid"));
    return;
  }
  useKey(key, byId("keep").checked);
  await refresh({ moveFocus: true });
  if (hasKey()) {
    byId("key").value = "";
    if (byId("console").hidden) {
      // The server did not answer: the key is tried again, and the page says why nothing is shown.
      showSignIn(byId("problem").textContent);
    }
  }
});

byId("sign-out").addEventListener("click", () => {
  forgetKey();
  showSignIn();
  tell(t("signin.done_out"));
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const hash = `#/uploads?${new URLSearchParams(readFilters())}`.replace(/\?$/, "");
  if (hash === location.hash) {
    refresh();
  } else {
    location.hash = hash;
  }
});

form.addEventListener("reset", (event) => {
  event.preventDefault();
  for (const field of form.elements) {
    if (field.name) {
      field.value = "";
    }
  }
  form.requestSubmit();
});

inboxForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const hash = `#/callbacks?${new URLSearchParams(readInboxFilters())}`.replace(/\?$/, "");
  if (hash === location.hash) {
    refresh();
  } else {
    location.hash = hash;
  }
});

inboxForm.addEventListener("reset", (event) => {
  event.preventDefault();
  for (const field of inboxForm.querySelectorAll("[name]")) {
    field.value = "";
  }
  inboxForm.requestSubmit();
});

inboxForm.elements.verdict.addEventListener("change", () => inboxForm.requestSubmit());
form.elements.state.addEventListener("change", () => form.requestSubmit());
byId("refresh").addEventListener("click", () => refresh());
byId("period").addEventListener("change", () => attempt(() => showCounts(Number(byId("period").value))));
byId("uploads-more").addEventListener("click", () => attempt(async () => tell(await uploads.showMore())));
byId("callbacks-more").addEventListener("click", () => attempt(async () => tell(await callbacks.showMore())));
byId("one-confirm").addEventListener("click", () => attempt(() => askBucket(tell)));

addEventListener("hashchange", () => {
  if (hasKey()) {
    const inForm = form.contains(document.activeElement) || inboxForm.contains(document.activeElement);
    attempt(() => showPart({ moveFocus: !inForm }));
  }
});

if (hasKey()) {
  byId("keep").checked = true;
  refresh().then(() => {
    if (byId("console").hidden && hasKey()) {
      showSignIn(byId("problem").textContent);
    }
  });
} else {
  showSignIn();
}
