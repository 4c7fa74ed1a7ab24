/** Turning the pages of a list. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";

/**
 * @param {{staff: import("../staff/staff.js").Staff, pagination: any, turn: (page: number) => void}}
 *   properties `pagination` is the server's
 */
export function Pages({ staff, pagination, turn }) {
  const { texts, language } = staff;
  if (pagination.pages <= 1) return null;
  const { page, pages, total } = pagination;
  return html`
    <nav class="pages" aria-label=${texts.pages.label}>
      <button type="button" class="button button-small" disabled=${!pagination.has_prev} onClick=${() => turn(page - 1)}>${texts.pages.before}</button>
      <span class="muted small number">${fill(texts.pages.where, { page, pages, total: total.toLocaleString(language) })}</span>
      <button type="button" class="button button-small" disabled=${!pagination.has_next} onClick=${() => turn(page + 1)}>${texts.pages.after}</button>
    </nav>
  `;
}
