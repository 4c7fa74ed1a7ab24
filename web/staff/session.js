/**
 * Who is signed in. The access token is in memory only; the refresh token is kept on the device,
 * and tabs take turns in exchanging it, because using one twice ends the whole session.
 */

import { ask, RequestError } from "../shared/http.js";
import { signal } from "../shared/html.js";

const KEPT = "mdf-staff";
const LOCK = "mdf-staff-refresh";
// Asked for anew this long before it expires, so that no request is refused for it.
const EARLY_MS = 60_000;

/**
 * @typedef {object} Caller of `GET /api/auth/me`
 * @property {string} id
 * @property {string} name
 * @property {string} email
 * @property {string} role
 * @property {string[]} permissions
 * @property {string} shop
 */

export class Session {
  constructor() {
    /** `starting` until it is known whether somebody is signed in. */
    this.state = signal(/** @type {"starting" | "out" | "in" | "unreachable"} */ ("starting"));
    /** Who is signed in; null while nobody is. @type {{value: Caller | null}} */
    this.caller = signal(null);
    this.accessToken = null;
    this.expiresAt = 0;
    /** @type {Promise<void> | null} */
    this.refreshing = null;
    this.server = { origin: location.origin, token: () => this.accessToken };
    addEventListener("storage", ({ key, newValue }) => {
      if (key === KEPT && newValue === null) this.forget();
    });
  }

  /** Go on where an earlier page of this device left off. */
  async start() {
    this.state.value = "starting";
    if (!recall()) {
      this.state.value = "out";
      return;
    }
    try {
      await this.refresh();
      await this.readCaller();
    } catch (error) {
      if (error.status === 0 || error.status >= 500) this.state.value = "unreachable";
      else this.forget();
    }
  }

  /**
   * Throws RequestError: 401 for a wrong address or password, 429 for too many attempts.
   * @param {string} email
   * @param {string} password
   */
  async signIn(email, password) {
    this.take(await ask(this.server, "/api/auth/login", { body: { email, password } }));
    await this.readCaller();
  }

  async signOut() {
    const refresh_token = recall();
    this.forget();
    if (refresh_token) await ask(this.server, "/api/auth/logout", { body: { refresh_token } });
  }

  /** @param {string} permission such as `analytics:read` */
  may(permission) {
    return this.caller.value?.permissions.includes(permission) ?? false;
  }

  /** A token that is good for a moment at least; throws RequestError where there is none. */
  async freshToken() {
    if (!this.accessToken || Date.now() > this.expiresAt - EARLY_MS) await this.refresh();
    return this.accessToken;
  }

  /** Exchange the refresh token; callers at the same time share one exchange. */
  refresh() {
    this.refreshing ??= alone(() => this.exchange()).finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  async exchange() {
    const refresh_token = recall();
    if (!refresh_token) {
      this.forget();
      throw new RequestError(401, "signed_out", "Signed out.");
    }
    try {
      this.take(await ask(this.server, "/api/auth/refresh", { body: { refresh_token } }));
    } catch (error) {
      // Another tab may have exchanged it where tabs cannot take turns.
      if (error.status === 401 && recall() === refresh_token) this.forget();
      throw error;
    }
  }

  take(tokens) {
    this.accessToken = tokens.access_token;
    this.expiresAt = Date.now() + tokens.expires_in * 1000;
    keep(tokens.refresh_token);
  }

  async readCaller() {
    this.caller.value = (await ask(this.server, "/api/auth/me")).caller;
    this.state.value = "in";
  }

  forget() {
    this.accessToken = null;
    this.caller.value = null;
    this.state.value = "out";
    keep(null);
  }
}

/** One tab at a time, where the browser can say so (pages of a secure origin). */
function alone(work) {
  return navigator.locks ? navigator.locks.request(LOCK, work) : work();
}

/** @returns {string | null} */
function recall() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** @param {string | null} token */
function keep(token) {
  try {
    if (token === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, token);
  } catch {
    // Storage may be forbidden: the session then lasts as long as the page.
    return;
  }
}
