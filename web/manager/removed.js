/** Documents that were removed within the last month, and bringing them back. */

import { html } from "../shared/html.js";
import { Dialog } from "../staff/dialog.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { longMoment } from "../staff/moments.js";
import { attempt } from "../staff/toasts.js";

/** @param {{staff: import("../staff/staff.js").Staff, onClose: () => void, onRestored: () => void}} properties */
export function Removed({ staff, onClose, onRestored }) {
  const { client, texts, language } = staff;
  const loaded = useLoaded(async (signal) => (await client.get("/api/v1/knowledge/removed", {}, signal)).data);
  const restore = (one) => attempt(
    staff,
    async () => {
      await client.post(`/api/v1/knowledge/documents/${one.document_id}/versions/${one.id}/restore`);
      await loaded.reload();
      onRestored();
    },
    { done: texts.documents.restored, problems: { 409: texts.document.sameText } },
  );
  return html`
    <${Dialog} staff=${staff} title=${texts.documents.removed} onClose=${onClose} isWide>
      <p class="muted small">${texts.documents.removedText}</p>
      <${Shown} staff=${staff} loaded=${loaded} lines=${4} empty=${html`<${Empty} icon="trash" title=${texts.documents.noneRemoved} />`}>
        ${(rows) => html`
          <ul class="rows">
            ${rows.map((one) => html`
              <li key=${one.id} class="row-item">
                <div class="row-main"><strong>${one.title}</strong><span class="muted small">${longMoment(one.replaced_at, language)}</span></div>
                <div class="row-actions"><button type="button" class="button" onClick=${() => restore(one)}>${texts.document.restore}</button></div>
              </li>
            `)}
          </ul>
        `}
      </${Shown}>
    </${Dialog}>
  `;
}
