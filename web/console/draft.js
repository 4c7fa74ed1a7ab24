/** What is being written in each conversation; it stays while others are open. */

import { signal } from "../shared/html.js";

/**
 * @typedef {object} Draft
 * @property {"reply" | "note"} mode
 * @property {string} reply
 * @property {string} note
 * @property {any} suggestion the proposal that the reply began with
 */

/** @type {Draft} */
const EMPTY = { mode: "reply", reply: "", note: "", suggestion: null };

export class Drafts {
  constructor() {
    this.all = signal(/** @type {Record<string, Draft>} */ ({}));
    this.id = "";
  }

  /** @param {string} id of the conversation that is open */
  of(id) {
    this.id = id;
    return this;
  }

  get value() {
    return this.all.value[this.id] ?? EMPTY;
  }

  get text() {
    return this.value[this.value.mode];
  }

  /** @param {Partial<Draft>} values */
  change(values) {
    this.all.value = { ...this.all.value, [this.id]: { ...this.value, ...values } };
  }

  /** @param {string} text */
  write(text) {
    this.change({ [this.value.mode]: text });
  }

  /** Forget what has been sent. */
  clear() {
    const { mode } = this.value;
    this.change(mode === "reply" ? { reply: "", suggestion: null } : { note: "", mode: "reply" });
  }
}
