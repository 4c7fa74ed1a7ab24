/** What a row of a list says of a conversation or a ticket. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { ago, countdown, now } from "../staff/moments.js";

/** @typedef {import("./view.js").View} View */

const SOON_SECONDS = 300;

/** @param {{view: View, row: any}} properties */
export function ConversationRow({ view, row }) {
  const { texts, language, caller } = view.staff;
  const isMine = row.assignee?.id === caller.id;
  const needsMe = row.unanswered_since && (isMine || row.owner === "waiting");
  return html`
    <div class="list-line">
      <strong class=${needsMe ? "clip grow list-new" : "clip grow"}>${row.customer?.name || texts.visitor}</strong>
      <${Due} view=${view} row=${row} />
      <time class="muted small number" datetime=${row.updated_at}>${ago(row.updated_at, language)}</time>
    </div>
    <p class="list-preview clip">${row.preview && row.preview_role !== "user" && html`<span class="muted">${speaker(texts, row)} : </span>`}${row.preview}</p>
    <div class="list-line list-badges">
      <${OwnerBadge} view=${view} row=${row} />
      ${row.channel !== "web_chat" && html`<span class="badge">${texts.channels[row.channel] ?? row.channel}</span>`}
      ${row.language !== language && html`<span class="badge">${row.language.toUpperCase()}</span>`}
    </div>
  `;
}

function speaker(texts, row) {
  return row.preview_role === "agent" ? row.assignee?.name?.split(" ")[0] ?? texts.roles.agent : texts.roles[row.preview_role];
}

/** Who has a conversation. @param {{view: View, row: any}} properties */
export function OwnerBadge({ view, row }) {
  const { texts, language, caller } = view.staff;
  if (row.owner === "waiting") {
    const time = ago(row.owner_since, language);
    return html`<span class="badge badge-warn"><${Icon} name="clock" />${fill(texts.waitsFor, { time })}</span>`;
  }
  if (row.owner === "human" && row.assignee?.id === caller.id) {
    return html`<span class="badge badge-good">${texts.withYou}</span>`;
  }
  if (row.owner === "human") {
    return html`<span class="badge badge-info">${fill(texts.withAgent, { name: row.assignee?.name ?? "?" })}</span>`;
  }
  return html`<span class="badge">${texts.owners[row.owner]}</span>`;
}

/** The promise to the customer, once it is near. */
function Due({ view, row }) {
  if (!row.due_at) return null;
  const seconds = (Date.parse(row.due_at) - now.value) / 1000;
  if (seconds > SOON_SECONDS) return null;
  const time = countdown(seconds, view.staff.language);
  const kind = seconds < 0 ? "badge badge-bad number" : "badge badge-warn number";
  return html`<span class=${kind} title=${view.staff.texts.late}>${time}</span>`;
}

/** @param {{view: View, row: any}} properties */
export function TicketRow({ view, row }) {
  const { texts, language } = view.staff;
  return html`
    <div class="list-line">
      <strong class="clip grow">${texts.categories[row.problem_category] ?? row.problem_category}</strong>
      <${SlaClock} view=${view} ticket=${row} />
      <time class="muted small number" datetime=${row.created_at}>${ago(row.created_at, language)}</time>
    </div>
    <p class="list-preview clip">${row.preview}</p>
    <div class="list-line list-badges">
      <span class="small muted number">${row.ticket_id}</span>
      <${StatusBadge} view=${view} status=${row.status} />
      <${PriorityBadge} view=${view} priority=${row.priority} />
      ${row.escalated && html`<span class="badge badge-bad"><${Icon} name="warning" />${texts.ticket.escalated}</span>`}
      ${row.assignee_name && html`<span class="small muted clip">${row.assignee_name}</span>`}
    </div>
  `;
}

const STATUS_KINDS = { open: "badge badge-info", in_progress: "badge badge-good", resolved: "badge", closed: "badge" };

/** @param {{view: View, status: string}} properties */
export const StatusBadge = ({ view, status }) => html`
  <span class=${STATUS_KINDS[status] ?? "badge badge-warn"}>${view.staff.texts.status[status] ?? status}</span>
`;

/** Medium and below say nothing that must be seen at once. @param {{view: View, priority: string}} properties */
export function PriorityBadge({ view, priority }) {
  if (priority !== "urgent" && priority !== "high") return null;
  const kind = priority === "urgent" ? "badge badge-bad" : "badge badge-warn";
  return html`<span class=${kind}>${view.staff.texts.priorities[priority]}</span>`;
}

/** The time that is left for the first answer, running down. @param {{view: View, ticket: any}} properties */
export function SlaClock({ view, ticket }) {
  const { texts, language } = view.staff;
  if (ticket.first_response_at || ticket.seconds_left === null || ticket.seconds_left === undefined) return null;
  if (["resolved", "closed"].includes(ticket.status)) return null;
  if (ticket.paused_since) {
    return html`<span class="badge" title=${texts.ticket.paused}><${Icon} name="pause" />${countdown(ticket.seconds_left, language)}</span>`;
  }
  const seconds = secondsLeft(ticket);
  const kind = seconds < 0 ? "badge-bad" : ticket.sla_state === "due_soon" ? "badge-warn" : "";
  return html`<span class=${`badge number ${kind}`}><${Icon} name="clock" />${countdown(seconds, language)}</span>`;
}

/** Until the deadline, which the shop's calendar has been counted into already. */
const secondsLeft = (ticket) => (Date.parse(ticket.sla_response_deadline) - now.value) / 1000;
