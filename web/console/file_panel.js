/** The handoff file: what a person must know who takes over, on one page. */

import { html, useEffect } from "../shared/html.js";
import { price } from "../shared/wording.js";
import { Failed, Loading, useLoaded } from "../staff/lists.js";
import { day, shortMoment } from "../staff/moments.js";
import { Recording } from "./calls.js";
import { PriorityBadge, SlaClock, StatusBadge } from "./list_rows.js";
import { Files, Sources } from "./messages.js";

/** @typedef {import("./view.js").View} View */

const AGAIN_MS = 1_500;
/** The id of a document tells a person nothing; its title stands among the sources. */
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-/;
const MOODS = { calm: "badge badge-good", impatient: "badge badge-warn", upset: "badge badge-bad" };

/** @param {{view: View, open: import("./conversation.js").OpenConversation}} properties */
export function FilePanel({ view, open }) {
  const { staff } = view;
  const loaded = useLoaded(async (signal) => (await staff.client.get(`${open.path}/file`, {}, signal)).data, [open.id]);
  const version = open.version.value;
  useEffect(() => {
    const timer = setTimeout(() => loaded.state === "ready" && loaded.reload(), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [version]);
  useEffect(() => {
    view.orderNumber.value = loaded.data?.facts.order_number ?? loaded.data?.orders[0]?.number ?? null;
  }, [loaded.data]);
  if (loaded.state === "loading") return html`<${Loading} staff=${staff} lines=${12} />`;
  if (loaded.state === "failed") return html`<${Failed} staff=${staff} error=${loaded.error} retry=${loaded.reload} />`;
  return html`<${File} view=${view} open=${open} file=${loaded.data} />`;
}

function File({ view, open, file }) {
  const { file_: texts } = view.staff.texts;
  return html`
    <h2 class="hidden">${texts.title}</h2>
    <${Customer} view=${view} file=${file} />
    <${Reason} view=${view} file=${file} />
    <${Facts} view=${view} facts=${file.facts} />
    ${open.calls.value.length > 0 && html`<${Calls} view=${view} calls=${open.calls.value} />`}
    <${Tickets} view=${view} tickets=${file.tickets} />
    <${Orders} view=${view} orders=${file.orders} />
    ${file.photos.length > 0 && html`<${Section} title=${texts.photos}><${Files} view=${view} files=${file.photos} /></${Section}>`}
    <${Steps} view=${view} steps=${file.steps} />
    ${file.sources.length > 0 && html`<${Section} title=${texts.sources}><${Sources} sources=${file.sources} /></${Section}>`}
    <${Consents} view=${view} consents=${file.consents} />
  `;
}

/** @param {{title: string, children: any}} properties */
export const Section = ({ title, children }) => html`
  <section class="panel-section"><h3>${title}</h3>${children}</section>
`;

function Customer({ view, file }) {
  const { file_: texts, visitor, languages } = view.staff.texts;
  const { customer } = file;
  if (!customer) return html`<${Section} title=${texts.customer}><p class="muted">${texts.visitor}</p></${Section}>`;
  const facts = [[texts.phone, customer.phone], [texts.city, customer.city], [texts.reference, customer.reference]];
  return html`
    <${Section} title=${texts.customer}>
      <p class="panel-name"><strong>${customer.name || visitor}</strong> <span class="muted small">${languages[customer.language] ?? customer.language}</span></p>
      <p><a href=${`mailto:${customer.email}`}>${customer.email}</a></p>
      <dl class="values">${facts.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </${Section}>
  `;
}

function Reason({ view, file }) {
  const { file_: texts } = view.staff.texts;
  const signs = file.signs.map((sign) => texts.signs[sign] ?? sign).join(", ");
  return html`
    <${Section} title=${texts.mood}>
      <p class="row row-wrap"><span class=${MOODS[file.mood]}>${texts.moods[file.mood]}</span>${signs && html`<span class="small muted">${signs}</span>`}</p>
      ${file.reason && html`<p class="small">${texts.reasons[file.reason] ?? file.reason}</p>`}
    </${Section}>
  `;
}

function Facts({ view, facts }) {
  const { file_: texts, categories, severities } = view.staff.texts;
  const entries = Object.entries(facts);
  const said = (value) => (Array.isArray(value) ? value.map(said).join(", ") : categories[value] ?? severities[value] ?? plain(value));
  return html`
    <${Section} title=${texts.facts}>
      ${entries.length === 0 ? html`<p class="muted">${texts.noFacts}</p>` : html`
        <dl class="values">${entries.map(([name, value]) => html`<div key=${name}><dt>${texts.fact[name] ?? name}</dt><dd>${said(value)}</dd></div>`)}</dl>
      `}
    </${Section}>
  `;
}

const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function Calls({ view, calls }) {
  const { texts, language } = view.staff;
  return html`
    <${Section} title=${texts.channels.voice}>
      ${calls.map((call) => html`
        <div key=${call.id} class="stack">
          <p class="small muted">${shortMoment(call.started_at, language)}</p>
          ${call.recording && html`<${Recording} view=${view} call=${call} />`}
        </div>
      `)}
    </${Section}>
  `;
}

function Tickets({ view, tickets }) {
  const { file_: texts, categories } = view.staff.texts;
  return html`
    <${Section} title=${texts.tickets}>
      ${tickets.length === 0 && html`<p class="muted">${texts.noTickets}</p>`}
      <ul class="panel-list">
        ${tickets.map((ticket) => html`
          <li key=${ticket.ticket_id}>
            <button type="button" class="panel-ticket" onClick=${() => view.showTicket(ticket.ticket_id)}>
              <span class="spread"><strong class="clip">${categories[ticket.problem_category] ?? ticket.problem_category}</strong><${SlaClock} view=${view} ticket=${{ ...ticket, seconds_left: 0 }} /></span>
              <span class="row"><span class="small muted number">${ticket.ticket_id}</span><${StatusBadge} view=${view} status=${ticket.status} /><${PriorityBadge} view=${view} priority=${ticket.priority} /></span>
            </button>
          </li>
        `)}
      </ul>
    </${Section}>
  `;
}

function Orders({ view, orders }) {
  const { texts, language } = view.staff;
  return html`
    <${Section} title=${texts.file_.orders}>
      ${orders.length === 0 && html`<p class="muted">${texts.file_.noOrders}</p>`}
      <ul class="panel-list">
        ${orders.map((order) => html`
          <li key=${order.number} class="order">
            <details>
              <summary>
                <span class="spread"><strong class="number">${order.number}</strong><span class="number">${price(order.total_cents / 100, language)}</span></span>
                <span class="spread"><span class="badge">${texts.orderStatus[order.status] ?? order.status}</span><span class="small muted clip">${day(order.ordered_at, language)} · ${order.delivery_city}</span></span>
              </summary>
              <ul>${order.lines.map((line) => html`<li key=${line.sku} class="spread small"><span>${line.quantity} × ${line.name}</span><span class="number">${price(line.unit_price_cents / 100, language)}</span></li>`)}</ul>
            </details>
          </li>
        `)}
      </ul>
    </${Section}>
  `;
}

function Steps({ view, steps }) {
  const { texts, language } = view.staff;
  const { file_ } = texts;
  return html`
    <${Section} title=${file_.steps}>
      ${steps.length === 0 && html`<p class="muted">${file_.noSteps}</p>`}
      <ol class="steps">
        ${steps.map((one, index) => html`
          <li key=${index} class="spread"><span>${file_.step[one.step] ?? one.step}${!ID.test(one.what) && one.what && html` <span class="muted">${texts.tools[one.what] ?? file_.reasons[one.what] ?? one.what}</span>`}</span><time class="small muted number">${shortMoment(one.at, language)}</time></li>
        `)}
      </ol>
    </${Section}>
  `;
}

function Consents({ view, consents }) {
  const { file_: texts } = view.staff.texts;
  const entries = Object.entries(consents);
  return html`
    <${Section} title=${texts.consents}>
      ${entries.length === 0 && html`<p class="muted">${texts.noConsents}</p>`}
      <dl class="values">
        ${entries.map(([kind, isGiven]) => html`<div key=${kind}><dt>${texts.consent[kind] ?? kind}</dt><dd><span class=${isGiven ? "badge badge-good" : "badge"}>${isGiven ? texts.given : texts.withdrawn}</span></dd></div>`)}
      </dl>
    </${Section}>
  `;
}
