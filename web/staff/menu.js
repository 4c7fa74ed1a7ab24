/** A button that opens a list of actions. */

import { html, useEffect, useRef, useState } from "../shared/html.js";

/**
 * @typedef {object} Item
 * @property {string} text
 * @property {() => void} [act]
 * @property {boolean} [isChecked] one of several that exclude each other
 * @property {boolean} [isDangerous]
 * @property {boolean} [isTitle] a heading, no action
 * @property {string} [hint] shown beside it, such as a key
 */

/**
 * @param {{label: string, items: Item[], place?: "end" | "up" | "", buttonClass?: string,
 *   empty?: string, children: any}} properties `label` names the menu to those who do not see it
 */
export function Menu({ label, items, place = "", buttonClass = "button", empty = "", children }) {
  const [isOpen, open] = useState(false);
  const whole = useRef(null);
  useEffect(() => (isOpen ? closing(whole.current, () => open(false)) : undefined), [isOpen]);
  const act = (item) => {
    open(false);
    whole.current.querySelector("button").focus();
    item.act?.();
  };
  return html`
    <div class=${`menu ${place && `menu-${place}`}`} ref=${whole} onKeyDown=${(event) => moveBy(event, whole.current, isOpen)}>
      <button
        type="button" class=${`menu-button ${buttonClass}`} aria-haspopup="menu" aria-expanded=${String(isOpen)}
        aria-label=${label} title=${label} onClick=${() => open(!isOpen)}
      >${children}</button>
      ${isOpen && html`
        <div class="menu-list" role="menu" aria-label=${label}>
          ${items.length === 0 && html`<p class="menu-title" role="presentation">${empty}</p>`}
          ${items.map((item, index) => html`<${Entry} key=${index} item=${item} act=${act} />`)}
        </div>
      `}
    </div>
  `;
}

function Entry({ item, act }) {
  if (item.isTitle) return html`<p class="menu-title" role="presentation">${item.text}</p>`;
  const role = item.isChecked === undefined ? "menuitem" : "menuitemradio";
  const checked = item.isChecked === undefined ? undefined : String(item.isChecked);
  return html`
    <button
      type="button" role=${role} aria-checked=${checked} tabindex="-1"
      class=${item.isDangerous ? "menu-item menu-item-danger" : "menu-item"} onClick=${() => act(item)}
    >
      <span class="grow clip">${item.text}</span>
      ${item.hint && html`<span class="key">${item.hint}</span>`}
    </button>
  `;
}

/** Focus the first entry; close by Escape or by pressing elsewhere. Returns how to stop. */
function closing(whole, close) {
  whole.querySelector(".menu-item")?.focus();
  const onPress = (event) => !whole.contains(event.target) && close();
  const onKey = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
    whole.querySelector("button").focus();
  };
  document.addEventListener("mousedown", onPress, true);
  whole.addEventListener("keydown", onKey);
  return () => {
    document.removeEventListener("mousedown", onPress, true);
    whole.removeEventListener("keydown", onKey);
  };
}

function moveBy(event, whole, isOpen) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!isOpen || !step) return;
  event.preventDefault();
  const entries = [...whole.querySelectorAll(".menu-item")];
  const next = entries.indexOf(document.activeElement) + step;
  entries.at(next % entries.length)?.focus();
}
