/** One message as agents see it: what was said, and all that stands behind it. */

import { html } from "../shared/html.js";
import { fileSize, fill, price } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { longMoment, shortMoment } from "../staff/moments.js";
import { counted } from "../staff/texts.js";
import { RichText } from "../widget/rich_text.js";

/** @typedef {import("./view.js").View} View */

/** @param {{view: View, open: import("./conversation.js").OpenConversation, message: any}} properties */
export function Message({ view, open, message }) {
  const { texts } = view.staff;
  if (message.role === "system") {
    return html`<p class="thread-told"><span class="small muted">${texts.system}</span>${message.content}</p>`;
  }
  // A person has the conversation: the assistant has stored the message and said nothing.
  if (!message.content && !message.files.length) return null;
  return html`
    <article class=${`message message-${message.role}`}>
      <${Head} view=${view} open=${open} message=${message} />
      ${message.files.length > 0 && html`<${Files} view=${view} files=${message.files} />`}
      <div class="message-text"><${RichText} text=${message.content} /></div>
      <${Behind} view=${view} message=${message} />
    </article>
  `;
}

function Head({ view, open, message }) {
  const { texts, language, caller } = view.staff;
  const isMe = message.author?.id === caller.id;
  const names = {
    user: open.customerName,
    assistant: texts.roles.assistant,
    agent: isMe ? texts.you : message.author?.name ?? texts.roles.agent,
  };
  return html`
    <header class="message-head">
      ${message.role === "assistant" && html`<${Icon} name="robot" />`}
      <strong>${names[message.role]}</strong>
      <time class="muted number" datetime=${message.created_at} title=${longMoment(message.created_at, language)}>${shortMoment(message.created_at, language)}</time>
    </header>
  `;
}

/** Sources, products, tools, and how the answer came about. */
function Behind({ view, message }) {
  const { texts, language } = view.staff;
  const { sources, products, tool_results: tools, trace } = message;
  if (!sources.length && !products.length && !tools.length && !trace.length) return null;
  return html`
    <div class="behind">
      ${sources.length > 0 && html`
        <details><summary><${Icon} name="source" />${counted(texts.sources, sources.length, language)}</summary><${Sources} sources=${sources} /></details>
      `}
      ${products.length > 0 && html`
        <details><summary><${Icon} name="box" />${counted(texts.products, products.length, language)}</summary><${Products} products=${products} language=${language} /></details>
      `}
      ${tools.map((done, index) => html`
        <details key=${index}>
          <summary><${Icon} name="tool" />${texts.tools[done.tool] ?? fill(texts.tool, { name: done.tool })}</summary>
          <${Values} values=${done.result} />
          ${done.result?.ticket_id && html`<button type="button" class="button button-small" onClick=${() => view.showTicket(done.result.ticket_id)}><${Icon} name="ticket" />${done.result.ticket_id}</button>`}
        </details>
      `)}
      ${trace.length > 0 && html`
        <details><summary><${Icon} name="more" />${texts.trace}</summary><${Trace} view=${view} message=${message} /></details>
      `}
    </div>
  `;
}

/** What was quoted, under its title. @param {{sources: any[]}} properties */
export const Sources = ({ sources }) => html`
  <ul class="sources">
    ${sources.map((source, index) => html`
      <li key=${index}><strong>${source.title}</strong><blockquote>${source.quote}</blockquote></li>
    `)}
  </ul>
`;

const Products = ({ products, language }) => html`
  <ul class="sources">
    ${products.map((product) => html`
      <li key=${product.sku} class="spread">
        <span class="clip">${product.name} <span class="muted">${product.sku}</span></span>
        ${typeof product.price === "number" && html`<span class="number">${price(product.price, language)}</span>`}
      </li>
    `)}
  </ul>
`;

/** Names and values of something plain. @param {{values: any}} properties */
export function Values({ values }) {
  const entries = Object.entries(values ?? {}).filter(([, value]) => value !== null && value !== "");
  return html`
    <dl class="values">
      ${entries.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${plain(value)}</dd></div>`)}
    </dl>
  `;
}

const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function Trace({ view, message }) {
  const { texts } = view.staff;
  const share = message.confidence === null ? "" : `${Math.round(message.confidence * 100)} %`;
  return html`
    ${message.intent && html`<p class="small">${fill(texts.intent, { intent: message.intent, share })}</p>`}
    <ol class="trace">
      ${message.trace.map(({ step, ...details }, index) => html`
        <li key=${index}><code>${step}</code> <span class="muted">${Object.entries(details).map(([name, value]) => `${name}: ${plain(value)}`).join(" · ").slice(0, 300)}</span></li>
      `)}
    </ol>
  `;
}

/** Photos, videos, sound and other files. @param {{view: View, files: any[]}} properties */
export const Files = ({ view, files }) => html`
  <ul class="files">${files.map((file) => html`<li key=${file.file_id}><${File} view=${view} file=${file} /></li>`)}</ul>
`;

function File({ view, file }) {
  const { texts, language } = view.staff;
  const name = file.description || texts.file_.photo;
  if (file.file_type.startsWith("audio/")) {
    return html`<audio controls preload="none" src=${file.file_url} aria-label=${file.description || texts.recording}></audio>`;
  }
  if (file.file_type.startsWith("video/")) {
    return html`<video controls preload="none" poster=${file.thumbnail_url ?? undefined} src=${file.file_url} aria-label=${name}></video>`;
  }
  const link = { href: file.file_url, target: "_blank", rel: "noopener", "aria-label": fill(texts.openFile, { name }) };
  if (file.file_type.startsWith("image/")) {
    return html`
      <a ...${link}><img src=${file.thumbnail_url ?? file.file_url} alt=${name} loading="lazy" /></a>
      ${file.photo_problems.map((problem) => html`<span key=${problem} class="badge badge-warn">${texts.photoProblems[problem] ?? problem}</span>`)}
    `;
  }
  return html`<a class="button" ...${link}><${Icon} name="file" />${file.description || texts.file} · ${fileSize(file.size_bytes, language)}</a>`;
}

/** @param {{view: View, open: any, note: any}} properties */
export function Note({ view, open, note }) {
  const { texts, language, caller } = view.staff;
  const isMine = note.author?.id === caller.id;
  return html`
    <article class="message note">
      <header class="message-head">
        <${Icon} name="note" />
        <strong>${isMine ? texts.note : fill(texts.noteOf, { name: note.author?.name ?? "?" })}</strong>
        <time class="muted number" datetime=${note.created_at}>${shortMoment(note.created_at, language)}</time>
        ${isMine && html`<button type="button" class="note-remove" aria-label=${texts.removeNote} title=${texts.removeNote} onClick=${() => open.removeNote(note)}><${Icon} name="trash" /></button>`}
      </header>
      <div class="message-text"><${RichText} text=${note.body} /></div>
    </article>
  `;
}

/** @param {{view: View, outgoing: import("./conversation.js").Outgoing}} properties */
export function Outgoing({ view, outgoing }) {
  const { compose } = view.staff.texts;
  const isFailed = outgoing.state === "failed";
  return html`
    <article class="message message-agent message-outgoing">
      <div class="message-text"><${RichText} text=${outgoing.text} /></div>
      <p class="small" role=${isFailed ? "alert" : "status"}>
        ${isFailed ? html`<span class="field-problem">${compose.failed}</span> <button type="button" class="link" onClick=${outgoing.send}>${compose.again}</button>` : html`<span class="muted">${compose.sending}</span>`}
      </p>
    </article>
  `;
}
