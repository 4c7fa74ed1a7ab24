/** Asking the server as the person who is signed in; an expired token is exchanged on the way. */

import { request, RequestError } from "../shared/http.js";

/** @typedef {import("./session.js").Session} Session */

/** What `/api/v1` answers with 403 where a token has expired. */
const EXPIRED = "INVALID_TOKEN";

export class Client {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
  }

  /**
   * The answer's JSON. Throws RequestError, `status` 0 where the server cannot be reached.
   * @param {string} path
   * @param {Record<string, unknown>} [query] what is null, undefined or "" is left out
   * @param {AbortSignal} [signal]
   */
  async get(path, query, signal) {
    return (await this.send("GET", withQuery(path, query), { signal })).json();
  }

  /** @param {string} path @param {unknown} [body] */
  async post(path, body = {}) {
    return (await this.send("POST", path, { body })).json();
  }

  /** @param {string} path @param {unknown} body */
  async put(path, body) {
    return (await this.send("PUT", path, { body })).json();
  }

  /** @param {string} path @param {unknown} body */
  async patch(path, body) {
    return (await this.send("PATCH", path, { body })).json();
  }

  /** @param {string} path */
  async remove(path) {
    return (await this.send("DELETE", path)).json().catch(() => null);
  }

  /**
   * Whatever the answer is, such as a file to download.
   * @param {string} method
   * @param {string} path
   * @param {{body?: unknown, accept?: string, signal?: AbortSignal}} [options]
   * @returns {Promise<Response>}
   */
  async send(method, path, options = {}) {
    await this.session.freshToken();
    try {
      return await request(this.session.server, path, { ...options, method });
    } catch (error) {
      if (!isExpired(error)) throw error;
      await this.session.refresh();
      return request(this.session.server, path, { ...options, method });
    }
  }

  /**
   * Send a form with files.
   * @param {string} path
   * @param {FormData} form
   * @param {(share: number) => void} [progress] 0 to 1
   */
  async upload(path, form, progress = () => {}) {
    const token = await this.session.freshToken();
    return new Promise((resolve, reject) => {
      const sending = new XMLHttpRequest();
      sending.open("POST", this.session.server.origin + path);
      sending.setRequestHeader("Authorization", `Bearer ${token}`);
      sending.responseType = "json";
      sending.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
      sending.onerror = () => reject(new RequestError(0, "unreachable", ""));
      sending.onload = () => {
        const said = sending.response ?? {};
        if (sending.status < 300) resolve(said);
        else reject(new RequestError(sending.status, ...problemOf(said)));
      };
      sending.send(form);
    });
  }
}

/** @param {RequestError} error */
function isExpired(error) {
  return error.status === 401 || (error.status === 403 && error.code === EXPIRED);
}

function problemOf(said) {
  const { code, message } = said.error?.code ? said.error : { ...said, code: said.error };
  return [code || "refused", said.detail || message || said.errors?.[0]?.message || ""];
}

/** @param {string} path @param {Record<string, unknown>} [query] */
export function withQuery(path, query = {}) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return given.length ? `${path}?${search}` : path;
}
