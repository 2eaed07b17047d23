/**
 * Calls to the ossgate server; a part of the module ossgate.js. docs/api.md describes the endpoints.
 */

import { UploadError } from "./ossgate-errors.js";
import { guessContentType } from "./ossgate-files.js";

const ANSWER_TIMEOUT = 30_000;
const BUSY_DELAYS = [1_000, 3_000];
const CONFIRM_DELAYS = [500, 2_000, 5_000, 10_000];

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
 * @property {string[]} [via] Ways of upload: `post`, `put`, `multipart`.
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
 * @param {"post" | "put" | "multipart"} [request.via] The way of upload; a form when it is left out.
 * @param {number} [request.partSize] With `multipart`: bytes of each part, where the server's choice does not suit.
 * @param {{md5: string}} [request.checksum] The file's MD5 in Base64; other bytes are refused then. Not with `multipart`.
 * @param {Record<string, string>} [request.headers] Sent with the request, for example Authorization.
 * @param {AbortSignal} [request.signal]
 * @returns {Promise<Grant>}
 * @throws {UploadError} With the server's own code, or `network`.
 */
export async function requestGrant(server, request) {
  const { profile, file, filename, size, contentType, vars, via, partSize, checksum, headers, signal } = request;
  const body = {
    profile,
    filename: filename ?? file?.name ?? "file",
    size: size ?? file?.size,
    content_type: contentType ?? (file ? guessContentType(file) : undefined),
    vars,
    via,
    part_size: partSize,
    checksum,
  };
  return askServer(server, "/v1/uploads", { method: "POST", body, headers, signal });
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
 * Have parts of an upload signed: each URL is good for a few minutes, so ask just before they are sent.
 *
 * @param {string} server
 * @param {string} uploadId
 * @param {number[]} partNumbers 1 to 100 of them, from 1 up.
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<{part_number: number, url: string, content_length: number}[]>}
 */
export async function signParts(server, uploadId, partNumbers, { headers, signal } = {}) {
  const path = `/v1/uploads/${encodeURIComponent(uploadId)}/parts`;
  const answer = await askServer(server, path, {
    method: "POST",
    body: { part_numbers: partNumbers },
    headers,
    signal,
    uploadId,
  });
  return answer.parts;
}

/**
 * Fetch which parts of an upload the bucket holds.
 *
 * @param {string} server
 * @param {string} uploadId
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<{parts: {part_number: number, size: number, etag: string}[], part_size: number, part_count: number,
 *     size: number, expires_at: string}>}
 */
export async function fetchParts(server, uploadId, { headers, signal } = {}) {
  return askServer(server, `/v1/uploads/${encodeURIComponent(uploadId)}/parts`, { headers, signal, uploadId });
}

/**
 * Have the server join the parts; it may be called any number of times, and answers the same.
 *
 * @param {string} server
 * @param {string} uploadId
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<unknown>} The profile's reply.
 */
export async function completeUpload(server, uploadId, { headers, signal } = {}) {
  const path = `/v1/uploads/${encodeURIComponent(uploadId)}/complete`;
  return askServer(server, path, { method: "POST", headers, signal, uploadId });
}

/**
 * Give up an upload that has not arrived: its parts are removed, its quota is free.
 *
 * @param {string} server
 * @param {string} uploadId
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<Record<string, unknown>>} The server's record.
 * @throws {UploadError} `upload_arrived` when it is there already.
 */
export async function abortUpload(server, uploadId, { headers, signal } = {}) {
  const path = `/v1/uploads/${encodeURIComponent(uploadId)}`;
  return askServer(server, path, { method: "DELETE", headers, signal, uploadId, keepalive: true });
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
    await wait(delay, signal, uploadId);
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

/** Confirm once; null when nothing has arrived. A silent server leaves the question open: `open` is thrown. */
export async function askWhetherArrived(server, uploadId, options, open = null) {
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
export async function requestGrantPatiently(server, options) {
  for (const delay of BUSY_DELAYS) {
    try {
      return await requestGrant(server, options);
    } catch (error) {
      if (error.status !== 503 || (error.retryAfter ?? 0) > 10) {
        throw error;
      }
      await wait(Math.max(delay, (error.retryAfter ?? 0) * 1_000), options.signal);
    }
  }
  return requestGrant(server, options);
}

/** Wait, unless cancelled. */
export function wait(milliseconds, signal, uploadId = "") {
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

/** Tell whether a reply speaks of an upload that the bucket could not be asked about yet. */
export function isUnconfirmed(reply) {
  return reply !== null && typeof reply === "object" && reply.state === "unconfirmed";
}

/** Call the server and read its JSON; every failure is an UploadError. */
async function askServer(server, path, { method = "GET", body, headers = {}, signal, uploadId = "", keepalive = false }) {
  const controller = new AbortController();
  const forward = () => controller.abort();
  const timer = setTimeout(forward, ANSWER_TIMEOUT);
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
      keepalive,
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
    retryable: response.status >= 500 || response.status === 429 || ["object_missing", "grant_expired"].includes(told.code),
    requestId: told.request_id,
    retryAfter: Number.isNaN(retryAfter) ? null : retryAfter,
    uploadId,
  });
}

export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
