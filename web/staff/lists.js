/** What a list shows while it loads, when it is empty and when it cannot be read. */

import { html, useEffect, useRef, useState } from "../shared/html.js";
import { Icon } from "./icons.js";
import { problemText } from "./problems.js";

/** @typedef {import("./staff.js").Staff} Staff */

/**
 * @template T
 * @typedef {object} Loaded
 * @property {"loading" | "ready" | "failed"} state `ready` stays while it is read anew
 * @property {T | null} data
 * @property {import("../shared/http.js").RequestError | null} error
 * @property {() => Promise<void>} reload
 * @property {(data: T) => void} replace put in what is known already
 */

/**
 * Read something, and again whenever what it depends on changes; late answers are dropped.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} [dependencies]
 * @returns {Loaded<T>}
 */
export function useLoaded(load, dependencies = []) {
  const [result, show] = useState({ state: "loading", data: null, error: null });
  const running = useRef(null);
  const reload = async () => {
    running.current?.abort();
    const current = new AbortController();
    running.current = current;
    try {
      const data = await load(current.signal);
      if (!current.signal.aborted) show({ state: "ready", data, error: null });
    } catch (error) {
      if (!current.signal.aborted) show((before) => failed(before, error));
    }
  };
  useEffect(() => {
    show({ state: "loading", data: null, error: null });
    reload();
    return () => running.current?.abort();
  }, dependencies);
  return { ...result, reload, replace: (data) => show({ state: "ready", data, error: null }) };
}

/** What was read before stays in sight. */
function failed(before, error) {
  return before.data === null ? { state: "failed", data: null, error } : { ...before, error };
}

/**
 * The state of something that is read; draws its children when it is there and not empty.
 * @param {{staff: Staff, loaded: Loaded<any>, isEmpty?: (data: any) => boolean,
 *   empty?: any, lines?: number, children: (data: any) => any}} properties
 */
export function Shown({ staff, loaded, isEmpty = hasNone, empty, lines, children }) {
  if (loaded.state === "loading") return html`<${Loading} staff=${staff} lines=${lines} />`;
  if (loaded.state === "failed") {
    return html`<${Failed} staff=${staff} error=${loaded.error} retry=${loaded.reload} />`;
  }
  if (isEmpty(loaded.data)) return empty ?? html`<${Empty} title=${staff.common.nothing} />`;
  return children(loaded.data);
}

const hasNone = (data) => Array.isArray(data) && data.length === 0;

/** @param {{staff: Staff, lines?: number}} properties */
export function Loading({ staff, lines = 6 }) {
  return html`
    <div class="bones" role="status">
      <span class="hidden">${staff.common.loading}</span>
      ${Array.from({ length: lines }, (_, index) => html`<span key=${index} class="bone"></span>`)}
    </div>
  `;
}

/** @param {{icon?: string, title: string, text?: string, children?: any}} properties */
export function Empty({ icon = "inbox", title, text, children }) {
  return html`
    <div class="state">
      <${Icon} name=${icon} />
      <strong>${title}</strong>
      ${text && html`<p>${text}</p>`}
      ${children}
    </div>
  `;
}

/** @param {{staff: Staff, error: any, retry?: () => void}} properties */
export function Failed({ staff, error, retry }) {
  return html`
    <div class="state" role="alert">
      <${Icon} name="warning" />
      <strong>${staff.common.failed}</strong>
      <p>${problemText(staff, error)}</p>
      ${retry && html`<button type="button" class="button" onClick=${retry}>${staff.common.retry}</button>`}
    </div>
  `;
}
