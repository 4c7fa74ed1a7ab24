/** The thread: what was said, by whom, and what became of it. */

import { html } from "../shared/html.js";
import { fill, hour } from "../shared/wording.js";
import { Products, Sources, Suggestions, Ticket } from "./cards.js";
import { Icon } from "./icons.js";
import { RichText } from "./rich_text.js";

/** @typedef {import("./app.js").View} View */
/** @typedef {import("./conversation.js").Turn} Turn */

/** @param {{view: View}} properties */
export function Thread({ view }) {
  const { texts, chat, shop } = view;
  const conversation = chat.conversation.value;
  const { turns } = conversation;
  const latest = turns.at(-1);
  const isIdle = !chat.isAnswering.value;
  const starters = turns.length || chat.isRestoring.value ? [] : texts.starters;
  const suggestions = latest?.state === "done" && isIdle ? latest.suggestions : starters;
  return html`
    <${Welcome} view=${view} shop=${shop} />
    ${turns.map((turn) => html`<${TurnView} key=${turn.key} view=${view} turn=${turn} />`)}
    ${chat.typing.value && html`<${Writing} text=${typingText(view)} />`}
    ${conversation.owner === "closed" && html`
      <button type="button" class="wide" onClick=${() => view.show({ rating: true })}>
        ${texts.rateAsk}
      </button>
    `}
    <${Suggestions} view=${view} suggestions=${suggestions} />
  `;
}

/** @param {View} view */
function typingText({ chat, texts }) {
  return fill(texts.personTyping, { name: chat.typing.value.name || texts.person });
}

function Welcome({ view }) {
  return html`
    <article class="reply">
      <span class="author">${view.texts.robot}</span>
      <div class="bubble"><p>${view.say("welcome")}</p></div>
    </article>
  `;
}

/** @param {{view: View, turn: Turn}} properties */
function TurnView({ view, turn }) {
  const { chat } = view;
  const isHeard = chat.conversation.value.owner === "human" && turn.state !== "done";
  const isWriting = (turn.state === "accepted" || turn.state === "answering") && !isHeard;
  return html`
    ${turn.text !== null && html`<${Said} view=${view} turn=${turn} />`}
    ${turn.reply && turn.author === "system" && html`<p class="event">${turn.reply}</p>`}
    ${turn.reply && turn.author !== "system" && html`<${Reply} view=${view} turn=${turn} />`}
    ${isWriting && html`<${Writing} text=${view.texts.typing} />`}
    ${turn.state === "failed" && html`<${Failure} view=${view} turn=${turn} />`}
  `;
}

function Said({ view, turn }) {
  return html`
    <article class="said">
      <span class="hidden">${view.texts.you}</span>
      ${turn.attached.length > 0 && html`<${Attached} files=${turn.attached} />`}
      <div class="bubble"><p>${turn.text}</p></div>
      ${turn.state === "sending" && html`<span class="quiet">${view.texts.sending}</span>`}
    </article>
  `;
}

function Attached({ files }) {
  return html`<ul class="attached">${files.map((file) => html`<li>${preview(file)}</li>`)}</ul>`;
}

/**
 * @param {{name: string, type: string, url: string | null, poster?: string | null}} file
 * @param {boolean} [isPlayed] whether a video may be played, or only shows its first picture
 */
export function preview({ name, type, url, poster }, isPlayed = true) {
  if (url && type.startsWith("image/")) return html`<img src=${url} alt=${name} />`;
  if (url && type.startsWith("video/")) {
    // With a poster nothing of the video itself is fetched before somebody plays it.
    return html`<video src=${url} poster=${poster || undefined} preload=${poster ? "none" : "metadata"}
      controls=${isPlayed} muted playsinline aria-label=${name}></video>`;
  }
  return html`<span class="file"><${Icon} name="file" /><span>${name}</span></span>`;
}

function Reply({ view, turn }) {
  const { texts, language } = view;
  const isPerson = turn.author === "agent";
  const tickets = turn.tools.filter(({ tool }) => tool === "create_ticket");
  return html`
    <article class=${isPerson ? "reply reply-person" : "reply"}>
      <span class="author">
        ${isPerson ? turn.name || texts.person : texts.robot}${turn.at && html`<time>${hour(turn.at, language)}</time>`}
      </span>
      <div class="bubble"><${RichText} text=${turn.reply} /></div>
      ${turn.state === "done" && html`
        ${tickets.map(({ result }) => html`<${Ticket} view=${view} ticket=${result} />`)}
        <${Products} view=${view} products=${turn.products} />
      `}
      <${Sources} view=${view} sources=${turn.sources} />
    </article>
  `;
}

function Writing({ text }) {
  return html`<p class="writing"><i></i><i></i><i></i><span class="hidden">${text}</span></p>`;
}

function Failure({ view, turn }) {
  const { texts, chat } = view;
  const wasHeard = turn.number > 0;
  return html`
    <p class="failure" role="alert">
      ${wasHeard ? texts.answerFailed : texts.failed}${" "}
      ${turn.problem && html`<span class="quiet" lang="en">${turn.problem}</span>`}${" "}
      <button type="button" onClick=${() => chat.again(turn.clientMessageId)}>${texts.retry}</button>
    </p>
  `;
}
