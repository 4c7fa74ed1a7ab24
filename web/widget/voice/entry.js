/** What the window fetches when somebody first wants to speak: texts, styles and both ways. */

import { CallPanel } from "./call_panel.js";
import { VoiceMessage } from "./message.js";
import { STYLES } from "./styles.js";

/**
 * @typedef {object} Voice
 * @property {typeof import("./texts_fr.js").TEXTS} texts
 * @property {typeof VoiceMessage} VoiceMessage
 * @property {typeof CallPanel} CallPanel
 */

/** @type {Promise<Voice> | undefined} */
let prepared;

/**
 * @param {import("../app.js").View} view
 * @param {ShadowRoot} root
 * @returns {Promise<Voice>}
 */
export function prepare(view, root) {
  prepared ??= build(view, root).catch((error) => {
    // Tried again at the next touch.
    prepared = undefined;
    throw error;
  });
  return prepared;
}

async function build(view, root) {
  const { language } = view;
  const { TEXTS } = await (language === "fr" ? import("./texts_fr.js") : import("./texts_en.js"));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return { texts: TEXTS, VoiceMessage, CallPanel };
}
