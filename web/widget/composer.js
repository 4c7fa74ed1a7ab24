/** Where the visitor writes, and adds photos and videos. */

import { html, useEffect, useRef, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "./icons.js";
import { preview } from "./messages.js";
import { ACCEPTED } from "./uploads.js";

const TALLEST_PIXELS = 140;
const LONGEST_MESSAGE = 20_000;

/** @typedef {import("./app.js").View} View */

/** @param {{view: View, field: {current: HTMLTextAreaElement | null}}} properties */
export function Composer({ view, field }) {
  const { texts, chat } = view;
  const [text, setText] = useState("");
  const voice = useVoice(view, field, setText);
  const ready = chat.uploads.list.value.some((one) => one.state === "ready");
  const canSend = (text.trim() || ready) && !chat.uploads.isBusy.value;
  const send = () => {
    if (!canSend) return;
    const count = chat.uploads.list.value.filter((one) => one.state === "ready").length;
    chat.say(text.trim() || (count > 1 ? texts.photosOnly : texts.photoOnly));
    setText("");
    field.current.focus();
  };
  useEffect(() => fitHeight(field.current), [text, voice.recorder]);
  const line = html`
    <div class="writing-line">
      <${PickButtons} view=${view} />
      <textarea ref=${field} rows="1" value=${text} maxlength=${LONGEST_MESSAGE}
        aria-label=${texts.message} placeholder=${texts.placeholder} enterkeyhint="send"
        onInput=${(event) => (setText(event.target.value), chat.writes())}
        onPaste=${(event) => takeFiles(view, event, event.clipboardData)}
        onKeyDown=${(event) => sendsOnEnter(event, send)}></textarea>
      ${view.hasVoice.value && !text && html`
        <button type="button" class="tool" aria-label=${texts.speak} title=${texts.speak}
          onClick=${voice.speak}><${Icon} name="microphone" /></button>
      `}
      <button type="submit" class="send" aria-label=${texts.send} aria-disabled=${!canSend}>
        <${Icon} name="send" />
      </button>
    </div>
  `;
  return html`
    <form class="composer" onSubmit=${(event) => (event.preventDefault(), send())}>
      <${Files} view=${view} />
      ${voice.problem && html`<p class="failure" role="alert">${voice.problem}</p>`}
      ${voice.recorder ?? line}
    </form>
  `;
}

/**
 * Speaking in place of writing; what was said is read, and put right, before it is sent.
 * @param {View} view
 * @param {{current: HTMLTextAreaElement | null}} field
 * @param {(text: string) => void} setText
 */
function useVoice(view, field, setText) {
  const [voice, setVoice] = useState(/** @type {import("./voice/entry.js").Voice | null} */ (null));
  const [problem, setProblem] = useState(/** @type {string | null} */ (null));
  const wasSpeaking = useRef(false);
  useEffect(() => {
    if (wasSpeaking.current && !voice) field.current?.focus();
    wasSpeaking.current = Boolean(voice);
  }, [voice]);
  const speak = async () => {
    setProblem(null);
    setVoice(await view.voice());
  };
  const leave = (said, why) => {
    setVoice(null);
    setProblem(why);
    setText(said);
  };
  const recorder = voice && html`<${voice.VoiceMessage} view=${view} voice=${voice} leave=${leave} />`;
  return { speak, problem, recorder };
}

/** Enter sends; with Shift, or while an input method composes, it is a line. */
function sendsOnEnter(event, send) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
}

function fitHeight(field) {
  if (!field) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, TALLEST_PIXELS)}px`;
}

/**
 * Files that are pasted or dropped.
 * @param {View} view
 * @param {Event} event
 * @param {DataTransfer | null} brought
 */
export function takeFiles(view, event, brought) {
  if (!brought?.files.length) return;
  event.preventDefault();
  add(view, brought.files);
}

function add(view, files) {
  const hadRoom = view.chat.uploads.add(files);
  view.notice.value = hadRoom ? null : view.texts.tooMany;
}

function PickButtons({ view }) {
  const { texts } = view;
  const picker = useRef(null);
  const camera = useRef(null);
  const picked = (event) => {
    add(view, event.target.files);
    event.target.value = "";
  };
  const hasCamera = matchMedia("(pointer: coarse)").matches;
  return html`
    <input ref=${picker} type="file" hidden multiple accept=${ACCEPTED} onChange=${picked} />
    <button type="button" class="tool" aria-label=${texts.attach} title=${texts.attach}
      onClick=${() => picker.current.click()}><${Icon} name="attach" /></button>
    ${hasCamera && html`
      <input ref=${camera} type="file" hidden accept="image/*" capture="environment"
        onChange=${picked} />
      <button type="button" class="tool" aria-label=${texts.camera} title=${texts.camera}
        onClick=${() => camera.current.click()}><${Icon} name="camera" /></button>
    `}
  `;
}

function Files({ view }) {
  const { texts, chat } = view;
  const { value } = chat.uploads.list;
  if (!value.length) return null;
  const failed = value.filter((one) => one.state === "failed");
  return html`
    <ul class="files">${value.map((one) => html`<${File} key=${one.key} view=${view} file=${one} />`)}</ul>
    ${failed.map((one) => html`<p class="failure" role="alert">${problemOf(texts, one)}</p>`)}
  `;
}

function problemOf(texts, { problem, name, detail }) {
  if (problem === "badFile") return texts.badFile;
  return fill(texts[problem], { name, why: detail });
}

function File({ view, file }) {
  const { texts, chat } = view;
  const label = fill(texts.uploading, { name: file.name });
  return html`
    <li class=${`upload upload-${file.state}`}>
      ${preview(file, false)}
      ${file.state === "sending" && html`
        <progress max="1" value=${file.progress} aria-label=${label}></progress>
      `}
      <button type="button" class="remove" onClick=${() => chat.uploads.remove(file.key)}
        aria-label=${fill(texts.remove, { name: file.name })}><${Icon} name="close" /></button>
    </li>
  `;
}
