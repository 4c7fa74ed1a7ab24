/** The console's lists with their counts, and the searches that a person keeps. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { attempt } from "../staff/toasts.js";
import { CONVERSATION_QUEUES, listAddress, place, TICKET_QUEUES } from "./place.js";

/** @typedef {import("./view.js").View} View */

/** @param {{view: View}} properties */
export function Side({ view }) {
  const { texts } = view.staff;
  return html`
    <${Queues} view=${view} list="conversations" queues=${CONVERSATION_QUEUES} names=${texts.queues} />
    <${Queues} view=${view} list="tickets" queues=${TICKET_QUEUES} names=${texts.ticketQueues} />
    <${Filters} view=${view} />
  `;
}

function Queues({ view, list, queues, names }) {
  const { desk, staff } = view;
  const here = place();
  const hasFilters = Object.keys(here.filters).length > 0;
  const counts = desk.counts.value;
  return html`
    <h2 class="side-title" id=${`lists-${list}`}>${staff.texts.lists[list]}</h2>
    <ul aria-labelledby=${`lists-${list}`}>
      ${queues.map((queue) => html`
        <li key=${queue}>
          <a class="side-link" href=${listAddress(list, queue)} aria-current=${here.list === list && here.queue === queue && !hasFilters ? "true" : undefined}>
            <span class="clip">${names[queue]}</span>
            <${Count} staff=${staff} count=${counts[queue]?.[list]} isUrgent=${queue === "breaching"} />
          </a>
        </li>
      `)}
    </ul>
  `;
}

function Count({ staff, count, isUrgent }) {
  if (!count) return null;
  const text = new Intl.NumberFormat(staff.language).format(count);
  return html`<span class=${isUrgent ? "side-count side-count-urgent" : "side-count"}>${text}</span>`;
}

function Filters({ view }) {
  const { desk, staff } = view;
  const saved = desk.filters.value;
  if (!saved.length) return null;
  const here = place();
  const isHere = ({ list = "conversations", queue = "all", ...filters }) =>
    here.list === list && here.queue === queue && JSON.stringify(here.filters) === JSON.stringify(filters);
  return html`
    <h2 class="side-title" id="lists-filters">${staff.texts.lists.filters}</h2>
    <ul aria-labelledby="lists-filters">
      ${saved.map((one) => html`
        <li key=${one.id} class="side-saved">
          <a class="side-link" href=${addressOf(one.query)} aria-current=${isHere(one.query) ? "true" : undefined}>
            <${Icon} name="search" /><span class="clip">${one.name}</span>
          </a>
          <button type="button" class="side-forget" aria-label=${fill(staff.texts.search.forget, { name: one.name })} onClick=${() => forget(view, one)}>
            <${Icon} name="close" />
          </button>
        </li>
      `)}
    </ul>
  `;
}

const addressOf = ({ list = "conversations", queue = "all", ...filters }) => listAddress(list, queue, filters);

async function forget({ desk, staff }, one) {
  const { client, texts } = staff;
  const undo = async () => {
    await client.post("/api/v1/console/filters", { name: one.name, query: one.query });
    await desk.readFilters();
  };
  const work = () => client.remove(`/api/v1/console/filters/${one.id}`);
  await attempt(staff, work, { done: texts.search.forgotten, undo });
  await desk.readFilters();
}
