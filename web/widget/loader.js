/**
 * What a shop's page loads: the button, and `window.SupportChat`. The chat itself is fetched when
 * someone is about to open it; until then nothing is stored and nothing is asked of the server.
 */
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  if (!script || window.SupportChat) return;
  const origin = script.dataset.server || new URL(script.src).origin;
  const { organization = "", shop = "", color, textColor, language, theme, position } = script.dataset;
  const spoken = language || document.documentElement.lang || navigator.language;
  const inFrench = !spoken || spoken.toLowerCase().startsWith("fr");
  const listeners = new Map();
  const host = document.createElement("support-chat");
  const root = host.attachShadow({ mode: "open" });

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; color-scheme: light dark; position: fixed; z-index: 2147483000;
      inset: auto 20px 20px auto; --accent: #2c5a4c; --on-accent: #fff; }
    :host([data-position=left]) { inset: auto auto 20px 20px; }
    :host([hidden]) { display: none; }
    .launcher { all: unset; box-sizing: border-box; width: 60px; height: 60px; border-radius: 50%;
      display: grid; place-items: center; cursor: pointer; background: var(--accent);
      color: var(--on-accent); box-shadow: 0 1px 2px #0003, 0 8px 24px -4px #0004;
      -webkit-tap-highlight-color: transparent; transition: transform .16s ease; }
    .launcher:hover { transform: translateY(-2px); }
    .launcher:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    .launcher svg { width: 28px; height: 28px; fill: none; stroke: currentColor;
      stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
    :host([data-unread]) .launcher::after { content: ""; position: absolute; inset: 2px 2px auto auto;
      width: 14px; height: 14px; border-radius: 50%; background: #c8382c; border: 2px solid #fff; }
    @media (prefers-reduced-motion: reduce) { .launcher { transition: none; } }
    @media print { :host { display: none; } }`);
  root.adoptedStyleSheets = [sheet];

  const launcher = document.createElement("button");
  launcher.className = "launcher";
  launcher.type = "button";
  launcher.setAttribute("aria-haspopup", "dialog");
  launcher.setAttribute("aria-expanded", "false");
  const label = inFrench ? "Ouvrir l’assistance" : "Open support:";
  launcher.setAttribute("aria-label", `${label} ${shop}`.trim());
  launcher.append(icon());
  root.append(launcher);

  if (color) host.style.setProperty("--accent", color);
  if (theme === "light" || theme === "dark") host.style.setProperty("color-scheme", theme);
  if (position === "left") host.dataset.position = "left";

  /** A speech bubble, drawn without parsing markup: pages may forbid that. */
  function icon() {
    const make = (name, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", name);
      Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
      return element;
    };
    const drawing = make("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
    const bubble = "M12 3.5c5 0 9 3.4 9 7.7s-4 7.7-9 7.7c-1.1 0-2.2-.2-3.2-.5L4 20.5l1.2-4C3.8 15.1 3 13.2 3 11.2 3 6.9 7 3.5 12 3.5Z";
    drawing.append(make("path", { d: bubble }), make("path", { d: "M8.5 10h7M8.5 13h4.5" }));
    return drawing;
  }

  const tell = (event, detail) => (listeners.get(event) || []).forEach((listen) => listen(detail));

  /** @type {Promise<any> | undefined} */
  let loading;
  const load = () => {
    loading ??= import(`${origin}/assets/@version/widget/app.js`)
      .then(({ mount }) =>
        mount({ host, root, launcher, origin, organization, shop, textColor, spoken, tell, settings: script.dataset }),
      )
      .catch((error) => {
        loading = undefined;
        tell("error", { detail: String(error) });
        throw error;
      });
    return loading;
  };
  const then = (work) => load().then(work, () => undefined);

  window.SupportChat = {
    /** Open the chat; with `message`, send it. */
    open: (options) => then((app) => app.open(options)),
    close: () => (loading ? then((app) => app.close()) : Promise.resolve()),
    /** Speak as a customer who is signed in: `{token}`, an access token of their account. */
    identify: (customer) => then((app) => app.identify(customer)),
    /** Listen: `open`, `close`, `message`, `ticket`, `handoff`, `rating`, `error`; returns how to stop. */
    on: (event, listen) => {
      listeners.set(event, [...(listeners.get(event) || []), listen]);
      return () => listeners.set(event, listeners.get(event).filter((one) => one !== listen));
    },
  };
  launcher.addEventListener("pointerenter", () => load().catch(() => undefined), { once: true });
  launcher.addEventListener("click", () => then((app) => app.toggle()));
  const attach = () => document.body.append(host);
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);
})();
