/** The console: lists, a conversation or a ticket, and what belongs to it. */

import { html, useEffect, useRef } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Empty, Failed, Loading } from "../staff/lists.js";
import { Shell } from "../staff/shell.js";
import { attempt } from "../staff/toasts.js";
import { Composer } from "./composer.js";
import { OpenConversation } from "./conversation.js";
import { FilePanel } from "./file_panel.js";
import { Head } from "./head.js";
import { KeysDialog, useKeys } from "./keys.js";
import { List } from "./list.js";
import { MacrosDialog } from "./macros.js";
import { place } from "./place.js";
import { Side } from "./side.js";
import { SkillsDialog } from "./skills.js";
import { Thread } from "./thread.js";
import { TicketView } from "./ticket.js";
import { View } from "./view.js";

/** @typedef {import("./view.js").View} View */

/** @param {{staff: import("../staff/staff.js").Staff}} properties */
export function App({ staff }) {
  const kept = useRef(null);
  kept.current ??= new View(staff);
  const view = kept.current;
  view.staff = staff;
  const { desk } = view;
  const here = place();
  useEffect(() => desk.start(), []);
  useEffect(() => desk.list(here.list, { queue: here.queue, ...here.filters }));
  useKeys(view);
  const { texts, common } = staff;
  const line = desk.live.state.value;
  const notice = line !== "offline" ? null : navigator.onLine ? common.reconnecting : common.offline;
  const title = here.list === "tickets" ? texts.ticketsTitle : texts.title;
  return html`
    <${Shell} staff=${staff} area="console" title=${title} notice=${notice} side=${html`<${Side} view=${view} />`} personItems=${personItems(view)}>
      <h1 class="hidden">${title}</h1>
      <div class=${here.id ? "console console-open" : "console"}>
        <${List} view=${view} />
        ${!here.id && html`<${Choose} view=${view} here=${here} />`}
        ${here.id && here.list === "conversations" && html`<${Conversation} key=${here.id} view=${view} id=${here.id} here=${here} />`}
        ${here.id && here.list === "tickets" && html`<${Ticket} key=${here.id} view=${view} number=${here.id} />`}
      </div>
      ${view.dialog.value === "keys" && html`<${KeysDialog} view=${view} />`}
      ${view.dialog.value === "macros" && html`<${MacrosDialog} view=${view} />`}
      ${view.dialog.value === "skills" && html`<${SkillsDialog} view=${view} />`}
    </${Shell}>
  `;
}

/** What a person can say of themselves. @param {View} view */
function personItems(view) {
  const { desk, staff } = view;
  const { texts, client } = staff;
  const { profile } = desk;
  const choose = (is_available) => async () => {
    await attempt(staff, () => client.patch("/api/v1/console/agents/me", { is_available }), { done: texts.profile.saved });
    await desk.readAgents();
  };
  const availability = profile
    ? [
        { text: texts.profile.available, isChecked: profile.is_available, act: choose(true) },
        { text: texts.profile.away, isChecked: !profile.is_available, act: choose(false) },
        { text: texts.profile.skills, act: () => (view.dialog.value = "skills") },
      ]
    : [];
  return [...availability, { text: texts.keys.list, hint: "?", act: () => (view.dialog.value = "keys") }];
}

function Choose({ view, here }) {
  const { texts } = view.staff;
  const isTickets = here.list === "tickets";
  const text = fill(texts.empty.chooseText, { j: "J", k: "K", enter: texts.enterKey, help: "?" });
  return html`
    <section class="detail detail-none">
      <${Empty} icon=${isTickets ? "ticket" : "chat"} title=${isTickets ? texts.empty.chooseTicket : texts.empty.choose} text=${text} />
    </section>
  `;
}

function Conversation({ view, id, here }) {
  const kept = useRef(null);
  kept.current ??= new OpenConversation(view.desk, view.staff, id);
  const open = kept.current;
  open.staff = view.staff;
  open.onTaken = () => view.write("reply");
  view.conversation = open;
  useEffect(() => {
    const stop = open.open();
    return () => {
      stop();
      if (view.conversation === open) view.conversation = null;
      view.correction.value = null;
    };
  }, []);
  const { staff } = view;
  const state = open.state.value;
  if (state !== "ready") {
    return html`
      <section class="detail">
        <${BackLine} view=${view} />
        ${state === "failed" ? html`<${Failed} staff=${staff} error=${open.error} retry=${() => open.load()} />` : html`<${Loading} staff=${staff} lines=${12} />`}
      </section>
    `;
  }
  return html`
    <section class="detail" aria-label=${fill(staff.texts.threadOf, { name: open.customerName })}>
      <${Head} view=${view} open=${open} />
      <${Thread} view=${view} open=${open} />
      <${Composer} view=${view} open=${open} />
    </section>
    ${view.isPanelOpen.value && html`<${Panel} view=${view} open=${open} here=${here} />`}
  `;
}

function BackLine({ view }) {
  return html`
    <header class="head"><button type="button" class="button button-quiet button-icon head-back" aria-label=${view.staff.common.back} onClick=${() => view.back()}><${Icon} name="back" /></button></header>
  `;
}

function Panel({ view, open, here }) {
  const { texts, common } = view.staff;
  return html`
    <button type="button" class="veil panel-veil" aria-label=${common.close} onClick=${() => view.togglePanel()}></button>
    <aside class="panel scrolls" tabindex="0" aria-label=${texts.panel}>
      <div class="panel-bar">
        <button type="button" class="button button-quiet" onClick=${() => view.togglePanel()}><${Icon} name="close" />${common.close}</button>
      </div>
      ${here.ticket
        ? html`<${TicketView} key=${here.ticket} view=${view} number=${here.ticket} isBeside />`
        : html`<${FilePanel} view=${view} open=${open} />`}
    </aside>
  `;
}

function Ticket({ view, number }) {
  return html`
    <section class="detail detail-ticket scrolls" tabindex="0" aria-label=${number}>
      <${TicketView} view=${view} number=${number} />
    </section>
  `;
}
