/** Files on their way: chosen, made smaller where they must be, sent with progress. */

import { computed, signal } from "../shared/html.js";
import { credentials } from "../shared/http.js";
import { randomId } from "../shared/identity.js";

export const MAXIMUM_FILES = 10;
export const ACCEPTED =
  "image/jpeg,image/png,image/webp,image/gif,image/heic,image/heif,image/avif,.heic,.heif," +
  "video/mp4,video/quicktime,video/webm,application/pdf";
// What few browsers can show.
const NOT_SHOWN = /^image\/hei[cf]$/;
const LARGEST_BYTES = 10 * 1024 * 1024;
// A photo above the limit is drawn anew at this length: the server keeps no more pixels.
const LONGEST_SIDE_PIXELS = 4096;
const JPEG_QUALITY = 0.85;
// As `request` names it.
const UNREACHABLE = "unreachable";

/**
 * @typedef {object} Upload
 * @property {string} key
 * @property {string} name
 * @property {string} type
 * @property {string | null} url to preview it
 * @property {number} progress 0 to 1
 * @property {"sending" | "ready" | "failed"} state
 * @property {string | null} fileId
 * @property {string | null} problem
 * @property {string | null} detail what the server said
 */

export class Uploads {
  /**
   * @param {import("../shared/http.js").Server} server
   * @param {() => Promise<void>} becomeKnown
   */
  constructor(server, becomeKnown) {
    this.server = server;
    this.becomeKnown = becomeKnown;
    this.list = signal(/** @type {Upload[]} */ ([]));
    this.isBusy = computed(() => this.list.value.some((one) => one.state === "sending"));
    this.requests = new Map();
  }

  /**
   * Take files in; returns whether there was room for all.
   * @param {Iterable<File>} files
   */
  add(files) {
    const chosen = [...files];
    const room = MAXIMUM_FILES - this.list.value.length;
    chosen.slice(0, room).forEach((file) => this.begin(file));
    return chosen.length <= room;
  }

  /** The files that are ready, which leave the list. @returns {Upload[]} */
  take() {
    const ready = this.list.value.filter((one) => one.state === "ready");
    this.list.value = this.list.value.filter((one) => one.state === "sending");
    return ready;
  }

  remove(key) {
    this.requests.get(key)?.abort();
    this.list.value = this.list.value.filter((one) => one.key !== key);
  }

  clear() {
    this.list.value.forEach((one) => this.remove(one.key));
  }

  /** @param {File} file */
  async begin(file) {
    const key = randomId();
    const type = typeOf(file);
    const isShown = /^(image|video)\//.test(type) && !NOT_SHOWN.test(type);
    const shown = isShown ? URL.createObjectURL(file) : null;
    /** @type {Upload} */
    const upload = {
      key,
      name: file.name || type.split("/")[1],
      type,
      url: shown,
      progress: 0,
      state: "sending",
      fileId: null,
      problem: null,
      detail: null,
    };
    this.list.value = [...this.list.value, upload];
    try {
      if (!ACCEPTED.includes(type)) throw new Error("badFile");
      const sent = await withinLimit(file);
      await this.becomeKnown();
      const fileId = await this.send(key, sent, upload.name);
      this.change(key, { state: "ready", progress: 1, fileId });
    } catch (error) {
      const known = ["badFile", "tooLarge", UNREACHABLE].includes(error.code ?? error.message);
      const problem = known ? (error.code ?? error.message) : "uploadFailed";
      this.change(key, { state: "failed", problem, detail: error.message });
    }
    this.requests.delete(key);
  }

  change(key, values) {
    this.list.value = this.list.value.map((one) => (one.key === key ? { ...one, ...values } : one));
  }

  /** XMLHttpRequest, because fetch does not tell how much has left. @returns {Promise<string>} */
  send(key, file, name) {
    return new Promise((resolve, reject) => {
      const sending = new XMLHttpRequest();
      this.requests.set(key, sending);
      sending.open("POST", `${this.server.origin}/api/upload`);
      for (const [header, value] of Object.entries(credentials(this.server))) {
        sending.setRequestHeader(header, value);
      }
      sending.responseType = "json";
      sending.upload.onprogress = ({ loaded, total }) =>
        this.change(key, { progress: (0.95 * loaded) / total });
      sending.onload = () => {
        if (sending.status === 201) resolve(sending.response.file_id);
        else reject(new Error(sending.response?.detail || sending.statusText));
      };
      sending.onerror = () => reject(new Error(UNREACHABLE));
      const form = new FormData();
      form.append("file", file, name);
      sending.send(form);
    });
  }
}

/**
 * Its type; of a telephone's picture by its name, where the system does not know it.
 * @param {File} file
 */
function typeOf(file) {
  const unknown = /\.hei[cf]$/i.test(file.name) ? "image/heic" : "application/octet-stream";
  return file.type || unknown;
}

/**
 * The file, or for a photo that is too large a smaller copy of it; else throws `tooLarge`.
 * @param {File} file
 * @returns {Promise<Blob>}
 */
async function withinLimit(file) {
  if (file.size <= LARGEST_BYTES) return file;
  if (!/^image\/(jpeg|png|webp)$/.test(file.type)) throw new Error("tooLarge");
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE_PIXELS / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(picture.width * scale, picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const smaller = await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
  if (smaller.size > LARGEST_BYTES) throw new Error("tooLarge");
  return smaller;
}
