/**
 * Requests to the bucket that carry a file or a part of one; a part of the module ossgate.js.
 */

import { UploadError } from "./ossgate-errors.js";

/** Milliseconds without any progress before a request is given up. */
export const STALL_TIMEOUT = 60_000;

/**
 * @typedef {object} Outcome How a request to the bucket ended.
 * @property {"answered" | "broken" | "cancelled"} kind
 * @property {number} [status] Of an answer.
 * @property {string} [text] Of an answer.
 * @property {boolean} [sent] Of a broken one: whether all had left.
 * @property {boolean} [stalled] Of a broken one: whether it stood still, and was given up.
 */

/**
 * Send something by XMLHttpRequest, the only sender that reports progress everywhere. It never fails: the outcome tells.
 *
 * @param {object} wanted
 * @param {string} wanted.method
 * @param {string} wanted.url
 * @param {Record<string, string>} [wanted.headers]
 * @param {Blob | FormData} wanted.body
 * @param {number} wanted.size Bytes of the body that are the file's: what is told is the file's share.
 * @param {(loaded: number) => void} [wanted.onProgress]
 * @param {() => void} [wanted.onSent]
 * @param {number} [wanted.stallTimeout]
 * @param {AbortSignal} [wanted.signal]
 * @returns {Promise<Outcome>}
 */
export function sendToBucket(wanted) {
  const { method, url, headers = {}, body, size, onProgress, onSent, stallTimeout = STALL_TIMEOUT, signal } = wanted;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let sent = false;
    let timer = null;
    const settle = (outcome) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      resolve(outcome);
    };
    const cancel = () => {
      settle({ kind: "cancelled" });
      request.abort();
    };
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        settle({ kind: "broken", sent, stalled: true });
        request.abort();
      }, stallTimeout);
    };
    if (signal?.aborted) {
      resolve({ kind: "cancelled" });
      return;
    }
    signal?.addEventListener("abort", cancel);

    request.upload.addEventListener("progress", (event) => {
      watch();
      const overhead = Math.max(0, event.total - size);
      onProgress?.(Math.min(size, Math.max(0, event.loaded - overhead)));
    });
    request.upload.addEventListener("load", () => {
      sent = true;
      watch();
      onSent?.();
    });
    request.addEventListener("load", () => settle({ kind: "answered", status: request.status, text: request.responseText }));
    request.addEventListener("error", () => settle({ kind: "broken", sent, stalled: false }));
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) {
      request.setRequestHeader(name, value);
    }
    watch();
    request.send(body);
  });
}

/** Tell a broken connection from a file that can no longer be read. */
export async function explainBreak({ stalled }, file, facts) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (cause) {
    return new UploadError("file_unreadable", "The file can no longer be read: it was moved, changed or deleted.", {
      ...facts,
      hint: "Add the file again.",
      cause,
    });
  }
  const message = stalled ? "The connection stood still for too long." : "The connection broke while sending.";
  return new UploadError("network", message, {
    ...facts,
    retryable: true,
    hint: "Check the connection and try again. If it fails at once each time, the bucket's CORS rule may lack this page's origin.",
  });
}

/** Tell that something was sent and nothing came back: it may have arrived. */
export function answerLost(facts) {
  return new UploadError("answer_lost", "The file was sent, but the answer did not come back.", {
    ...facts,
    retryable: true,
    hint: "Try again: what has arrived is asked for first.",
  });
}
