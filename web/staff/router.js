/** Which view of an area is open: the part of the address behind `#`. */

import { signal } from "../shared/html.js";

/**
 * @typedef {object} Route `#/knowledge/42?tab=text`
 * @property {string[]} parts `["knowledge", "42"]`
 * @property {Record<string, string>} query `{tab: "text"}`
 */

/** @type {{value: Route}} */
export const route = signal(read());

addEventListener("hashchange", () => (route.value = read()));

/**
 * Open a view. With `replace` the way back does not lead through the one before.
 * @param {(string | number)[]} parts
 * @param {Record<string, string | null | undefined>} [query]
 * @param {{replace?: boolean}} [options]
 */
export function go(parts, query = {}, { replace = false } = {}) {
  const address = addressOf(parts, query);
  if (address === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  route.value = read();
}

/** The address of a view, for links. @param {(string | number)[]} parts @param {Record<string, any>} [query] */
export function addressOf(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const path = parts.map((part) => encodeURIComponent(part)).join("/");
  return `#/${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
}

addEventListener("popstate", () => (route.value = read()));

/** @returns {Route} */
function read() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { parts, query: Object.fromEntries(new URLSearchParams(search)) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
