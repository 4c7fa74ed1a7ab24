/** How conversations ended: each class apart, by day and in total, never as one rate. */

import { html } from "../shared/html.js";
import { DayChart } from "./charts.js";
import { count, OUTCOMES, percent, shareOf } from "./figures.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

export const COLORS = {
  confirmed: "--chart-good",
  assumed: "--chart-assumed",
  reopened: "--chart-warn",
  handed_over: "--chart-info",
  unanswered: "--chart-bad",
  open: "--chart-open",
  nothing_asked: "--chart-none",
};

/** @param {{staff: Staff, data: any}} properties */
export function Resolution({ staff, data }) {
  const { texts, language } = staff;
  const days = data.days.map(({ day }) => day);
  const series = OUTCOMES.map((name) => ({
    name: texts.outcomes[name].name,
    color: COLORS[name],
    values: data.days.map(({ conversations }) => conversations.resolution[name]),
  })).filter(({ values }) => values.some(Boolean));
  return html`
    <section class="card" aria-labelledby="resolution">
      <div class="card-head"><h2 id="resolution">${texts.resolution.title}</h2></div>
      <div class="resolution">
        <${DayChart} label=${texts.resolution.label} days=${days} series=${series} isStacked isTall language=${language} />
        <${Classes} staff=${staff} resolution=${data.conversations.resolution} />
      </div>
      <p class="card-note">${texts.resolution.note}</p>
    </section>
  `;
}

function Classes({ staff, resolution }) {
  const { texts, language } = staff;
  return html`
    <dl class="classes">
      ${OUTCOMES.map((name) => html`
        <div key=${name} class="class">
          <dt><i class="swatch" style=${{ color: `var(${COLORS[name]})` }}></i>${texts.outcomes[name].name}</dt>
          <dd class="number class-count">${count(resolution[name], language)}</dd>
          <dd class="number class-share">${name === "nothing_asked" ? "" : percent(shareOf(resolution, name), language)}</dd>
          <dd class="class-text">${texts.outcomes[name].text}</dd>
        </div>
      `)}
    </dl>
  `;
}
