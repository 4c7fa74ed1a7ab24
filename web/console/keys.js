/** The keyboard: one key for everything that is done often, and a page that shows them all. */

import { html, useEffect } from "../shared/html.js";
import { Dialog } from "../staff/dialog.js";
import { place } from "./place.js";

/** @typedef {import("./view.js").View} View */

/** Key and name in the catalogue, as the help shows them. */
const SHOWN = [
  ["J", "j"], ["K", "k"], ["↵", "enter"], ["Esc", "escape"], ["/", "slash"],
  ["R", "r"], ["N", "n"], ["S", "s"], ["M", "m"], ["Ctrl ↵", "send"],
  ["A", "a"], ["B", "b"], ["E", "e"], ["T", "t"], ["?", "help"],
];

/** @type {Record<string, (view: View) => void>} */
const ACTIONS = {
  j: (view) => view.step(1),
  k: (view) => view.step(-1),
  ArrowDown: (view) => view.step(1),
  ArrowUp: (view) => view.step(-1),
  Enter: (view) => view.selected.value && view.open(view.selected.value),
  r: (view) => view.write("reply"),
  n: (view) => view.write("note"),
  t: (view) => view.togglePanel(),
  a: (view) => view.conversation?.mayTake && view.conversation.take(),
  b: (view) => view.conversation?.isMine && view.conversation.handBack(),
  e: (view) => view.conversation?.isMine && view.conversation.end(),
  s: (view) => view.suggest(),
  m: () => document.querySelector(".macros-menu .menu-button")?.click(),
  "/": () => document.getElementById("search")?.focus(),
  "?": (view) => (view.dialog.value = "keys"),
  Escape: (view) => view.back(),
};
/** These do something of their own on what is focused. */
const OF_CONTROLS = new Set(["Enter", "ArrowDown", "ArrowUp"]);

/** @param {View} view */
export function useKeys(view) {
  useEffect(() => {
    const onKey = (event) => press(view, event);
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

function press(view, event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (target.closest("dialog, [role=menu]")) return;
  if (target.matches("input, textarea, select")) {
    if (key === "Escape") leave(target);
    return;
  }
  if (OF_CONTROLS.has(key) && isBusyWith(key, target)) return;
  const act = ACTIONS[key.length === 1 ? key.toLowerCase() : key];
  if (!act) return;
  event.preventDefault();
  act(view);
}

/** Out of a field the keys work again. */
function leave(field) {
  field.blur();
  const list = document.querySelector(place().id ? ".thread" : ".rows");
  list?.focus();
}

function isBusyWith(key, target) {
  if (key === "Enter") return target.closest("button, a, summary, audio, video") !== null;
  return target.closest(".thread, .panel, .detail-ticket, audio, video") !== null;
}

/** @param {{view: View}} properties */
export function KeysDialog({ view }) {
  const { keys } = view.staff.texts;
  return html`
    <${Dialog} staff=${view.staff} title=${keys.title} onClose=${() => (view.dialog.value = null)}>
      <dl class="keys">
        ${SHOWN.map(([key, name]) => html`
          <div key=${name}><dt>${key.split(" ").map((part) => html`<kbd class="key" key=${part}>${part}</kbd>`)}</dt><dd>${keys[name]}</dd></div>
        `)}
      </dl>
    </${Dialog}>
  `;
}
