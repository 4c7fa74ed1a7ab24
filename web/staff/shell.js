/** The frame around every staff page: areas, what the area adds, and who is signed in. */

import { html, useEffect, useState } from "../shared/html.js";
import { Asked } from "./dialog.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";
import {
  chooseLanguage,
  chooseScheme,
  LANGUAGES,
  scheme,
  SCHEMES,
} from "./preferences.js";
import { route } from "./router.js";
import { Toasts } from "./toasts.js";

/** @typedef {import("./staff.js").Staff} Staff */

/** Each with the permission that it takes. */
const AREAS = [
  { name: "console", href: "/console", icon: "inbox", permission: "conversations:write" },
  { name: "dashboard", href: "/manage", icon: "chart", permission: "analytics:read" },
  { name: "knowledge", href: "/manage#/knowledge", icon: "book", permission: "knowledge:write" },
];

/**
 * @param {{staff: Staff, area: "console" | "dashboard" | "knowledge", title: string, side?: any,
 *   personItems?: import("./menu.js").Item[], notice?: string | null, bar?: any, children: any}}
 *   properties `side` stands below the areas, `bar` at the right of the phone's title,
 *   `notice` is a line over all, such as that the page is offline
 */
export function Shell({ staff, area, title, side, personItems = [], notice = null, bar, children }) {
  const { common } = staff;
  const [isOpen, open] = useState(false);
  // Whatever is chosen in the menu closes it.
  useEffect(() => open(false), [route.value]);
  useEffect(() => {
    document.title = `${title} · ${staff.caller.shop}`;
  }, [title]);
  return html`
    <div class="shell">
      <a class="skip" href="#main" onClick=${focusMain}>${common.skip}</a>
      <div class="shell-notice" role="status">
        ${notice && html`<p class="notice"><${Icon} name="offline" />${notice}</p>`}
      </div>
      <header class="shell-bar">
        <button type="button" class="button button-quiet button-icon" aria-label=${common.menu} aria-expanded=${String(isOpen)} onClick=${() => open(true)}>
          <${Icon} name="menu" />
        </button>
        <p class="clip grow"><strong>${title}</strong></p>
        ${bar}
      </header>
      <nav class=${isOpen ? "side side-open" : "side"} aria-label=${common.areas}>
        <p class="side-shop"><span class="side-mark" aria-hidden="true">${staff.caller.shop.slice(0, 1)}</span><span class="clip">${staff.caller.shop}</span></p>
        <div class="side-scroll scrolls" tabindex="-1">
          <${Areas} staff=${staff} area=${area} />
          ${side}
        </div>
        <div class="side-person"><${PersonMenu} staff=${staff} items=${personItems} /></div>
      </nav>
      ${isOpen && html`<button type="button" class="veil" aria-label=${common.closeMenu} onClick=${() => open(false)}></button>`}
      <main class="shell-main" id="main" tabindex="-1">${children}</main>
      <${Asked} staff=${staff} />
      <${Toasts} staff=${staff} />
    </div>
  `;
}

function focusMain(event) {
  // The address belongs to the router.
  event.preventDefault();
  document.getElementById("main").focus();
}

function Areas({ staff, area }) {
  const open = AREAS.filter(({ permission }) => staff.session.may(permission));
  return html`
    <ul>
      ${open.map(({ name, href, icon }) => html`
        <li key=${name}>
          <a class="side-link" href=${href} aria-current=${name === area ? "page" : undefined}>
            <${Icon} name=${icon} />${staff.common[name]}
          </a>
        </li>
      `)}
    </ul>
  `;
}

function PersonMenu({ staff, items }) {
  const { caller, common, language, session } = staff;
  const all = [
    ...items,
    { isTitle: true, text: common.appearance },
    ...SCHEMES.map((one) => ({
      text: common.schemes[one],
      isChecked: scheme.value === one,
      act: () => chooseScheme(one),
    })),
    { isTitle: true, text: common.language },
    ...LANGUAGES.map((one) => ({
      text: common.languages[one],
      isChecked: language === one,
      act: () => chooseLanguage(one),
    })),
    { text: common.signOut, isDangerous: true, act: () => session.signOut().catch(() => {}) },
  ];
  return html`
    <${Menu} label=${caller.name} items=${all} place="up" buttonClass="person">
      <${Face} name=${caller.name} />
      <span class="person-names"><strong class="clip">${caller.name}</strong><span>${common.roles[caller.role] ?? caller.role}</span></span>
    </${Menu}>
  `;
}

/** Somebody's initials. @param {{name: string | null}} properties */
export function Face({ name }) {
  const initials = (name || "?").split(/[\s-]+/).map((word) => word[0]).slice(0, 2).join("");
  return html`<span class="face" aria-hidden="true">${initials.toUpperCase()}</span>`;
}
