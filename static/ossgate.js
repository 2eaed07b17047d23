/**
 * Uploads to Alibaba Cloud OSS through an ossgate server, from any web page.
 *
 * No dependency but the ossgate-*.js beside it, and no DOM: the module speaks to the server (`/v1/uploads`) and to the bucket
 * (PostObject, https://www.alibabacloud.com/help/en/oss/developer-reference/postobject, and UploadPart) and leaves
 * what is shown to its caller. docs/javascript.md describes each public function.
 *
 * @module ossgate
 */

import { parseOssError, refusalOfBucket, UploadError } from "./ossgate-errors.js";
import { checkFile, guessContentType } from "./ossgate-files.js";
import { PauseControl, uploadInParts } from "./ossgate-parts.js";
import { answerLost, explainBreak, sendToBucket, STALL_TIMEOUT } from "./ossgate-sending.js";
import {
  abortUpload,
  askWhetherArrived,
  completeUpload,
  confirmUpload,
  fetchParts,
  fetchProfiles,
  fetchUpload,
  isUnconfirmed,
  parseJson,
  requestGrant,
  requestGrantPatiently,
  settleUpload,
  signParts,
} from "./ossgate-server.js";

export { abortUpload, checkFile, completeUpload, confirmUpload, fetchParts, fetchProfiles, fetchUpload, guessContentType };
export { parseOssError, PauseControl, requestGrant, settleUpload, signParts, UploadError, uploadInParts };

/** @typedef {import("./ossgate-errors.js").OssError} OssError */
/** @typedef {import("./ossgate-server.js").Grant} Grant */
/** @typedef {import("./ossgate-server.js").Profile} Profile */
/** @typedef {import("./ossgate-parts.js").PartsGrant} PartsGrant */

const GRANT_SPARE = 30_000;
const PARTS_ABOVE = 32 * 1024 ** 2;

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
 * @property {"callback" | "confirm" | "complete"} via `complete`: sent in parts, and the server had them joined.
 * @property {OssError | null} oss What OSS said of the callback, where it failed and the upload was confirmed instead.
 */

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
  const body = new FormData();
  for (const [name, value] of Object.entries(grant.fields)) {
    body.append(name, value);
  }
  body.append("file", file);
  const outcome = await sendToBucket({
    method: "POST",
    url: grant.url,
    body,
    size: file.size,
    onProgress: (loaded) => onProgress?.({ loaded, total: file.size }),
    onSent,
    stallTimeout,
    signal,
  });
  if (outcome.kind === "cancelled") {
    throw new UploadError("cancelled", "The upload was cancelled.", { ...facts, retryable: true });
  }
  if (outcome.kind === "broken") {
    const error = await explainBreak(outcome, file, facts);
    throw outcome.sent && error.code === "network" ? answerLost(facts) : error;
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
 * Take one file the whole way: grant, form, and confirmation where the callback's answer is missing. A large file goes
 * in parts where its profile allows it, as `uploadInParts` sends them.
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
 * @param {number} [options.partsAbove] Bytes above which a file goes in parts, 32 MiB by default; Infinity for never.
 * @param {string[]} [options.ways] The profile's `via`, where the caller knows them; else the server is asked,
 *     for large files alone.
 * @param {number} [options.parallel] See `uploadInParts`, like the next two.
 * @param {string} [options.resume]
 * @param {PauseControl} [options.control]
 * @param {(progress: Progress) => void} [options.onProgress]
 * @param {(state: "granting" | "sending" | "sent" | "asking" | "confirming" | "paused" | "completing" | "done") => void} [options.onState]
 *     `asking`: what has arrived is being asked; `confirming`: it has, and is being confirmed.
 * @param {(grant: Grant | PartsGrant) => void} [options.onGrant]
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Uploaded>}
 * @throws {UploadError} With `stored` set when the object is in the bucket but not confirmed.
 */
export async function upload(server, file, options) {
  const { previous, headers, signal, onState = () => {}, confirmDelays } = options;
  if (!previous?.stored && (await goesInParts(server, file, options))) {
    // What was cancelled was given up in the bucket as well.
    const begun = previous?.code === "cancelled" ? "" : previous?.uploadId;
    return uploadInParts(server, file, { ...options, resume: begun || options.resume });
  }
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


/** Tell whether a file is sent in parts: it is large, or its profile takes no forms. */
async function goesInParts(server, file, { profile, partsAbove = PARTS_ABOVE, ways, headers, signal }) {
  if (ways === undefined && file.size > partsAbove) {
    const profiles = await fetchProfiles(server, { headers, signal });
    ways = profiles.find((each) => each.name === profile)?.via;
  }
  return ways?.includes("multipart") === true && (file.size > partsAbove || !ways.includes("post"));
}

function isFresh(grant) {
  return grant?.fields !== undefined && Date.parse(grant.expires_at) - Date.now() > GRANT_SPARE;
}

