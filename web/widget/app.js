/** The chat window: opened by the loader, drawn into its shadow root. */

import { html, render, signal, useEffect, useRef } from "../shared/html.js";
import { fill, interfaceLanguage } from "../shared/wording.js";
import { Chat } from "./chat.js";
import { Panel } from "./panel.js";
import { readableOn } from "./colors.js";
import { STYLES } from "./styles.js";

const WAYS = ["socket", "events", "requests"];

/**
 * @typedef {object} View what every part of the window is given
 * @property {Chat} chat
 * @property {typeof import("./texts_fr.js").TEXTS} texts
 * @property {"fr" | "en"} language of the interface
 * @property {string} shop
 * @property {(name: string) => string} say a text with the shop's name in it
 * @property {(sku: string) => string | null} productLink
 * @property {(sheet: Sheet | null) => void} show
 * @property {{value: Sheet | null}} sheet what lies over the conversation
 * @property {{value: string | null}} notice
 * @property {() => void} close
 * @property {{value: boolean}} hasVoice whether there may be a microphone, and speech on the server
 * @property {() => Promise<import("./voice/entry.js").Voice | null>} voice null: not to be had
 *
 * @typedef {{source: import("./conversation.js").Source} | {rating: true} | {call: import("./voice/entry.js").Voice}} Sheet
 */

/** Build the window; returns what `window.SupportChat` and the button call. */
export async function mount(page) {
  const language = interfaceLanguage([page.spoken]);
  const { TEXTS } = await (language === "fr" ? import("./texts_fr.js") : import("./texts_en.js"));
  page.root.adoptedStyleSheets = [...page.root.adoptedStyleSheets, sheetOf(STYLES)];
  const isOpen = signal(false);
  const { tell } = page;
  page.tell = (event, detail) => {
    const isUnread = event === "message" && detail.role !== "user" && !isOpen.value;
    if (isUnread) page.host.setAttribute("data-unread", "");
    tell(event, detail);
  };
  const view = makeView(page, language, TEXTS, () => setOpen(false));
  const container = document.createElement("div");
  container.className = "frame";
  container.lang = view.language;
  page.root.append(container);
  page.launcher.setAttribute("aria-label", view.say("open"));
  colour(page);
  render(html`<${Window} view=${view} isOpen=${isOpen} />`, container);

  const setOpen = (open) => {
    if (isOpen.value === open) return;
    isOpen.value = open;
    page.launcher.setAttribute("aria-expanded", String(open));
    page.host.toggleAttribute("data-open", open);
    if (open) page.host.removeAttribute("data-unread");
    if (open) view.chat.restore();
    else page.launcher.focus();
    page.tell(open ? "open" : "close");
  };
  return {
    open: (options) => {
      setOpen(true);
      if (options?.message) view.chat.say(String(options.message));
    },
    close: () => setOpen(false),
    toggle: () => setOpen(!isOpen.value),
    identify: (customer) => {
      view.chat.identify(customer?.token ?? null);
      if (isOpen.value) view.chat.restore();
    },
  };
}

/** @returns {View} */
function makeView(page, language, texts, close) {
  const { settings, spoken } = page;
  const shop = page.shop || "Meuble de France";
  const ways = WAYS.slice(Math.max(0, WAYS.indexOf(settings.transport)));
  const { origin, organization, tell } = page;
  const pageLanguage = (spoken || "").slice(0, 2).toLowerCase();
  const sheet = signal(null);
  const view = {
    chat: new Chat({ origin, organization, language: pageLanguage, ways, tell }),
    texts,
    language,
    shop,
    say: (name) => fill(texts[name], { shop }),
    productLink: (sku) => productLink(settings.productLink, sku),
    sheet,
    show: (next) => (sheet.value = next),
    notice: signal(null),
    close,
    hasVoice: signal(Boolean(navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode)),
    voice: () => loadVoice(view, page.root),
  };
  return view;
}

/** Speech is fetched when somebody first wants to speak. */
async function loadVoice(view, root) {
  view.notice.value = null;
  try {
    return await (await import("./voice/entry.js")).prepare(view, root);
  } catch {
    view.notice.value = view.texts.voiceFailed;
    return null;
  }
}

/** `data-product-link="https://shop.example/products/{sku}"`; only addresses of the web. */
function productLink(pattern, sku) {
  if (!pattern) return null;
  const address = new URL(pattern.replace("{sku}", encodeURIComponent(sku)), location.href);
  return /^https?:$/.test(address.protocol) ? address.href : null;
}

function sheetOf(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

/** Text on the shop's colour is black or white, whichever can be read. */
function colour({ host, launcher, textColor }) {
  const accent = getComputedStyle(launcher).backgroundColor;
  host.style.setProperty("--on-accent", textColor || readableOn(accent));
}

function Window({ view, isOpen }) {
  const field = useRef(null);
  const open = isOpen.value;
  useEffect(() => {
    if (open) field.current?.focus();
  }, [open]);
  if (!open) return null;
  return html`<${Panel} view=${view} field=${field} />`;
}
