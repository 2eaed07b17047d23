/**
 * The queue of the upload page: what waits, what runs, and what came of it. No DOM.
 */

import { abortUpload, checkFile, PauseControl, upload, UploadError } from "./ossgate.js";
import { claim, claimEarlier, forget, release, remember } from "./upload-memory.js";

const PARALLEL = 3;
const RATE_MEMORY = 4_000;
// After these there is nothing in the bucket to go on with.
const OVER = new Set(["cancelled", "upload_closed", "upload_unknown", "grant_expired"]);

/**
 * One file on its way.
 *
 * Its state is one of: waiting, granting, sending, paused, sent, asking, completing, confirming, done, unconfirmed, failed,
 * refused, cancelled.
 */
export class Item {
  constructor(file, profile) {
    this.file = file;
    this.profile = profile;
    this.state = "waiting";
    this.loaded = 0;
    this.rate = 0;
    this.uploadId = "";
    this.result = null;
    this.error = null;
    this.controller = null;
    this.control = new PauseControl();
    this.inParts = false;
    this.resumed = false;
    this.storedBefore = null;
    this.samples = [];
  }

  get running() {
    return this.controller !== null;
  }

  get finished() {
    return ["done", "unconfirmed", "failed", "refused", "cancelled"].includes(this.state);
  }

  get secondsLeft() {
    return this.rate > 0 ? (this.file.size - this.loaded) / this.rate : Infinity;
  }

  /** Take in how far the file is, and tell the speed of the last seconds. */
  measure(loaded, now) {
    // What was lost on the way has been carried all the same: the speed is that of the line.
    const lost = Math.max(0, this.loaded - loaded);
    for (const sample of this.samples) {
      sample.loaded -= lost;
    }
    this.loaded = loaded;
    this.samples.push({ loaded, now });
    while (this.samples.length > 2 && now - this.samples[0].now > RATE_MEMORY) {
      this.samples.shift();
    }
    const [first] = this.samples;
    const seconds = (now - first.now) / 1_000;
    this.rate = seconds > 0.3 ? (loaded - first.loaded) / seconds : 0;
  }
}

/** Runs at most three uploads at a time, in the order in which they were added. */
export class Queue {
  /**
   * @param {object} options
   * @param {string} options.server
   * @param {(item: Item) => void} options.onChange Called whenever an item is not as it was.
   * @param {() => void} options.onIdle Called when the last running upload has ended.
   */
  constructor({ server, onChange, onIdle }) {
    this.server = server;
    this.onChange = onChange;
    this.onIdle = onIdle;
    this.items = [];
  }

  /** Add a file; one that the profile does not take is refused at once and never sent. */
  add(file, profile) {
    const item = new Item(file, profile);
    this.items.push(item);
    const refusal = checkFile(profile, file);
    if (refusal) {
      item.error = refusal;
      item.state = "refused";
    }
    this.onChange(item);
    return item;
  }

  /** Start what may start; what is paused keeps nobody waiting. */
  pump() {
    for (const item of this.items) {
      if (this.items.filter((each) => each.running && each.state !== "paused").length >= PARALLEL) {
        return;
      }
      if (item.state === "waiting" && !item.running) {
        this.#run(item);
      }
    }
  }

  retry(item) {
    item.state = "waiting";
    this.onChange(item);
    this.pump();
  }

  pause(item) {
    item.control.pause();
  }

  resume(item) {
    item.control.resume();
  }

  cancel(item) {
    if (item.running) {
      item.controller.abort();
    } else {
      this.#change(item, "cancelled");
    }
  }

  remove(item) {
    this.items = this.items.filter((each) => each !== item);
    if (item.running) {
      item.controller.abort();
    } else if (item.inParts && ["failed", "waiting"].includes(item.state)) {
      this.giveUp(item.uploadId);
    }
  }

  /** Give up an unfinished upload in parts; what cannot be given up now ends by itself with its grant. */
  async giveUp(uploadId) {
    forget(uploadId);
    await abortUpload(this.server, uploadId).catch(() => {});
  }

  async #run(item) {
    const previous = item.error;
    const goesOn = previous?.uploadId && previous.code !== "cancelled";
    let remembered = null;
    item.controller = new AbortController();
    item.control.resume();
    item.error = null;
    item.uploadId = goesOn ? previous.uploadId : "";
    item.inParts = false;
    item.storedBefore = null;
    item.loaded = 0;
    item.rate = 0;
    item.samples = [];
    const earlier = goesOn ? undefined : await claimEarlier(item.file, item.profile.name);
    try {
      item.result = await upload(this.server, item.file, {
        profile: item.profile.name,
        ways: item.profile.via,
        previous: previous ?? undefined,
        resume: earlier,
        signal: item.controller.signal,
        control: item.control,
        onGrant: (grant) => {
          item.uploadId = grant.upload_id;
          item.inParts = grant.part_size !== undefined;
          item.resumed = grant.resumed === true;
          if (item.inParts) {
            claim(grant.upload_id);
            remembered = remember(grant, item.file);
          }
        },
        onProgress: ({ loaded }) => {
          if (item.resumed) {
            item.storedBefore ??= loaded;
          }
          item.measure(loaded, performance.now());
          this.onChange(item);
        },
        onState: (state) => {
          // "done" is told before the result is handed over; below it is both.
          if (state !== "done") {
            this.#change(item, state);
          }
          if (state === "paused") {
            item.samples = [];
            item.rate = 0;
            this.pump();
          }
        },
      });
      item.loaded = item.file.size;
      item.state = "done";
    } catch (error) {
      item.error = error instanceof UploadError ? error : new UploadError("page_error", String(error), { cause: error });
      item.state = item.error.stored ? "unconfirmed" : item.error.code === "cancelled" ? "cancelled" : "failed";
    }
    await remembered;
    const arrived = item.state === "done" || item.state === "unconfirmed";
    if (arrived || OVER.has(item.error?.code)) {
      forget(item.uploadId);
    }
    if (earlier && (arrived || (item.uploadId && item.uploadId !== earlier))) {
      // It was complete already, or over, and the file was begun anew.
      forget(earlier);
    }
    release(item.uploadId);
    release(earlier);
    item.controller = null;
    this.onChange(item);
    this.pump();
    if (!this.items.some((each) => each.running)) {
      this.onIdle();
    }
  }

  #change(item, state) {
    item.state = state;
    this.onChange(item);
  }
}
