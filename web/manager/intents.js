/** What customers come for, and how that ends: one row an intent. */

import { html, useState } from "../shared/html.js";
import { Icon } from "../staff/icons.js";
import { Empty, Shown } from "../staff/lists.js";
import { useOverview } from "./dashboard.js";
import { downloadTable } from "./download.js";
import { count, nameOf, OUTCOMES, percent, score } from "./figures.js";
import { askedPeriod, PeriodBar } from "./period.js";
import { COLORS } from "./resolution.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const COLUMNS = [
  ["conversations", (one) => one.conversations],
  ["handoff", (one) => one.handoff_rate],
  ["reopened", (one) => one.resolution.reopened],
  ["unanswered", (one) => one.unanswered_questions],
  ["satisfaction", (one) => one.satisfaction.average],
];

/** @param {{staff: Staff}} properties */
export function Intents({ staff }) {
  const { texts } = staff;
  const loaded = useOverview(staff);
  return html`
    <div class="page" tabindex="-1">
      <div class="page-inner">
        <div class="page-head">
          <h1>${texts.views.intents}</h1>
          <${PeriodBar} staff=${staff} channels=${loaded.data?.channels ?? []} />
          <button type="button" class="button" onClick=${() => downloadTable(staff, "intents", askedPeriod())}>
            <${Icon} name="download" />${texts.export}
          </button>
        </div>
        <section class="card" aria-label=${texts.views.intents}>
          <${Shown} staff=${staff} loaded=${loaded} isEmpty=${({ intents }) => !intents.length} empty=${html`<${Empty} icon="tag" title=${texts.noFigures} text=${texts.noFiguresText} />`}>
            ${({ intents }) => html`<${Table} staff=${staff} intents=${intents} />`}
          </${Shown}>
        </section>
      </div>
    </div>
  `;
}

function Table({ staff, intents }) {
  const { texts, language } = staff;
  const [sorted, sort] = useState("conversations");
  const [, value] = COLUMNS.find(([name]) => name === sorted);
  const rows = [...intents].sort((one, other) => (value(other) ?? -1) - (value(one) ?? -1));
  return html`
    <div class="table-scroll" tabindex="0" role="group" aria-label=${texts.views.intents}>
      <table class="table intents">
        <thead>
          <tr>
            <th scope="col">${texts.intent}</th>
            ${COLUMNS.slice(0, 1).map((column) => html`<${Head} key=${column[0]} column=${column} texts=${texts} sorted=${sorted} sort=${sort} />`)}
            <th scope="col" class="wide">${texts.resolution.title}</th>
            ${COLUMNS.slice(1).map((column) => html`<${Head} key=${column[0]} column=${column} texts=${texts} sorted=${sorted} sort=${sort} />`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map((one) => html`
            <tr key=${one.name}>
              <th scope="row">${nameOf(one.name, texts.intents)}</th>
              <td class="end number"><b>${count(one.conversations, language)}</b> <span class="muted">${percent(one.share, language)}</span></td>
              <td><${Strip} staff=${staff} resolution=${one.resolution} total=${one.conversations} /></td>
              <td class="end number">${percent(one.handoff_rate, language)}</td>
              <td class="end number">${count(one.resolution.reopened, language)}</td>
              <td class="end number">${count(one.unanswered_questions, language)}</td>
              <td class="end number">${score(one.satisfaction.average, language)} <span class="muted">(${count(one.satisfaction.count, language)})</span></td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
    <p class="card-note legend">
      ${OUTCOMES.map((name) => html`<span key=${name}><i class="swatch" style=${{ color: `var(${COLORS[name]})` }}></i>${texts.outcomes[name].name}</span>`)}
    </p>
  `;
}

function Head({ column: [name], texts, sorted, sort }) {
  return html`
    <th scope="col" class="end" aria-sort=${sorted === name ? "descending" : undefined}>
      <button type="button" class="sort" onClick=${() => sort(name)}>${texts.intentColumns[name]}${sorted === name && html`<${Icon} name="down" />`}</button>
    </th>
  `;
}

/** How the conversations of one intent ended, as a strip; the numbers are read aloud. */
function Strip({ staff, resolution, total }) {
  const { texts, language } = staff;
  const there = OUTCOMES.filter((name) => resolution[name]);
  const told = there.map((name) => `${texts.outcomes[name].name} ${count(resolution[name], language)}`).join(", ");
  return html`
    <span class="strip" role="img" aria-label=${told} title=${told}>
      ${there.map((name) => html`<i key=${name} style=${{ width: `${(resolution[name] / total) * 100}%`, background: `var(${COLORS[name]})` }}></i>`)}
    </span>
  `;
}
