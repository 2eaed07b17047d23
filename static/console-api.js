/**
 * What the console asks of the server, with the key that was pasted.
 *
 * The key is in this module's memory and, when the operator says so, in sessionStorage; nowhere else. No cookie goes along.
 */

const STORED = "ossgate-console-key";
let key = sessionStorage.getItem(STORED) ?? "";

/** An answer that is an error, or none at all. */
export class ConsoleError extends Error {
  constructor(code, message = "", { status = 0, hint = "" } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.hint = hint;
  }

  /** Whether another key could help. */
  get isAboutKey() {
    return this.status === 401 || this.code === "operator_required";
  }
}

/** Tell whether there is a key to ask with. */
export function hasKey() {
  return key !== "";
}

/**
 * Take a key over.
 *
 * @param {string} pasted
 * @param {boolean} keep Whether it outlives a reload of this tab.
 */
export function useKey(pasted, keep) {
  key = pasted;
  if (keep) {
    sessionStorage.setItem(STORED, pasted);
  } else {
    sessionStorage.removeItem(STORED);
  }
}

/** Forget the key. */
export function forgetKey() {
  useKey("", false);
}

/**
 * List uploads.
 *
 * @param {Record<string, string>} filters Those of `GET /v1/uploads`; empty ones are left out.
 */
export function listUploads(filters, cursor) {
  return ask(`/v1/uploads?${query({ ...filters, cursor })}`);
}

/** Fetch one upload with its history. */
export function fetchHistory(uploadId) {
  return ask(`/v1/uploads/${encodeURIComponent(uploadId)}/history`);
}

/**
 * List callbacks.
 *
 * @param {Record<string, string>} filters Those of `GET /v1/callbacks`; empty ones are left out.
 */
export function listCallbacks(filters, cursor) {
  return ask(`/v1/callbacks?${query({ ...filters, cursor, limit: "20" })}`);
}

/** Fetch one callback with its headers and body. */
export function fetchCallback(callbackId) {
  return ask(`/v1/callbacks/${encodeURIComponent(callbackId)}`);
}

/** Count uploads by state since so many seconds ago. */
export function fetchCounts(seconds) {
  const from = new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return ask(`/v1/counts?${query({ created_from: from })}`);
}

/** Have the bucket asked for an upload. */
export function confirmUpload(uploadId) {
  return ask(`/v1/uploads/${encodeURIComponent(uploadId)}/confirm`, "POST");
}

function query(values) {
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value));
}

async function ask(path, method = "GET") {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { Authorization: `Bearer ${key}` },
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
  } catch (cause) {
    throw new ConsoleError("network", String(cause));
  }
  const { status } = response;
  let body;
  try {
    body = await response.json();
  } catch {
    throw new ConsoleError("unreadable", "", { status });
  }
  if (!response.ok) {
    const { code = "unreadable", message, hint } = body.error ?? {};
    throw new ConsoleError(code, message, { status, hint });
  }
  return body;
}
