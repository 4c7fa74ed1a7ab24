/** Above the thread: whose conversation it is, who has it, and what may be done with it. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Menu } from "../staff/menu.js";
import { countdown, now } from "../staff/moments.js";
import { OwnerBadge } from "./list_rows.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./conversation.js").OpenConversation} OpenConversation */

/** @param {{view: View, open: OpenConversation}} properties */
export function Head({ view, open }) {
  const { texts, common } = view.staff;
  const row = open.conversation.value;
  const isBusy = open.isActing.value;
  const { mayTake } = open;
  const mayEnd = open.isMine || view.staff.session.may("analytics:read");
  return html`
    <header class="head">
      <button type="button" class="button button-quiet button-icon head-back" aria-label=${common.back} onClick=${() => view.back()}><${Icon} name="back" /></button>
      <div class="head-names">
        <h2 class="clip">${open.customerName}</h2>
        <div class="row clip">
          <${OwnerBadge} view=${view} row=${row} />
          <${Promise_} view=${view} row=${row} />
        </div>
      </div>
      <div class="row head-actions">
        ${mayTake && html`<button type="button" class="button button-primary head-take" disabled=${isBusy} onClick=${() => open.take()}><${Icon} name="hand" />${texts.take}</button>`}
        ${row.owner === "human" && mayEnd && html`<button type="button" class="button head-wide" disabled=${isBusy} aria-label=${texts.handBack} title=${texts.handBack} onClick=${() => open.handBack()}><${Icon} name="robot" />${texts.handBackShort}</button>`}
        ${row.owner !== "closed" && open.isMine && html`<button type="button" class="button head-wide" disabled=${isBusy} onClick=${() => open.end()}><${Icon} name="check" />${texts.end}</button>`}
        <${More} view=${view} open=${open} mayEnd=${mayEnd} />
        <button type="button" class="button button-quiet button-icon" aria-label=${texts.panel} title=${texts.panel} aria-pressed=${String(view.isPanelOpen.value)} onClick=${() => view.togglePanel()}><${Icon} name="file" /></button>
      </div>
    </header>
  `;
}

/** How long until the promise to the customer ends. */
function Promise_({ view, row }) {
  const { texts, language } = view.staff;
  if (!row.due_at || row.owner === "bot" || row.owner === "closed") return null;
  const seconds = (Date.parse(row.due_at) - now.value) / 1000;
  if (seconds > 24 * 3600) return null;
  const time = countdown(Math.abs(seconds), language);
  const text = fill(seconds < 0 ? texts.overdue : texts.dueIn, { time });
  return html`<span class=${seconds < 0 ? "badge badge-bad number" : seconds < 300 ? "badge badge-warn number" : "small muted number"}>${text}</span>`;
}

function More({ view, open, mayEnd }) {
  const { texts, common } = view.staff;
  const { desk } = view;
  const { owner, assignee } = open.conversation.value;
  const items = [
    ...(mayEnd && owner === "human" ? [{ text: texts.handBack, act: () => open.handBack() }] : []),
    ...(mayEnd && owner !== "closed" ? [{ text: `${texts.end}…`, act: () => open.end() }] : []),
    { isTitle: true, text: texts.assign },
    { text: texts.assignInTurn, act: () => open.assign("round_robin") },
    ...desk.skills.map((skill) => ({ text: fill(texts.assignSkill, { skill }), act: () => open.assign("skill", skill) })),
    { isTitle: true, text: texts.assignAgents },
    ...desk.agents.value.map((agent) => ({
      text: agent.is_available ? agent.name : `${agent.name} (${texts.away})`,
      hint: String(agent.open_conversations),
      isChecked: assignee?.id === agent.id,
      act: () => open.assign(agent.id),
    })),
  ];
  return html`<${Menu} label=${common.more} items=${items} place="end" buttonClass="button button-quiet button-icon"><${Icon} name="more" /></${Menu}>`;
}
