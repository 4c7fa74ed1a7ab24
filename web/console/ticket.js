/** A ticket with all that belongs to it, as a page of its own or beside a conversation. */

import { html, useEffect, useRef, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Failed, Loading } from "../staff/lists.js";
import { countdown, longMoment, now, shortMoment } from "../staff/moments.js";
import { RichText } from "../widget/rich_text.js";
import { Section } from "./file_panel.js";
import { PriorityBadge, StatusBadge } from "./list_rows.js";
import { Files } from "./messages.js";
import { NEXT_STATUSES, OpenTicket } from "./open_ticket.js";
import { listAddress, move } from "./place.js";

/** @typedef {import("./view.js").View} View */

const IN_TURN = "round_robin";
const LONGEST_COMMENT = 5_000;

/** @param {{view: View, number: string, isBeside?: boolean}} properties */
export function TicketView({ view, number, isBeside = false }) {
  const kept = useRef(null);
  kept.current ??= new OpenTicket(view.desk, view.staff, number);
  const open = kept.current;
  open.staff = view.staff;
  useEffect(() => open.open(), []);
  const state = open.state.value;
  const { staff } = view;
  return html`
    <div class=${isBeside ? "ticket ticket-beside" : "ticket"}>
      <${TicketHead} view=${view} open=${open} isBeside=${isBeside} />
      ${state === "loading" && html`<${Loading} staff=${staff} lines=${12} />`}
      ${state === "failed" && html`<${Failed} staff=${staff} error=${open.error} retry=${() => open.load()} />`}
      ${state === "ready" && html`<${Body} view=${view} open=${open} isBeside=${isBeside} />`}
    </div>
  `;
}

function TicketHead({ view, open, isBeside }) {
  const { texts, common } = view.staff;
  const ticket = open.ticket.value;
  const back = isBeside ? () => move({ ticket: null }, { replace: true }) : () => view.back();
  return html`
    <header class="ticket-head">
      <button type="button" class=${isBeside ? "button button-quiet button-icon" : "button button-quiet button-icon head-back"} aria-label=${isBeside ? texts.ticket.back : common.back} onClick=${back}><${Icon} name="back" /></button>
      <div class="grow">
        <h2 class="clip">${ticket ? texts.categories[ticket.problem_category] ?? ticket.problem_category : open.number}</h2>
        ${ticket && html`
          <p class="row small"><span class="muted number">${ticket.ticket_id}</span><${StatusBadge} view=${view} status=${ticket.status} /><${PriorityBadge} view=${view} priority=${ticket.priority} />
            ${ticket.escalated && html`<span class="badge badge-bad" title=${texts.ticket.escalatedText}><${Icon} name="warning" />${texts.ticket.escalated}</span>`}
            ${ticket.merged && html`<span class="badge">${texts.ticket.mergedBadge}</span>`}</p>
        `}
      </div>
    </header>
  `;
}

function Body({ view, open, isBeside }) {
  const { texts } = view.staff;
  const ticket = open.ticket.value;
  return html`
    <div class="ticket-body">
      <div class="ticket-side">
        <${Clock} view=${view} ticket=${ticket} />
        <${Fields} view=${view} open=${open} ticket=${ticket} />
        <${About} view=${view} ticket=${ticket} isBeside=${isBeside} />
      </div>
      <div class="ticket-main">
        <${Section} title=${texts.ticket.description}><div class="ticket-text"><${RichText} text=${ticket.description} /></div>
          ${open.files.value.length > 0 && html`<${Files} view=${view} files=${open.files.value} />`}
        </${Section}>
        <${Comments} view=${view} open=${open} ticket=${ticket} />
        <${Related} view=${view} open=${open} ticket=${ticket} isBeside=${isBeside} />
        <${History} view=${view} ticket=${ticket} />
      </div>
    </div>
  `;
}

/** The promise of a first answer, running down. */
function Clock({ view, ticket }) {
  const { texts, language } = view.staff;
  const { ticket: words } = texts;
  if (ticket.first_response_at) {
    const moment = shortMoment(ticket.first_response_at, language);
    const kind = ticket.sla_state === "breached" ? "clock clock-bad" : "clock clock-good";
    return html`<div class=${kind}><span class="small">${words.clock}</span><strong>${fill(words.answered, { moment })}</strong></div>`;
  }
  if (ticket.paused_since) {
    const since = fill(words.pausedSince, { moment: shortMoment(ticket.paused_since, language) });
    return html`<div class="clock"><span class="small">${words.clock}</span><strong>${words.paused}</strong><span class="small muted">${since}</span></div>`;
  }
  const seconds = (Date.parse(ticket.sla_response_deadline) - now.value) / 1000;
  const isOver = seconds < 0;
  const time = countdown(Math.abs(seconds), language);
  const kind = isOver ? "clock clock-bad" : ticket.sla_state === "due_soon" ? "clock clock-warn" : "clock";
  const deadline = shortMoment(ticket.sla_response_deadline, language);
  return html`
    <div class=${kind}>
      <span class="small">${words.clock}</span>
      <strong class="number" role="timer">${fill(isOver ? words.over : words.left, { time })}</strong>
      <span class="small muted">${fill(words.deadline, { moment: deadline })}</span>
    </div>
  `;
}

function Fields({ view, open, ticket }) {
  const { texts } = view.staff;
  const { ticket: words } = texts;
  const statuses = [ticket.status, ...NEXT_STATUSES[ticket.status]].map((one) => [one, texts.status[one]]);
  const agents = view.desk.agents.value.map((agent) => [agent.id, agent.is_available ? agent.name : `${agent.name} (${texts.away})`]);
  const assign = (value) => (value === IN_TURN ? open.assignInTurn() : open.change("assigned_to", value || null));
  const isBusy = open.isBusy.value || ticket.merged;
  return html`
    <div class="ticket-fields">
      <${Choice} name="status" label=${words.status} value=${ticket.status} options=${statuses} isBusy=${isBusy} choose=${(value) => open.change("status", value)} />
      <${Choice} name="severity" label=${words.severity} value=${ticket.problem_severity} options=${Object.entries(texts.severities)} isBusy=${isBusy} choose=${(value) => open.change("severity", value)} />
      <${Choice} name="assignee" label=${words.assignee} value=${ticket.assignee_id ?? ""} options=${[["", words.nobody], [IN_TURN, texts.assignInTurn], ...agents]} isBusy=${isBusy} choose=${assign} />
      <div class="ticket-field"><span class="small muted">${words.priority}</span><span>${texts.priorities[ticket.priority]}</span></div>
    </div>
  `;
}

function Choice({ name, label, value, options, isBusy, choose }) {
  return html`
    <div class="ticket-field">
      <label class="small muted" for=${`ticket-${name}`}>${label}</label>
      <select class="input" id=${`ticket-${name}`} value=${value} disabled=${isBusy} onChange=${(event) => choose(event.currentTarget.value)}>
        ${options.map(([one, text]) => html`<option key=${one} value=${one} selected=${one === value}>${text}</option>`)}
      </select>
    </div>
  `;
}

function About({ view, ticket, isBeside }) {
  const { texts, language } = view.staff;
  const { ticket: words } = texts;
  const facts = [
    [words.customer, ticket.customer_id], [words.contact, ticket.contact_email],
    [words.product, ticket.product_sku], [words.order, ticket.order_number],
  ];
  const address = ticket.conversation_id && `${listAddress("conversations", "all")}/${ticket.conversation_id}?ticket=${ticket.ticket_id}`;
  return html`
    <dl class="values ticket-about">${facts.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <p class="small muted">${fill(words.created, { moment: longMoment(ticket.created_at, language) })}</p>
    ${address && !isBeside && html`<a class="button" href=${address}><${Icon} name="chat" />${words.conversation}</a>`}
  `;
}

function Comments({ view, open, ticket }) {
  const { texts, language } = view.staff;
  const { ticket: words } = texts;
  return html`
    <${Section} title=${words.comments}>
      ${ticket.comments.length === 0 && html`<p class="muted">${words.noComments}</p>`}
      <ul class="comments">
        ${ticket.comments.map((one) => html`
          <li key=${one.id} class=${one.is_internal ? "comment note" : "comment"}>
            <p class="message-head"><strong>${one.from_staff ? authorOf(view, one) : texts.roles.user}</strong>${one.is_internal && html`<span class="badge">${words.internal}</span>`}<time class="muted number">${shortMoment(one.created_at, language)}</time></p>
            <div class="message-text"><${RichText} text=${one.body} /></div>
          </li>
        `)}
      </ul>
      ${!ticket.merged && html`<${CommentForm} view=${view} open=${open} />`}
    </${Section}>
  `;
}

function authorOf(view, { actor }) {
  const id = actor.replace(/^user:/, "");
  return id === view.staff.caller.id ? view.staff.texts.you : view.desk.nameOf(id) ?? view.staff.texts.ticket.staff;
}

function CommentForm({ view, open }) {
  const { texts } = view.staff;
  const { ticket: words } = texts;
  const [text, setText] = useState("");
  const [isInternal, setInternal] = useState(false);
  const add = async (event) => {
    event.preventDefault();
    if (await open.comment(text.trim(), isInternal)) setText("");
  };
  return html`
    <form class="stack comment-form" onSubmit=${add}>
      <label><span class="hidden">${words.comment}</span>
        <textarea class="input" rows="2" maxlength=${LONGEST_COMMENT} placeholder=${isInternal ? texts.compose.writeNote : words.comment} value=${text} onInput=${(event) => setText(event.currentTarget.value)}></textarea></label>
      <div class="spread">
        <label class="check"><input type="checkbox" checked=${isInternal} onChange=${(event) => setInternal(event.currentTarget.checked)} />${words.internal}</label>
        <button class="button button-primary" disabled=${!text.trim() || open.isBusy.value}>${words.add}</button>
      </div>
    </form>
  `;
}

function Related({ view, open, ticket, isBeside }) {
  const { texts } = view.staff;
  const { ticket: words } = texts;
  const show = (number) => (isBeside ? view.showTicket(number) : view.open(number));
  const merge = async (into) => (await open.merge(into)) && show(into);
  return html`
    <${Section} title=${words.related}>
      ${ticket.related.length === 0 && html`<p class="muted">${words.noRelated}</p>`}
      <ul class="panel-list">
        ${ticket.related.map((one) => html`
          <li key=${one.ticket_id} class="related">
            <button type="button" class="panel-ticket" onClick=${() => show(one.ticket_id)}>
              <strong class="clip">${texts.categories[one.problem_category] ?? one.problem_category}</strong>
              <span class="row"><span class="small muted number">${one.ticket_id}</span><${StatusBadge} view=${view} status=${one.status} /></span>
            </button>
            ${!ticket.merged && html`<button type="button" class="button button-small" disabled=${open.isBusy.value} aria-label=${fill(words.mergeInto, { number: one.ticket_id })} onClick=${() => merge(one.ticket_id)}><${Icon} name="merge" />${words.merge}</button>`}
          </li>
        `)}
      </ul>
    </${Section}>
  `;
}

function History({ view, ticket }) {
  const { texts, language } = view.staff;
  const named = (value) => texts.status[value] ?? texts.severities[value] ?? texts.ticket.notify[value] ?? value;
  const what = ({ kind, details }) => {
    const values = Object.fromEntries(Object.entries(details).map(([name, value]) => [name, named(String(value))]));
    return fill(texts.ticket.events[kind] ?? kind, values);
  };
  return html`
    <details class="panel-section history">
      <summary><h3>${texts.ticket.history}</h3></summary>
      <ol class="steps">${ticket.events.map((event, index) => html`
        <li key=${index} class="spread"><span>${what(event)}</span><time class="small muted number">${shortMoment(event.created_at, language)}</time></li>
      `)}</ol>
    </details>
  `;
}
