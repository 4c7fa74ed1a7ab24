/** Every day's figures as a table, for whoever reads numbers rather than charts. */

import { html } from "../shared/html.js";
import { calendarDay, count, OUTCOMES, percent, score, span } from "./figures.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

/** @param {{staff: Staff, data: any}} properties */
export function DaysTable({ staff, data }) {
  const { texts, language } = staff;
  return html`
    <details class="card days">
      <summary>${texts.daysTable}</summary>
      <div class="table-scroll" tabindex="0" role="group" aria-label=${texts.daysTable}>
        <table class="table table-dense">
          <thead>
            <tr>
              <th scope="col">${texts.day}</th>
              <th scope="col" class="end">${texts.tiles.conversations}</th>
              ${OUTCOMES.map((name) => html`<th key=${name} scope="col" class="end">${texts.outcomes[name].name}</th>`)}
              <th scope="col" class="end">${texts.times.person}</th>
              <th scope="col" class="end">${texts.tiles.satisfaction}</th>
              <th scope="col" class="end">${texts.tiles.sla}</th>
            </tr>
          </thead>
          <tbody>
            ${[...data.days].reverse().map(({ day, conversations, tickets }) => html`
              <tr key=${day}>
                <th scope="row">${calendarDay(day, language)}</th>
                <td class="end number"><b>${count(conversations.conversations, language)}</b></td>
                ${OUTCOMES.map((name) => html`<td key=${name} class="end number">${count(conversations.resolution[name], language)}</td>`)}
                <td class="end number">${span(conversations.person_seconds.median, language)}</td>
                <td class="end number">${score(conversations.satisfaction.average, language)}</td>
                <td class="end number">${percent(tickets.sla_kept_rate, language)}</td>
              </tr>
            `)}
          </tbody>
        </table>
      </div>
    </details>
  `;
}
