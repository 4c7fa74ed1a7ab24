/** Short messages at the foot of the page, some with a way back. */

import { html, signal, useEffect, useRef } from "../shared/html.js";
import { problemText } from "./problems.js";
import { Icon } from "./icons.js";

const STAYS_MS = 6_000;
const UNDOABLE_MS = 10_000;
const MOST = 3;

/** @typedef {{id: number, text: string, tone: "plain" | "bad", undo: (() => any) | null}} Toast */

/** @type {{value: Toast[]}} */
const toasts = signal([]);
let last = 0;

/**
 * Say something in passing; `undo` puts a button beside it that takes the action back.
 * @param {string} text
 * @param {{undo?: () => any, tone?: "plain" | "bad"}} [options]
 */
export function toast(text, { undo = null, tone = "plain" } = {}) {
  const id = (last += 1);
  toasts.value = [...toasts.value, { id, text, tone, undo }].slice(-MOST);
  setTimeout(() => dismiss(id), undo ? UNDOABLE_MS : STAYS_MS);
}

/**
 * Do something and say what came of it; returns what it returned, undefined where it failed.
 * @template T
 * @param {import("./staff.js").Staff} staff
 * @param {() => Promise<T>} work
 * @param {{done?: string, undo?: () => any, problems?: Record<number, string>}} [options]
 * @returns {Promise<T | undefined>}
 */
export async function attempt(staff, work, { done, undo, problems } = {}) {
  try {
    const result = await work();
    if (done) toast(done, { undo });
    return result;
  } catch (error) {
    if (error.name !== "AbortError") toast(problemText(staff, error, problems), { tone: "bad" });
    return undefined;
  }
}

/** @param {number} id */
function dismiss(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** @param {{staff: import("./staff.js").Staff}} properties */
export function Toasts({ staff }) {
  const place = useRef(null);
  const shown = toasts.value;
  // As a popover they stand above an open dialog too.
  useEffect(() => {
    const { current } = place;
    if (!current?.showPopover) return;
    if (current.matches(":popover-open")) current.hidePopover();
    if (shown.length) current.showPopover();
  }, [shown]);
  return html`
    <div class="toasts" popover="manual" ref=${place} role="status">
      ${shown.map((one) => html`
        <div key=${one.id} class=${one.tone === "bad" ? "toast toast-bad" : "toast"}>
          <span>${one.text}</span>
          ${one.undo && html`
            <button type="button" onClick=${() => takeBack(staff, one)}>${staff.common.undo}</button>
          `}
          <button type="button" aria-label=${staff.common.close} onClick=${() => dismiss(one.id)}>
            <${Icon} name="close" />
          </button>
        </div>
      `)}
    </div>
  `;
}

function takeBack(staff, one) {
  dismiss(one.id);
  return attempt(staff, async () => one.undo());
}
