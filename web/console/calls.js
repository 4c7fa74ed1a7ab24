/** A call in the thread: its recording, what was said in it, and how fast each answer came. */

import { html, useRef } from "../shared/html.js";
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
  const player = useRef(null);
  const heading = [said.carriers[call.carrier], lengthOf(call), said.ends[call.end_reason] ?? (call.ended_at ? "" : said.lasts)];
  return html`
    <article class="call" aria-label=${said.title}>
      <header class="message-head">
        <${Icon} name="phone" />
        <strong>${said.title}</strong>
        <span class="muted clip">${heading.filter(Boolean).join(" · ")}</span>
        <time class="muted number" datetime=${call.started_at} title=${longMoment(call.started_at, language)}>${shortMoment(call.started_at, language)}</time>
      </header>
      ${call.recording ? html`<${Recording} view=${view} call=${call} player=${player} />` : call.ended_at && html`<p class="small muted">${said.unrecorded}</p>`}
      ${call.ticket_id && html`<button type="button" class="button button-small" onClick=${() => view.showTicket(call.ticket_id)}><${Icon} name="ticket" />${call.ticket_id}</button>`}
      ${call.turns.length > 0 && html`
        <details><summary>${counted(said.turns, call.turns.length, language)}</summary><${Turns} view=${view} open=${open} call=${call} player=${player} /></details>
      `}
    </article>
  `;
}

/** @param {{view: View, call: any, player: {current: HTMLAudioElement | null}}} properties */
export const Recording = ({ view, call, player }) => html`
  <audio controls preload="none" ref=${player} src=${call.recording.url} aria-label=${view.staff.texts.recording}></audio>
`;

function Turns({ view, open, call, player }) {
  const { call_: said } = view.staff.texts;
  const messages = open.messages.value;
  return html`
    <ol class="call-turns">
      ${call.turns.map((turn) => {
        const at = messages.findIndex((message) => message.id === turn.message_id);
        const asked = messages.slice(0, Math.max(0, at)).findLast((message) => message.role === "user");
        return html`
          <li key=${turn.position}>
            ${call.recording && turn.recording_ms !== null && html`<${Place} view=${view} milliseconds=${turn.recording_ms} player=${player} />`}
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

/** When a turn begins in the recording; a click plays it from there. */
function Place({ view, milliseconds, player }) {
  const seconds = milliseconds / 1000;
  const time = minutes(seconds);
  const play = () => playFrom(player.current, seconds);
  return html`
    <button type="button" class="button button-quiet button-small number call-place" aria-label=${fill(view.staff.texts.call_.playFrom, { time })} onClick=${play}>
      <${Icon} name="play" />${time}
    </button>
  `;
}

/** @param {HTMLAudioElement | null} audio @param {number} seconds */
function playFrom(audio, seconds) {
  if (!audio) return;
  const begin = () => {
    audio.currentTime = seconds;
    // Whoever pauses at once, or whose browser does not play, is where they wanted to be.
    audio.play().catch(() => {});
  };
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) begin();
  else {
    audio.addEventListener("loadedmetadata", begin, { once: true });
    audio.load();
  }
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
  return until ? minutes(Math.max(0, (Date.parse(until) - Date.parse(from)) / 1000)) : "";
}

function minutes(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
