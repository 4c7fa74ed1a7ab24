/** How fast calls are answered: the voice ledger's median and 95th percentile of each step. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Failed, useLoaded } from "../staff/lists.js";
import { count, NONE } from "./figures.js";

const DAYS = 30;
const STEPS = ["transcript", "first_token", "first_audio", "barge_in"];

/** Nothing where nobody has called. @param {{staff: import("../staff/staff.js").Staff}} properties */
export function VoiceTimes({ staff }) {
  const { language } = staff;
  const { voice: texts, times } = staff.texts;
  const loaded = useLoaded((signal) => staff.client.get("/api/voice/ledger", { days: DAYS }, signal), []);
  if (loaded.state === "failed") {
    return html`
      <section class="card" aria-labelledby="voice-times">
        <div class="card-head"><h2 id="voice-times">${texts.title}</h2></div>
        <${Failed} staff=${staff} error=${loaded.error} retry=${loaded.reload} />
      </section>
    `;
  }
  if (!loaded.data?.turns) return null;
  const { steps, turns } = loaded.data;
  return html`
    <section class="card" aria-labelledby="voice-times">
      <div class="card-head">
        <h2 id="voice-times">${texts.title}</h2>
        <span class="muted small">${fill(texts.summary, { turns: count(turns, language), days: DAYS })}</span>
      </div>
      <div class="table-scroll" tabindex="0" role="group" aria-labelledby="voice-times">
        <table class="table table-dense">
          <thead><tr><th scope="col">${texts.step}</th><th scope="col" class="end">${times.median}</th><th scope="col" class="end">${times.p95}</th><th scope="col" class="end">${times.count}</th></tr></thead>
          <tbody>
            ${STEPS.map((step) => html`
              <tr key=${step}>
                <td>${texts.steps[step]}</td>
                <td class="end number"><b>${seconds(steps[step].p50_ms, language)}</b></td>
                <td class="end number">${seconds(steps[step].p95_ms, language)}</td>
                <td class="end number muted">${count(steps[step].count, language)}</td>
              </tr>
            `)}
          </tbody>
        </table>
      </div>
      <p class="card-note">${texts.note}</p>
    </section>
  `;
}

/** Callers notice tenths of a second; the ledger keeps them. */
function seconds(milliseconds, language) {
  if (milliseconds === null) return NONE;
  const figure = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return `${(milliseconds / 1000).toLocaleString(language, figure)}\u00a0s`;
}
