/** The check of the knowledge: when it last ran, and running it now. */

import { html, useEffect, useState } from "../shared/html.js";
import { Icon } from "../staff/icons.js";
import { useLoaded } from "../staff/lists.js";
import { attempt } from "../staff/toasts.js";
import { whenLast } from "./figures.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const HEALTH = "/api/v1/knowledge/health";
const LOOK_MS = 1_500;
const UNFINISHED = new Set(["queued", "running"]);

/**
 * The state of the knowledge; `run` begins a check, `isRunning` lasts until it has ended.
 * @param {Staff} staff
 * @param {() => void} [onDone] called when a check has ended
 */
export function useHealth(staff, onDone = () => {}) {
  const loaded = useLoaded(async (signal) => (await staff.client.get(HEALTH, {}, signal)).data);
  const [watched, watch] = useState(false);
  const isRunning = UNFINISHED.has(loaded.data?.check?.state);
  useEffect(() => {
    if (isRunning) {
      watch(true);
      const again = setTimeout(loaded.reload, LOOK_MS);
      return () => clearTimeout(again);
    }
    if (watched) {
      watch(false);
      onDone();
    }
    return undefined;
  }, [loaded.data]);
  const run = () => attempt(staff, async () => {
    await staff.client.post(`${HEALTH}/check`);
    await loaded.reload();
  });
  return { loaded, isRunning, run };
}

/** @param {{staff: Staff, health: ReturnType<typeof useHealth>}} properties */
export function CheckBar({ staff, health }) {
  const { texts, language } = staff;
  const check = health.loaded.data?.check;
  let state = texts.check.never;
  if (health.isRunning) state = texts.check.running;
  else if (check?.state === "failed") state = texts.check.failed;
  else if (check) state = whenLast(texts.check.done, check.finished_at ?? check.created_at, language);
  return html`
    <span class="muted small" role="status">${state}</span>
    <button type="button" class="button" disabled=${health.isRunning} onClick=${health.run}>
      <${Icon} name="reload" />${texts.check.run}
    </button>
  `;
}
