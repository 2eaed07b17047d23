/**
 * Uploads in parts: some at a time, with pauses, and resumed where they stopped; a part of the module ossgate.js.
 *
 * The parts are those of UploadPart: https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart.
 * Their URLs are signed just before they are used, and the server joins them.
 */

import { parseOssError, refusalOfBucket, UploadError } from "./ossgate-errors.js";
import { answerLost, explainBreak, sendToBucket } from "./ossgate-sending.js";
import {
  abortUpload,
  askWhetherArrived,
  completeUpload,
  fetchParts,
  isUnconfirmed,
  requestGrantPatiently,
  settleUpload,
  signParts,
  wait,
} from "./ossgate-server.js";

const PARALLEL = 3;
// Browsers open six connections to a host; a request that waits for one would look as if it stood still.
const MOST_PARTS_AT_ONCE = 4;
const PART_DELAYS = [500, 2_000, 5_000, 10_000];
const COMPLETE_DELAYS = [0, 1_000, 3_000, 8_000];
const LIST_DELAYS = [0, 1_000, 3_000];
// By our own clock, so that one that is wrong does no harm; the server gives each URL five minutes or more.
const URL_MILLISECONDS = 120_000;
const LONGEST_WAIT = 10;
const MOST_ROUNDS = 3;
const PARTS_WRONG = new Set(["parts_missing", "parts_mismatch", "part_too_small", "parts_size_mismatch"]);
const NOT_OPEN = new Set(["upload_arrived", "upload_closed", "upload_unknown", "grant_expired", "not_multipart"]);

/**
 * @typedef {object} PartsGrant What `POST /v1/uploads` hands out with `via: "multipart"`.
 * @property {string} upload_id
 * @property {string} profile
 * @property {number} part_size Bytes of each part but the last.
 * @property {number} part_count
 * @property {string} expires_at
 * @property {string} [object_key] Not known of a resumed upload.
 * @property {boolean} [resumed] True where an earlier upload goes on.
 */

/** A switch to pause uploads in parts with, and to let them go on. It tells each change by an event, `change`. */
export class PauseControl extends EventTarget {
  #paused = false;

  get paused() {
    return this.#paused;
  }

  /** Pause: parts that have arrived stay, those on their way are broken off. */
  pause() {
    this.#set(true);
  }

  /** Go on with what is missing. */
  resume() {
    this.#set(false);
  }

  #set(paused) {
    if (paused !== this.#paused) {
      this.#paused = paused;
      this.dispatchEvent(new Event("change"));
    }
  }
}

/**
 * Take one file the whole way in parts: grant, parts, completion.
 *
 * @param {string} server The server's base URL; "" is the page's own.
 * @param {Blob} file
 * @param {object} options
 * @param {string} options.profile Its `via` must have `multipart`.
 * @param {string} [options.filename]
 * @param {string} [options.contentType]
 * @param {Record<string, string | number | boolean>} [options.vars]
 * @param {Record<string, string>} [options.headers] Sent to the server, never to the bucket.
 * @param {number} [options.parallel] Parts at a time.
 * @param {number} [options.partSize] Bytes of each part, where the server's choice does not suit.
 * @param {string} [options.resume] The id of an earlier upload in parts of the same file: what the bucket holds is not sent
 *     again. Where that upload is over, the file is begun anew.
 * @param {PauseControl} [options.control]
 * @param {(progress: {loaded: number, total: number}) => void} [options.onProgress] What is stored and what is on its way. It
 *     steps back by what was on its way when a part fails or is broken off.
 * @param {(state: "granting" | "asking" | "sending" | "paused" | "completing" | "confirming" | "done") => void} [options.onState]
 * @param {(grant: PartsGrant) => void} [options.onGrant]
 * @param {AbortSignal} [options.signal] Cancels: the upload is given up in the bucket as well.
 * @returns {Promise<import("./ossgate.js").Uploaded>}
 * @throws {UploadError} With `uploadId`, to resume by.
 */
export async function uploadInParts(server, file, options) {
  const upload = new PartsUpload(server, file, options);
  try {
    return await upload.run();
  } catch (error) {
    if (error.code === "cancelled" && upload.grant) {
      const uploaded = await upload.giveUp();
      if (uploaded) {
        return uploaded;
      }
    }
    if (error instanceof UploadError) {
      error.uploadId ||= upload.grant?.upload_id ?? options.resume ?? "";
      error.grant ??= upload.grant;
    }
    throw error;
  }
}

/** One run of `uploadInParts`. */
class PartsUpload {
  #stored = new Map();
  #running = new Map();
  #state = "";

  constructor(server, file, options) {
    this.server = server;
    this.file = file;
    this.options = options;
    this.grant = null;
    this.calls = { headers: options.headers, signal: options.signal };
  }

  async run() {
    const { resume } = this.options;
    if (resume) {
      const uploaded = await this.#reopen(resume);
      if (uploaded) {
        return uploaded;
      }
    }
    if (this.grant === null) {
      this.#tellState("granting");
      this.#take(await requestGrantPatiently(this.server, { ...this.options, file: this.file, via: "multipart" }), []);
    }
    for (let round = 1; ; round += 1) {
      await this.#sendMissing();
      const uploaded = await this.#complete(round === MOST_ROUNDS);
      if (uploaded) {
        return uploaded;
      }
    }
  }

  /**
   * Give the upload up after it was cancelled.
   *
   * Only where the parts may have been joined already is the answer waited for: then the file is there, and that is told.
   */
  async giveUp() {
    const abandoned = abortUpload(this.server, this.grant.upload_id, { headers: this.options.headers });
    if (this.#state !== "completing" && this.#state !== "confirming") {
      // What could not be given up now is removed by the server once the grant has ended.
      abandoned.catch(() => {});
      return null;
    }
    try {
      await abandoned;
      return null;
    } catch (error) {
      return error.code === "upload_arrived" ? this.#settle({ headers: this.options.headers }) : null;
    }
  }

  /** Go on with an earlier upload; where it is complete, tell so. */
  async #reopen(uploadId) {
    this.#tellState("asking");
    try {
      const { parts, ...listed } = await this.#list(uploadId);
      if (listed.size === this.file.size) {
        const { profile } = this.options;
        this.#take({ upload_id: uploadId, profile, method: "PUT", ...listed, resumed: true }, parts);
      }
      return null;
    } catch (error) {
      if (!NOT_OPEN.has(error.code)) {
        throw error;
      }
    }
    try {
      const reply = await askWhetherArrived(this.server, uploadId, this.calls);
      if (reply === null) {
        return null;
      }
      return isUnconfirmed(reply) ? await this.#settle(this.calls, uploadId) : this.#finish(reply, "confirm", uploadId);
    } catch (error) {
      if (error.code === "cancelled" || error.retryable) {
        throw error;
      }
      return null;
    }
  }

  #take(grant, parts) {
    this.grant = grant;
    this.#note(parts);
    this.options.onGrant?.(grant);
  }

  /** Keep in mind which parts the bucket holds whole. */
  #note(parts) {
    const whole = parts.filter(({ part_number: number, size }) => size === this.#measure(number));
    this.#stored = new Map(whole.map(({ part_number: number, size }) => [number, size]));
  }

  #measure(number) {
    return Math.min(this.grant.part_size, this.file.size - (number - 1) * this.grant.part_size);
  }

  #listMissing() {
    const numbers = Array.from({ length: this.grant.part_count }, (_, index) => index + 1);
    return numbers.filter((number) => !this.#stored.has(number));
  }

  async #list(uploadId) {
    return tryPatiently(LIST_DELAYS, () => fetchParts(this.server, uploadId, this.calls), this.options.signal);
  }

  /** Send parts until none is missing, through any number of pauses. */
  async #sendMissing() {
    for (let missing = this.#listMissing(); missing.length > 0; missing = this.#listMissing()) {
      if (this.options.control?.paused) {
        await this.#sitOutPause();
        continue;
      }
      this.#tellState("sending");
      this.#tellProgress();
      await this.#send(missing);
    }
  }

  async #sitOutPause() {
    const { control, signal } = this.options;
    this.#tellState("paused");
    this.#tellProgress();
    await new Promise((resolve) => {
      const look = () => {
        if (!control.paused || signal?.aborted) {
          control.removeEventListener("change", look);
          signal?.removeEventListener("abort", look);
          resolve();
        }
      };
      control.addEventListener("change", look);
      signal?.addEventListener("abort", look);
      look();
    });
    refuseCancelled(signal, this.grant.upload_id);
    this.#tellState("asking");
    this.#note((await this.#list(this.grant.upload_id)).parts);
  }

  /** Send these parts, some at a time, until all are there, one cannot be sent, or it is paused or cancelled. */
  async #send(missing) {
    const { control, signal, parallel = PARALLEL } = this.options;
    const stop = new AbortController();
    const look = () => (signal?.aborted || control?.paused) && stop.abort();
    const urls = new PartUrls((numbers) =>
      signParts(this.server, this.grant.upload_id, numbers, { headers: this.options.headers, signal: stop.signal }),
    );
    let failure = null;
    const work = async () => {
      while (missing.length > 0 && !stop.signal.aborted) {
        try {
          await this.#sendPart(missing.shift(), urls, missing, 2 * parallel, stop.signal);
        } catch (error) {
          // Breaking the others off makes them fail as well: the first failure is the one that counts.
          failure ??= stop.signal.aborted ? null : error;
          stop.abort();
        }
      }
    };
    signal?.addEventListener("abort", look);
    control?.addEventListener("change", look);
    look();
    await Promise.all(Array.from({ length: Math.min(parallel, missing.length) }, work));
    signal?.removeEventListener("abort", look);
    control?.removeEventListener("change", look);
    this.#running.clear();
    refuseCancelled(signal, this.grant.upload_id);
    if (failure) {
      throw failure;
    }
  }

  /** Send one part, again with a fresh URL where that may help. */
  async #sendPart(number, urls, next, batch, signal) {
    const attempt = async () => {
      try {
        await this.#sendOnce(number, await urls.take(number, next, batch), signal);
      } finally {
        this.#running.delete(number);
        this.#tellProgress();
      }
    };
    await tryPatiently([0, ...PART_DELAYS], attempt, signal);
  }

  async #sendOnce(number, { url, headers }, signal) {
    const facts = { uploadId: this.grant.upload_id, grant: this.grant };
    const begin = (number - 1) * this.grant.part_size;
    const size = this.#measure(number);
    const entered = await lanes.enter(signal);
    if (!entered) {
      throw cancelled(this.grant.upload_id);
    }
    try {
      const outcome = await sendToBucket({
        method: "PUT",
        url,
        headers,
        // With no type the browser adds no Content-Type, which would break the signature.
        body: this.file.slice(begin, begin + size, ""),
        size,
        signal,
        onProgress: (loaded) => {
          this.#running.set(number, loaded);
          this.#tellProgress();
        },
      });
      if (outcome.kind === "cancelled") {
        throw cancelled(this.grant.upload_id);
      }
      if (outcome.kind === "broken") {
        throw await explainBreak(outcome, this.file, facts);
      }
      if (outcome.status < 200 || outcome.status >= 300) {
        throw refusalOfBucket(outcome.status, parseOssError(outcome.text), facts);
      }
      this.#stored.set(number, size);
    } finally {
      lanes.leave();
    }
  }

  /** Have the parts joined; null where some turn out to be missing. */
  async #complete(last) {
    const uploadId = this.grant.upload_id;
    this.#tellState("completing");
    let cause = null;
    for (const delay of COMPLETE_DELAYS) {
      await wait(delay, this.options.signal, uploadId);
      try {
        const reply = await completeUpload(this.server, uploadId, this.calls);
        return isUnconfirmed(reply) ? await this.#settle(this.calls) : this.#finish(reply, "complete");
      } catch (error) {
        if (PARTS_WRONG.has(error.code) && !last) {
          this.#note((await this.#list(uploadId)).parts);
          return null;
        }
        if (error.code === "cancelled" || !error.retryable || error.stored) {
          throw error;
        }
        cause = error;
      }
      // The parts may have been joined, and only the answer was lost.
      const reply = await askWhetherArrived(this.server, uploadId, this.calls).catch((error) => {
        if (error.code === "cancelled" || !error.retryable) {
          throw error;
        }
        return null;
      });
      if (reply !== null) {
        return isUnconfirmed(reply) ? this.#settle(this.calls) : this.#finish(reply, "confirm");
      }
    }
    throw answerLost({ uploadId, grant: this.grant, cause });
  }

  async #settle(calls, uploadId = this.grant.upload_id) {
    this.#tellState("confirming");
    const { confirmDelays: delays } = this.options;
    return this.#finish(await settleUpload(this.server, uploadId, { delays, ...calls }), "confirm", uploadId);
  }

  #finish(reply, via, uploadId = this.grant.upload_id) {
    this.#tellState("done");
    return { uploadId, reply, via, oss: null };
  }

  #tellState(state) {
    this.#state = state;
    this.options.onState?.(state);
  }

  #tellProgress() {
    const loaded = [...this.#stored.values(), ...this.#running.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.options.onProgress?.({ loaded, total: this.file.size });
  }
}

/** The URLs of parts, signed some at a time and each used once. */
class PartUrls {
  #signed = new Map();
  #asking = null;

  constructor(sign) {
    this.sign = sign;
  }

  /** Take a part's URL; one that must be signed is signed together with those that come next. */
  async take(number, next, batch) {
    for (;;) {
      const found = this.#signed.get(number);
      this.#signed.delete(number);
      if (found && Date.now() - found.at < URL_MILLISECONDS) {
        return found;
      }
      this.#asking ??= this.#ask([number, ...next.slice(0, batch - 1)]).finally(() => {
        this.#asking = null;
      });
      await this.#asking;
    }
  }

  async #ask(numbers) {
    const at = Date.now();
    for (const { part_number: number, url, headers } of await this.sign(numbers)) {
      this.#signed.set(number, { url, headers, at });
    }
  }
}

/** Lets so many parts of all uploads of a page be on their way at a time. */
class Lanes {
  #waiting = [];

  constructor(count) {
    this.free = count;
  }

  /** Wait for a lane; false when it was aborted before there was one. */
  async enter(signal) {
    if (signal.aborted) {
      return false;
    }
    if (this.free > 0) {
      this.free -= 1;
      return true;
    }
    return new Promise((resolve) => {
      const giveUp = () => {
        this.#waiting = this.#waiting.filter((each) => each !== enter);
        resolve(false);
      };
      const enter = () => {
        signal.removeEventListener("abort", giveUp);
        resolve(true);
      };
      this.#waiting.push(enter);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  leave() {
    const enter = this.#waiting.shift();
    if (enter) {
      enter();
    } else {
      this.free += 1;
    }
  }
}

const lanes = new Lanes(MOST_PARTS_AT_ONCE);

/** Try something that may succeed later, after each of these delays. */
async function tryPatiently(delays, act, signal) {
  let failure = null;
  for (const delay of delays) {
    if (delay > 0) {
      await wait(Math.max(delay, (failure?.retryAfter ?? 0) * 1_000), signal, failure?.uploadId);
    }
    try {
      return await act();
    } catch (error) {
      if (error.code === "cancelled" || !error.retryable || error.retryAfter > LONGEST_WAIT) {
        throw error;
      }
      failure = error;
    }
  }
  throw failure;
}

function refuseCancelled(signal, uploadId) {
  if (signal?.aborted) {
    throw cancelled(uploadId);
  }
}

function cancelled(uploadId) {
  return new UploadError("cancelled", "The upload was cancelled.", { retryable: true, uploadId });
}
