/** A call in the thread: its recording, what was said in it, and how fast each answer came. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { longMoment, shortMoment } from "../staff/moments.js";
import { counted } from "../staff/texts.js";

/** @typedef {import("./view.js").View} View */

// The ledger's steps, in the order in which they happen.
const STEPS = ["transcript_ms", "first_token_ms", "first_audio_ms", "barge_in_ms"];

/** @param {{view: View, open: import("./conversation.js").OpenConversation, call: any}} properties */
export function CallEntry({ view, open, call }) {
  const { texts, language } = view.staff;
  const { call_: said } = texts;
  const heading = [said.carriers[call.carrier], lengthOf(call), said.ends[call.end_reason] ?? (call.ended_at ? "" : said.lasts)];
  return html`
    <article class="call" aria-label=${said.title}>
      <header class="message-head">
        <${Icon} name="phone" />
        <strong>${said.title}</strong>
        <span class="muted clip">${heading.filter(Boolean).join(" · ")}</span>
        <time class="muted number" datetime=${call.started_at} title=${longMoment(call.started_at, language)}>${shortMoment(call.started_at, language)}</time>
      </header>
      ${call.recording ? html`<${Recording} view=${view} call=${call} />` : call.ended_at && html`<p class="small muted">${said.unrecorded}</p>`}
      ${call.ticket_id && html`<button type="button" class="button button-small" onClick=${() => view.showTicket(call.ticket_id)}><${Icon} name="ticket" />${call.ticket_id}</button>`}
      ${call.turns.length > 0 && html`
        <details><summary>${counted(said.turns, call.turns.length, language)}</summary><${Turns} view=${view} open=${open} call=${call} /></details>
      `}
    </article>
  `;
}

/** @param {{view: View, call: any}} properties */
export const Recording = ({ view, call }) => html`
  <audio controls preload="none" src=${call.recording.url} aria-label=${view.staff.texts.recording}></audio>
`;

function Turns({ view, open, call }) {
  const { call_: said } = view.staff.texts;
  const messages = open.messages.value;
  return html`
    <ol class="call-turns">
      ${call.turns.map((turn) => {
        const at = messages.findIndex((message) => message.id === turn.message_id);
        const asked = messages.slice(0, Math.max(0, at)).findLast((message) => message.role === "user");
        return html`
          <li key=${turn.position}>
            ${asked && html`<p><strong>${open.customerName}</strong> ${asked.content}</p>`}
            ${at >= 0 && html`<p><strong>${view.staff.texts.roles.assistant}</strong> ${messages[at].content}</p>`}
            <p class="small muted number">${timesOf(turn, view.staff).join(" · ")}</p>
            ${turn.interrupted && html`<p class="small muted">${said.interrupted}</p>`}
          </li>
        `;
      })}
    </ol>
  `;
}

/** Each step by name, with what it took; steps that did not happen are left out. */
function timesOf(turn, { texts, language }) {
  const figure = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return STEPS.filter((step) => turn[step] !== null).map((step) =>
    fill(texts.call_.steps[step], { seconds: figure.format(turn[step] / 1000) }),
  );
}

/** Minutes and seconds; nothing while it lasts. */
function lengthOf({ started_at: from, ended_at: until }) {
  if (!until) return "";
  const seconds = Math.max(0, Math.round((Date.parse(until) - Date.parse(from)) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
