/** Tables as files: asked for with the reader's own rights, handed over by the browser. */

import { attempt } from "../staff/toasts.js";
import { withQuery } from "../staff/client.js";

const KEPT_MS = 30_000;

/**
 * @param {import("../staff/staff.js").Staff} staff
 * @param {"days" | "intents" | "channels" | "unanswered" | "findings"} table
 * @param {Record<string, unknown>} [query] period and channel
 */
export function downloadTable(staff, table, query = {}) {
  return attempt(staff, async () => {
    const path = withQuery(`/api/v1/analytics/export/${table}`, query);
    const answer = await staff.client.send("GET", path, { accept: "text/csv" });
    const named = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = named?.[1] ?? `${table}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
  });
}
