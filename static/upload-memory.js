/**
 * Uploads in parts that were not finished, kept for the next visit: which file of the device belongs to which upload. No DOM.
 *
 * What is kept is the id, name, size, date and profile, and a hash of the file's two ends. It is dropped when the upload is done
 * or given up, and when its grant has ended.
 */

const PLACE = "ossgate.uploads";
const MOST = 20;
const END_BYTES = 64 * 1024;
const claims = new Map();

/**
 * @typedef {object} Entry
 * @property {string} upload_id
 * @property {string} profile
 * @property {string} name
 * @property {number} size
 * @property {number} lastModified
 * @property {string} fingerprint
 * @property {string} expires_at
 */

/** List what is kept, newest last. */
export function listEntries() {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    return found.filter((entry) => typeof entry.upload_id === "string" && Date.parse(entry.expires_at) > Date.now());
  } catch {
    // Storage may be forbidden, and what is in it may be anybody's: then nothing is remembered.
    return [];
  }
}

function keep(entries) {
  try {
    localStorage.setItem(PLACE, JSON.stringify(entries.slice(-MOST)));
  } catch {
    // Full or forbidden: this upload cannot be resumed after the tab was closed, and is not hurt by it.
  }
}

/**
 * Keep an upload in mind, in place of what was kept of it before.
 *
 * @param {import("./ossgate-parts.js").PartsGrant} grant
 * @param {File} file
 */
export async function remember(grant, file) {
  const fingerprint = await takeFingerprint(file);
  if (fingerprint) {
    const { upload_id, profile, expires_at } = grant;
    const { name, size, lastModified } = file;
    const others = listEntries().filter((each) => each.upload_id !== upload_id);
    keep([...others, { upload_id, profile, name, size, lastModified, fingerprint, expires_at }]);
  }
}

/** Forget an upload that is done or given up. */
export function forget(uploadId) {
  const entries = listEntries();
  if (entries.some((entry) => entry.upload_id === uploadId)) {
    keep(entries.filter((entry) => entry.upload_id !== uploadId));
  }
}

/** Tell whether an entry seems to be of a file; its content is looked at later. */
export function seemsToBe(entry, file) {
  return entry.name === file.name && entry.size === file.size && entry.lastModified === file.lastModified;
}

/**
 * Claim the unfinished upload of a file, one that no other row or tab is sending just now.
 *
 * @param {File} file
 * @param {string} profile
 * @returns {Promise<string | undefined>} Its id.
 */
export async function claimEarlier(file, profile) {
  if (!listEntries().some((entry) => seemsToBe(entry, file))) {
    return undefined;
  }
  const fingerprint = await takeFingerprint(file);
  const found = (await listIdle()).findLast(
    (entry) => entry.profile === profile && seemsToBe(entry, file) && entry.fingerprint === fingerprint && !claims.has(entry.upload_id),
  );
  if (found) {
    claim(found.upload_id);
  }
  return found?.upload_id;
}

/** List the unfinished uploads that nobody is sending just now. */
export async function listIdle() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const busy = new Set(held.map(({ name }) => name));
  return listEntries().filter((entry) => !busy.has(lockName(entry.upload_id)) && !claims.has(entry.upload_id));
}

/** Hold an upload, so that other rows and tabs leave it alone until it is released or the tab is closed. */
export function claim(uploadId) {
  if (!claims.has(uploadId)) {
    const held = new Promise((resolve) => claims.set(uploadId, resolve));
    // A page that is being left is refused the lock, and needs none.
    navigator.locks?.request(lockName(uploadId), { mode: "shared" }, () => held).catch(() => {});
  }
}

/** Let go of an upload. */
export function release(uploadId) {
  claims.get(uploadId)?.();
  claims.delete(uploadId);
}

/** Take the hash of a file's two ends; nothing where the browser does not hash (plain http) or the file cannot be read. */
async function takeFingerprint(file) {
  if (!globalThis.crypto?.subtle) {
    return "";
  }
  try {
    const ends = new Blob([file.slice(0, END_BYTES), file.slice(Math.max(0, file.size - END_BYTES))]);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await ends.arrayBuffer()));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return "";
  }
}

function lockName(uploadId) {
  return `${PLACE}/${uploadId}`;
}
