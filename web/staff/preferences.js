/** What a person has chosen for this device: the interface's language, light or dark. */

import { signal } from "../shared/html.js";
import { interfaceLanguage } from "../shared/wording.js";

const LANGUAGE = "mdf-staff-language";
const SCHEME = "mdf-staff-scheme";

export const SCHEMES = /** @type {const} */ (["system", "light", "dark"]);
export const LANGUAGES = /** @type {const} */ (["fr", "en"]);

/** @type {{value: "fr" | "en"}} */
export const language = signal(interfaceLanguage([recall(LANGUAGE), ...navigator.languages]));
/** @type {{value: "system" | "light" | "dark"}} */
export const scheme = signal(recall(SCHEME) ?? "system");

showScheme();

/** @param {"fr" | "en"} chosen */
export function chooseLanguage(chosen) {
  keep(LANGUAGE, chosen);
  language.value = chosen;
}

/** @param {"system" | "light" | "dark"} chosen */
export function chooseScheme(chosen) {
  keep(SCHEME, chosen);
  scheme.value = chosen;
  showScheme();
}

function showScheme() {
  document.documentElement.dataset.scheme = scheme.value;
}

function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
    return;
  }
}
