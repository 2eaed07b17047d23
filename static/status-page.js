/**
 * The page of one upload: follows it while it is on its way, and asks the bucket when told to.
 */

import { confirmUpload, fetchUpload } from "./ossgate.js";
import { knows, pageData, sentences, t } from "./messages.js";

const LOOK_AGAIN = 3_000;
const pending = new Set(["issued", "unconfirmed"]);
const { uploadId } = pageData;

/** Show the page anew once the state is another; the server knows how to draw it. */
async function follow() {
  try {
    const upload = await fetchUpload("", uploadId);
    if (upload.state !== pageData.state) {
      location.reload();
      return;
    }
  } catch {
    // A look that fails is no news: the next one may succeed.
  }
  setTimeout(follow, LOOK_AGAIN);
}

function showProblem(error) {
  const key = `error.${error.code}`;
  const problem = document.getElementById("problem");
  problem.textContent = knows(key) ? sentences(t(key), t(`${key}.do`)) : sentences(error.message, error.hint);
  problem.hidden = false;
}

const form = document.getElementById("confirm");
if (form) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [button] = form.elements;
    button.disabled = true;
    try {
      await confirmUpload("", uploadId);
      location.reload();
    } catch (error) {
      showProblem(error);
      button.disabled = false;
      button.focus();
    }
  });
}

const thumbnail = document.getElementById("thumbnail");
if (thumbnail) {
  // The type is what was granted; the bytes may yet be no picture, or one that storage cannot make smaller.
  const hide = () => thumbnail.parentElement.remove();
  thumbnail.addEventListener("error", hide);
  if (thumbnail.complete && thumbnail.naturalWidth === 0) {
    hide();
  }
}

for (const time of document.querySelectorAll("time")) {
  const options = { dateStyle: "medium", timeStyle: "medium" };
  time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, options);
}

if (pending.has(pageData.state)) {
  setTimeout(follow, LOOK_AGAIN);
}
