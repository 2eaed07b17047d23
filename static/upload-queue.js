/**
 * The queue of the upload page: what waits, what runs, and what came of it. No DOM.
 */

import { checkFile, upload, UploadError } from "./ossgate.js";

const PARALLEL = 3;
const RATE_MEMORY = 4_000;

/**
 * One file on its way.
 *
 * Its state is one of: waiting, granting, sending, sent, asking, confirming, done, unconfirmed, failed, refused, cancelled.
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

  /** Start what may start. */
  pump() {
    for (const item of this.items) {
      if (this.items.filter((each) => each.running).length >= PARALLEL) {
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

  cancel(item) {
    if (item.running) {
      item.controller.abort();
    } else {
      this.#change(item, "cancelled");
    }
  }

  remove(item) {
    item.controller?.abort();
    this.items = this.items.filter((each) => each !== item);
  }

  async #run(item) {
    const previous = item.error;
    item.controller = new AbortController();
    item.error = null;
    item.loaded = 0;
    item.rate = 0;
    item.samples = [];
    try {
      item.result = await upload(this.server, item.file, {
        profile: item.profile.name,
        previous: previous ?? undefined,
        signal: item.controller.signal,
        onGrant: (grant) => {
          item.uploadId = grant.upload_id;
        },
        onProgress: ({ loaded }) => {
          item.measure(loaded, performance.now());
          this.onChange(item);
        },
        onState: (state) => {
          // "done" is told before the result is handed over; below it is both.
          if (state !== "done") {
            this.#change(item, state);
          }
        },
      });
      item.loaded = item.file.size;
      item.state = "done";
    } catch (error) {
      item.error = error instanceof UploadError ? error : new UploadError("page_error", String(error), { cause: error });
      item.state = item.error.stored ? "unconfirmed" : item.error.code === "cancelled" ? "cancelled" : "failed";
    }
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
