/**
 * Opening a staff page: session, language, texts, then the area's own view.
 *
 * An area calls `openStaff` once; its `App` is drawn when somebody is signed in who may see it,
 * and draws a `Shell` (shell.js) with what is its own inside.
 */

import { html, render, signal, useEffect } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Client } from "./client.js";
import { Empty } from "./lists.js";
import { language } from "./preferences.js";
import { Session } from "./session.js";
import { Shell } from "./shell.js";
import { SignIn } from "./sign_in.js";
import { loadTexts } from "./texts.js";

/**
 * @typedef {object} Staff what every part of a staff page is given
 * @property {Session} session
 * @property {Client} client
 * @property {import("./session.js").Caller} caller who is signed in
 * @property {"fr" | "en"} language
 * @property {any} texts the area's own
 * @property {typeof import("./texts_fr.js").TEXTS} common
 *
 * @typedef {object} Area
 * @property {"console" | "dashboard" | "knowledge"} area
 * @property {string} permission that it takes
 * @property {Record<"fr" | "en", () => Promise<{TEXTS: any}>>} catalogues
 * @property {(properties: {staff: Staff}) => any} App
 */

/** @param {Area} area */
export function openStaff(area) {
  const session = new Session();
  const client = new Client(session);
  const loaded = signal(null);
  const load = async () => {
    const wanted = language.value;
    const texts = await loadTexts(area.catalogues, wanted);
    document.documentElement.lang = wanted;
    if (language.value === wanted) loaded.value = { ...texts, language: wanted };
  };
  let shown = null;
  language.subscribe(() => {
    if (shown !== language.value) load();
    shown = language.value;
  });
  session.start();
  const root = document.getElementById("root");
  render(html`<${Page} area=${area} session=${session} client=${client} loaded=${loaded} />`, root);
}

function Page({ area, session, client, loaded }) {
  const spoken = loaded.value;
  if (!spoken) return null;
  const caller = session.caller.value;
  const staff = { session, client, caller, ...spoken };
  const state = session.state.value;
  if (state === "starting") return html`<main class="door"><p class="muted" role="status">${staff.common.starting}</p></main>`;
  if (state === "unreachable") return html`<${Unreachable} staff=${staff} />`;
  if (state === "out" || !caller) return html`<${Door} staff=${staff} />`;
  if (!session.may(area.permission)) return html`<${NoAccess} staff=${staff} area=${area} />`;
  // Whoever signs in next sees nothing of whoever was there before.
  return html`<${area.App} key=${caller.id} staff=${staff} />`;
}

function Door({ staff }) {
  useEffect(() => {
    document.title = staff.common.signInTitle;
  }, [staff.language]);
  return html`<${SignIn} staff=${staff} />`;
}

function Unreachable({ staff }) {
  const { common, session } = staff;
  useEffect(() => {
    const again = () => session.start();
    addEventListener("online", again);
    return () => removeEventListener("online", again);
  }, []);
  return html`
    <main class="door">
      <div class="state" role="alert">
        <p>${common.unreachable}</p>
        <button type="button" class="button" onClick=${() => session.start()}>${common.retry}</button>
      </div>
    </main>
  `;
}

function NoAccess({ staff, area }) {
  const { common, caller } = staff;
  return html`
    <${Shell} staff=${staff} area=${area.area} title=${common[area.area]}>
      <h1 class="hidden">${common[area.area]}</h1>
      <${Empty} icon="alert" title=${common.noAccess} text=${fill(common.noAccessText, { shop: caller.shop })} />
    </${Shell}>
  `;
}
