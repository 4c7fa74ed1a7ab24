/** The managers' page: figures, what the knowledge lacks, and the knowledge itself. */

import { html } from "../shared/html.js";
import { route } from "../staff/router.js";
import { Shell } from "../staff/shell.js";
import { openStaff } from "../staff/staff.js";
import { Ask } from "./ask.js";
import { Dashboard } from "./dashboard.js";
import { DocumentPage } from "./document.js";
import { Documents } from "./documents.js";
import { Health } from "./health.js";
import { Intents } from "./intents.js";
import { Side } from "./side.js";
import { Unanswered } from "./unanswered.js";

/** Views by the first part of the address, with the area that they belong to. */
const VIEWS = {
  "": { area: "dashboard", title: "overview", View: Dashboard },
  intents: { area: "dashboard", title: "intents", View: Intents },
  knowledge: { area: "knowledge", title: "documents", View: Documents },
  unanswered: { area: "knowledge", title: "unanswered", View: Unanswered },
  health: { area: "knowledge", title: "health", View: Health },
  ask: { area: "knowledge", title: "ask", View: Ask },
};

function Manager({ staff }) {
  const [name = "", id] = route.value.parts;
  const { area, title, View } = VIEWS[name] ?? VIEWS[""];
  const isDocument = name === "knowledge" && id;
  return html`
    <${Shell} staff=${staff} area=${area} title=${staff.texts.views[title]} side=${html`<${Side} staff=${staff} open=${name} />`}>
      ${isDocument
        ? html`<${DocumentPage} key=${id} staff=${staff} id=${id} />`
        : html`<${View} key=${name} staff=${staff} />`}
    </${Shell}>
  `;
}

openStaff({
  area: "dashboard",
  permission: "analytics:read",
  catalogues: { fr: () => import("./texts_fr.js"), en: () => import("./texts_en.js") },
  App: Manager,
});
