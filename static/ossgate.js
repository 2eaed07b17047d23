/**
 * Uploads to Alibaba Cloud OSS through an ossgate server, from any web page.
 *
 * No dependency but ossgate-errors.js beside it, and no DOM: the module speaks to the server (`/v1/uploads`) and to the bucket
 * (PostObject, https://www.alibabacloud.com/help/en/oss/developer-reference/postobject) and leaves
 * what is shown to its caller. docs/javascript.md describes each public function.
 *
 * @module ossgate
 */

import { parseOssError, refusalOfBucket, UploadError } from "./ossgate-errors.js";

export { parseOssError, UploadError };

/** @typedef {import("./ossgate-errors.js").OssError} OssError */

const GRANT_TIMEOUT = 30_000;
const STALL_TIMEOUT = 60_000;
const BUSY_DELAYS = [1_000, 3_000];
const CONFIRM_DELAYS = [500, 2_000, 5_000, 10_000];
const GRANT_SPARE = 30_000;

/**
 * @typedef {object} Grant What `POST /v1/uploads` hands out.
 * @property {string} upload_id
 * @property {string} method
 * @property {string} url Where the form is posted.
 * @property {Record<string, string>} fields Form fields in the order in which they must be sent.
 * @property {string} object_key
 * @property {string} expires_at
 * @property {string} profile
 */

/**
 * @typedef {object} Profile The limits that a grant is issued under.
 * @property {string} name
 * @property {string} [title]
 * @property {number} [max_size] In bytes.
 * @property {number} [min_size] In bytes.
 * @property {string[]} [content_types] Wildcards such as `image/*` are allowed.
 */

/**
 * @typedef {object} Progress
 * @property {number} loaded Bytes of the file that have left.
 * @property {number} total The file's size.
 */

/**
 * @typedef {object} Posted What the bucket answered to a form.
 * @property {number} status
 * @property {boolean} confirmed True when the server's callback has answered.
 * @property {unknown} reply The callback's answer, or null.
 * @property {OssError | null} error What OSS says of a failed callback (status 203).
 */

/**
 * @typedef {object} Uploaded
 * @property {string} uploadId
 * @property {unknown} reply The callback's answer, whichever way it came.
 * @property {"callback" | "confirm"} via
 * @property {OssError | null} oss What OSS said of the callback, where it failed and the upload was confirmed instead.
 */

/**
 * Fetch the profiles that the caller may upload under.
 *
 * @param {string} server The server's base URL; "" is the page's own.
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<Profile[]>}
 */
export async function fetchProfiles(server, { headers, signal } = {}) {
  const answer = await askServer(server, "/v1/profiles", { headers, signal });
  return answer.profiles;
}

/**
 * Ask the server for permission to upload one file.
 *
 * @param {string} server
 * @param {object} request
 * @param {string} request.profile
 * @param {Blob} [request.file] Where name, size and type are taken from when they are not given.
 * @param {string} [request.filename]
 * @param {number} [request.size]
 * @param {string} [request.contentType]
 * @param {Record<string, string | number | boolean>} [request.vars] Client variables that the profile declares.
 * @param {Record<string, string>} [request.headers] Sent with the request, for example Authorization.
 * @param {AbortSignal} [request.signal]
 * @returns {Promise<Grant>}
 * @throws {UploadError} With the server's own code, or `network`.
 */
export async function requestGrant(server, { profile, file, filename, size, contentType, vars, headers, signal }) {
  const body = {
    profile,
    filename: filename ?? file?.name ?? "file",
    size: size ?? file?.size,
    content_type: contentType ?? (file ? guessContentType(file) : undefined),
    vars,
  };
  return askServer(server, "/v1/uploads", { method: "POST", body, headers, signal });
}

/**
 * Post a file to the bucket with the fields of its grant.
 *
 * Any 2xx status means that the object is stored; only 200 means that the callback was answered.
 *
 * @param {Grant} grant
 * @param {Blob} file
 * @param {object} [options]
 * @param {(progress: Progress) => void} [options.onProgress]
 * @param {() => void} [options.onSent] Called when the whole file has left and the answer is awaited.
 * @param {number} [options.stallTimeout] Milliseconds without any progress before the attempt is given up.
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Posted>}
 * @throws {UploadError} `answer_lost` when the file may have arrived, otherwise a code of the bucket's refusal.
 */
export async function postForm(grant, file, { onProgress, onSent, stallTimeout = STALL_TIMEOUT, signal } = {}) {
  const facts = { uploadId: grant.upload_id, grant };
  const outcome = await sendForm(grant, file, { onProgress, onSent, stallTimeout, signal });
  if (outcome.kind === "cancelled") {
    throw new UploadError("cancelled", "The upload was cancelled.", { ...facts, retryable: true });
  }
  if (outcome.kind === "broken") {
    throw await explainBreak(outcome, file, facts);
  }
  const { status, text } = outcome;
  if (status === 200) {
    return { status, confirmed: true, reply: parseJson(text), error: null };
  }
  if (status >= 200 && status < 300) {
    return { status, confirmed: false, reply: null, error: status === 203 ? parseOssError(text) : null };
  }
  throw refusalOfBucket(status, parseOssError(text), facts);
}

/**
 * Have the server ask the bucket for an upload, and get what the callback would have answered.
 *
 * It may be called any number of times.
 *
 * @param {string} server
 * @param {string} uploadId
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<unknown>} The profile's reply.
 * @throws {UploadError} `object_missing` when nothing has arrived, or another code of the server's.
 */
export async function confirmUpload(server, uploadId, { headers, signal } = {}) {
  const path = `/v1/uploads/${encodeURIComponent(uploadId)}/confirm`;
  return askServer(server, path, { method: "POST", headers, signal, uploadId });
}

/**
 * Fetch the server's record of an upload.
 *
 * @param {string} server
 * @param {string} uploadId
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<Record<string, unknown>>}
 */
export async function fetchUpload(server, uploadId, { headers, signal } = {}) {
  return askServer(server, `/v1/uploads/${encodeURIComponent(uploadId)}`, { headers, signal, uploadId });
}

/**
 * Confirm a stored upload, trying again at growing distances until the server agrees.
 *
 * @param {string} server
 * @param {string} uploadId
 * @param {object} [options]
 * @param {number[]} [options.delays] Milliseconds before each attempt.
 * @param {Record<string, string>} [options.headers]
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<unknown>} The profile's reply.
 * @throws {UploadError} `not_confirmed` (with `stored`) when the attempts are used up; `cancelled`.
 */
export async function settleUpload(server, uploadId, { delays = CONFIRM_DELAYS, headers, signal } = {}) {
  let cause = null;
  for (const delay of delays) {
    await pause(delay, signal, uploadId);
    try {
      const reply = await confirmUpload(server, uploadId, { headers, signal });
      if (!isUnconfirmed(reply)) {
        return reply;
      }
    } catch (error) {
      if (error.code === "cancelled" || !error.retryable) {
        throw error;
      }
      cause = error;
    }
  }
  throw new UploadError("not_confirmed", "The file is stored, but the server could not confirm it yet.", {
    hint: "Confirm again in a moment. The file need not be sent again.",
    status: cause?.status ?? 0,
    retryable: true,
    stored: true,
    uploadId,
    cause,
  });
}

/**
 * Take one file the whole way: grant, form, and confirmation where the callback's answer is missing.
 *
 * @param {string} server The server's base URL; "" is the page's own.
 * @param {Blob} file
 * @param {object} options
 * @param {string} options.profile
 * @param {string} [options.filename]
 * @param {string} [options.contentType]
 * @param {Record<string, string | number | boolean>} [options.vars]
 * @param {Record<string, string>} [options.headers] Sent to the server, never to the bucket.
 * @param {UploadError} [options.previous] The error of an earlier attempt with this file: what may have
 *     arrived is asked for first, and a grant that still holds is used again.
 * @param {number[]} [options.confirmDelays] See `settleUpload`.
 * @param {(progress: Progress) => void} [options.onProgress]
 * @param {(state: "granting" | "sending" | "sent" | "asking" | "confirming" | "done") => void} [options.onState]
 *     `asking`: whether an object has arrived is being asked; `confirming`: it has, and is being confirmed.
 * @param {(grant: Grant) => void} [options.onGrant]
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Uploaded>}
 * @throws {UploadError} With `stored` set when the object is in the bucket but not confirmed.
 */
export async function upload(server, file, options) {
  const { previous, headers, signal, onState = () => {}, confirmDelays } = options;
  const settle = async (uploadId, oss = previous?.oss ?? null) => {
    onState("confirming");
    try {
      const reply = await settleUpload(server, uploadId, { delays: confirmDelays, headers, signal });
      return finish(uploadId, reply, "confirm", oss);
    } catch (error) {
      error.stored = error.retryable;
      error.oss = oss;
      throw error;
    }
  };
  const finish = (uploadId, reply, via, oss = null) => {
    onState("done");
    return { uploadId, reply, via, oss };
  };

  let grant = null;
  if (previous?.uploadId) {
    onState(previous.stored ? "confirming" : "asking");
    const reply = previous.stored ? null : await askWhetherArrived(server, previous.uploadId, { headers, signal });
    if (previous.stored || isUnconfirmed(reply)) {
      return settle(previous.uploadId);
    }
    if (reply !== null) {
      return finish(previous.uploadId, reply, "confirm");
    }
    grant = isFresh(previous.grant) ? previous.grant : null;
  }

  for (let reused = grant !== null; ; reused = false) {
    if (grant === null) {
      onState("granting");
      grant = await requestGrantPatiently(server, { ...options, file });
    }
    options.onGrant?.(grant);
    onState("sending");
    try {
      const posted = await postForm(grant, file, {
        signal,
        onProgress: options.onProgress,
        onSent: () => onState("sent"),
      });
      if (posted.confirmed && !isUnconfirmed(posted.reply)) {
        return finish(grant.upload_id, posted.reply, "callback");
      }
      return await settle(grant.upload_id, posted.error);
    } catch (error) {
      if (reused && error.code === "policy_expired") {
        grant = null;
        continue;
      }
      if (error.code !== "answer_lost" && error.code !== "object_exists") {
        throw error;
      }
      // The object may well be there: sending it again before asking would store it twice.
      onState("asking");
      const reply = await askWhetherArrived(server, grant.upload_id, { headers, signal }, error);
      if (reply === null) {
        throw error;
      }
      return isUnconfirmed(reply) ? settle(grant.upload_id) : finish(grant.upload_id, reply, "confirm");
    }
  }
}

/**
 * Check a file against a profile's limits, as the server will.
 *
 * @param {Profile} profile
 * @param {Blob} file
 * @returns {UploadError | null} What is wrong (`file_empty`, `size_under_limit`, `size_over_limit`,
 *     `content_type_not_allowed`), or null.
 */
export function checkFile(profile, file) {
  const { min_size: minSize = 0, max_size: maxSize = Infinity } = profile;
  if (file.size === 0 && minSize > 0) {
    return new UploadError("file_empty", "The file is empty.", { hint: "Choose a file that has content." });
  }
  if (file.size < minSize) {
    return new UploadError("size_under_limit", `The file is below the profile's ${minSize} bytes.`, {
      hint: "Choose a larger file.",
    });
  }
  if (file.size > maxSize) {
    return new UploadError("size_over_limit", `The file is above the profile's ${maxSize} bytes.`, {
      hint: "Choose a smaller file or another profile.",
    });
  }
  const allowed = profile.content_types ?? [];
  if (allowed.length > 0 && !allowed.some((pattern) => matchesType(pattern, guessContentType(file)))) {
    return new UploadError("content_type_not_allowed", "Files of this type are not allowed here.", {
      hint: `Allowed: ${allowed.join(", ")}.`,
    });
  }
  return null;
}

/**
 * Tell a file's content type: the browser's word, else its extension's, else application/octet-stream.
 *
 * @param {Blob} file
 * @returns {string}
 */
export function guessContentType(file) {
  const told = (file.type ?? "").split(";")[0].trim().toLowerCase();
  return told || TYPES_BY_EXTENSION[extensionOf(file.name)] || "application/octet-stream";
}

// Types that browsers commonly leave empty.
const TYPES_BY_EXTENSION = {
  avif: "image/avif",
  csv: "text/csv",
  gif: "image/gif",
  heic: "image/heic",
  heif: "image/heif",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  md: "text/markdown",
  mkv: "video/x-matroska",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain",
  webm: "video/webm",
  webp: "image/webp",
  zip: "application/zip",
};

/** Send the form by XMLHttpRequest, the only sender that reports progress everywhere. */
function sendForm(grant, file, { onProgress, onSent, stallTimeout, signal }) {
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

    const form = new FormData();
    for (const [name, value] of Object.entries(grant.fields)) {
      form.append(name, value);
    }
    form.append("file", file);

    request.upload.addEventListener("progress", (event) => {
      watch();
      // The form's own bytes are not the file's: what is told is the file's share.
      const overhead = Math.max(0, event.total - file.size);
      const loaded = Math.min(file.size, Math.max(0, event.loaded - overhead));
      onProgress?.({ loaded, total: file.size });
    });
    request.upload.addEventListener("load", () => {
      sent = true;
      watch();
      onSent?.();
    });
    request.addEventListener("load", () => settle({ kind: "answered", status: request.status, text: request.responseText }));
    request.addEventListener("error", () => settle({ kind: "broken", sent, stalled: false }));
    request.open("POST", grant.url);
    watch();
    request.send(form);
  });
}

/** Tell a broken connection from a file that can no longer be read, and a lost answer from a lost file. */
async function explainBreak({ sent, stalled }, file, facts) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (cause) {
    return new UploadError("file_unreadable", "The file can no longer be read: it was moved, changed or deleted.", {
      ...facts,
      hint: "Add the file again.",
      cause,
    });
  }
  if (sent) {
    return new UploadError("answer_lost", "The file was sent, but the answer did not come back.", {
      ...facts,
      retryable: true,
      hint: "Try again: what has arrived is asked for first.",
    });
  }
  const message = stalled ? "The connection stood still for too long." : "The connection broke while sending.";
  return new UploadError("network", message, {
    ...facts,
    retryable: true,
    hint: "Check the connection and try again. If it fails at once each time, the bucket's CORS rule may lack this page's origin.",
  });
}

/** Confirm once; null when nothing has arrived. A silent server leaves the question open: `open` is thrown. */
async function askWhetherArrived(server, uploadId, options, open = null) {
  try {
    return await confirmUpload(server, uploadId, options);
  } catch (error) {
    if (error.code === "object_missing" || error.code === "upload_unknown") {
      return null;
    }
    throw error.code === "cancelled" ? error : (open ?? error);
  }
}

/** Ask for a grant, waiting out a server that is busy for a moment. */
async function requestGrantPatiently(server, options) {
  for (const delay of BUSY_DELAYS) {
    try {
      return await requestGrant(server, options);
    } catch (error) {
      if (error.status !== 503 || (error.retryAfter ?? 0) > 10) {
        throw error;
      }
      await pause(Math.max(delay, (error.retryAfter ?? 0) * 1_000), options.signal);
    }
  }
  return requestGrant(server, options);
}

/** Call the server and read its JSON; every failure is an UploadError. */
async function askServer(server, path, { method = "GET", body, headers = {}, signal, uploadId = "" }) {
  const controller = new AbortController();
  const forward = () => controller.abort();
  const timer = setTimeout(forward, GRANT_TIMEOUT);
  signal?.addEventListener("abort", forward);
  if (signal?.aborted) {
    forward();
  }
  try {
    const response = await fetch(`${server.replace(/\/$/, "")}${path}`, {
      method,
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
      signal: controller.signal,
    });
    const answer = parseJson(await response.text());
    if (response.ok && answer !== null) {
      return answer;
    }
    throw refusalOfServer(response, answer, uploadId);
  } catch (cause) {
    if (cause instanceof UploadError) {
      throw cause;
    }
    if (signal?.aborted) {
      throw new UploadError("cancelled", "The upload was cancelled.", { retryable: true, uploadId });
    }
    throw new UploadError("server_unreachable", "The upload server does not answer.", {
      hint: "Check the connection and try again.",
      retryable: true,
      uploadId,
      cause,
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}

/** Tell what the server refused, in its own words where it has any. */
function refusalOfServer(response, answer, uploadId) {
  const told = answer?.error ?? {};
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new UploadError(told.code ?? "server_error", told.message ?? `The server answered ${response.status}.`, {
    hint: told.hint ?? "",
    status: response.status,
    retryable: response.status >= 500 || response.status === 429 || told.code === "object_missing",
    requestId: told.request_id,
    retryAfter: Number.isNaN(retryAfter) ? null : retryAfter,
    uploadId,
  });
}

/** Wait, unless cancelled. */
function pause(milliseconds, signal, uploadId = "") {
  return new Promise((resolve, reject) => {
    const cancelled = () => {
      clearTimeout(timer);
      reject(new UploadError("cancelled", "The upload was cancelled.", { retryable: true, uploadId }));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cancelled);
      resolve();
    }, milliseconds);
    if (signal?.aborted) {
      cancelled();
    } else {
      signal?.addEventListener("abort", cancelled, { once: true });
    }
  });
}

function isUnconfirmed(reply) {
  return reply !== null && typeof reply === "object" && reply.state === "unconfirmed";
}

function isFresh(grant) {
  return grant !== null && Date.parse(grant.expires_at) - Date.now() > GRANT_SPARE;
}

function matchesType(pattern, type) {
  const wanted = pattern.toLowerCase();
  return wanted === "*/*" || wanted === type || (wanted.endsWith("/*") && type.startsWith(wanted.slice(0, -1)));
}

function extensionOf(name = "") {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
