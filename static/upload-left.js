/**
 * The uploads that an earlier visit left unfinished, offered on the upload page until they are gone on with or discarded.
 */

import { listIdle, seemsToBe } from "./upload-memory.js";
import { shownName, size, t } from "./messages.js";

const find = (id) => document.getElementById(id);

/** The list, drawn anew by `draw`. */
export class LeftOvers {
  #wanted = null;
  #drawn = "";

  /**
   * @param {object} options
   * @param {{name: string, title: string}[]} options.profiles
   * @param {(uploadId: string) => boolean} options.isShown Whether the upload has a row in the queue.
   * @param {(uploadId: string) => Promise<void>} options.onDiscard
   * @param {(file: File, profile: object) => void} options.onTake Called with the file that an upload goes on with.
   * @param {(sentence: string) => void} options.say
   */
  constructor(options) {
    this.options = options;
  }

  async draw() {
    const entries = (await listIdle()).filter((entry) => !this.options.isShown(entry.upload_id));
    const ids = entries.map((entry) => entry.upload_id).join();
    if (ids === this.#drawn) {
      return;
    }
    this.#drawn = ids;
    const hadFocus = find("left").contains(document.activeElement);
    find("left").hidden = entries.length === 0;
    find("left-items").replaceChildren(...entries.map((entry) => this.#buildRow(entry)));
    if (hadFocus) {
      (find("left").querySelector("button") ?? find("queue-title")).focus();
    }
  }

  /** Take the file that was chosen for an upload, if it is the one. */
  take(file) {
    const entry = this.#wanted;
    const profile = this.options.profiles.find((each) => each.name === entry.profile);
    const fits = seemsToBe(entry, file);
    find("left-problem").textContent = fits ? "" : t("left.other", { name: shownName(entry.name) });
    find("left-problem").hidden = fits;
    if (fits) {
      this.options.onTake(file, profile);
    }
  }

  #buildRow(entry) {
    const row = find("left-template").content.firstElementChild.cloneNode(true);
    const [name, about] = row.querySelectorAll("[data-part]");
    const profile = this.options.profiles.find((each) => each.name === entry.profile);
    name.textContent = shownName(entry.name);
    about.textContent = [size(entry.size), ...(profile ? [profile.title] : [])].join(" · ");
    const [choose, discard] = row.querySelectorAll("button");
    for (const button of [choose, discard]) {
      button.setAttribute("aria-label", t("item.action", { action: button.textContent, name: name.textContent }));
    }
    choose.hidden = profile === undefined;
    choose.addEventListener("click", () => {
      this.#wanted = entry;
      find("left-chooser").click();
    });
    discard.addEventListener("click", async () => {
      await this.options.onDiscard(entry.upload_id);
      this.options.say(t("left.discarded", { name: name.textContent }));
      find("left-problem").hidden = true;
      await this.draw();
    });
    return row;
  }
}
