/** Beside the text: how it reads, the passages that are searched and quoted, what it was. */

import { html, useEffect, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { longMoment } from "../staff/moments.js";
import { counted } from "../staff/texts.js";
import { attempt } from "../staff/toasts.js";
import { Markdown } from "./markdown.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const SETTLED_MS = 400;
const TABS = ["preview", "passages", "versions"];

/** @param {{staff: Staff, document: any, text: string, restored: (document: any) => void}} properties */
export function Panel({ staff, document, text, restored }) {
  const { texts } = staff;
  const [tab, choose] = useState("preview");
  const tabs = document.id === null ? TABS.slice(0, 2) : TABS;
  const step = (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1 };
    if (!moves[event.key]) return;
    const next = tabs[(tabs.indexOf(tab) + moves[event.key] + tabs.length) % tabs.length];
    choose(next);
    event.currentTarget.querySelector(`#tab-${next}`)?.focus();
  };
  return html`
    <section class="card panel" aria-label=${texts.document.panel}>
      <div class="tabs panel-tabs" role="tablist" onKeyDown=${step}>
        ${tabs.map((one) => html`
          <button key=${one} type="button" class="tab" role="tab" id=${`tab-${one}`} aria-selected=${String(one === tab)} aria-controls="panel" tabindex=${one === tab ? 0 : -1} onClick=${() => choose(one)}>${texts.document.tabs[one]}</button>
        `)}
      </div>
      <div class="panel-body scrolls" id="panel" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
        ${tab === "preview" && (text.trim() ? html`<${Markdown} text=${text} />` : html`<${Empty} icon="file" title=${texts.document.nothingWritten} />`)}
        ${tab === "passages" && html`<${Passages} staff=${staff} text=${text} />`}
        ${tab === "versions" && html`<${Versions} staff=${staff} document=${document} restored=${restored} />`}
      </div>
    </section>
  `;
}

/** As the text stands now, saved or not. */
function Passages({ staff, text }) {
  const { client, texts, language } = staff;
  const [settled, settle] = useState(text);
  useEffect(() => {
    const later = setTimeout(() => settle(text), SETTLED_MS);
    return () => clearTimeout(later);
  }, [text]);
  const loaded = useLoaded(async () => (settled.trim() ? (await client.post("/api/v1/knowledge/preview", { text: settled })).data : []), [settled]);
  return html`
    <${Shown} staff=${staff} loaded=${loaded} empty=${html`<${Empty} icon="file" title=${texts.document.nothingWritten} />`}>
      ${(passages) => html`
        <p class="muted small">${counted(texts.document.passages, passages.length, language)}</p>
        <ol class="passages">
          ${passages.map((one) => html`
            <li key=${one.position} class="passage">
              <p class="passage-head"><span class="number">${one.position + 1}</span><span class="clip">${one.heading}</span><span class="number">${fill(texts.document.characters, { count: one.text.length.toLocaleString(language) })}</span></p>
              <p>${one.text}</p>
            </li>
          `)}
        </ol>
      `}
    </${Shown}>
  `;
}

function Versions({ staff, document, restored }) {
  const { client, texts, language } = staff;
  const path = `/api/v1/knowledge/documents/${document.id}/versions`;
  const loaded = useLoaded(async (signal) => (await client.get(path, {}, signal)).data, [document.updated_at]);
  const restore = (one) => attempt(
    staff,
    async () => restored((await client.post(`${path}/${one.id}/restore`)).data),
    { done: texts.document.versionRestored, problems: { 409: texts.document.sameText } },
  );
  return html`
    <${Shown} staff=${staff} loaded=${loaded} lines=${4} empty=${html`<${Empty} icon="clock" title=${texts.document.noVersions} text=${texts.document.noVersionsText} />`}>
      ${(versions) => html`
        <ul class="rows">
          ${versions.map((one) => html`
            <li key=${one.id} class="row-item">
              <details class="row-main">
                <summary><strong>${longMoment(one.replaced_at, language)}</strong> <span class="muted small">${one.title}</span></summary>
                <p class="version-text">${one.text}</p>
              </details>
              <div class="row-actions"><button type="button" class="button button-small" onClick=${() => restore(one)}>${texts.document.restore}</button></div>
            </li>
          `)}
        </ul>
      `}
    </${Shown}>
  `;
}
