/** Where a voice message is recorded: in the place of the line to write in. */

import { html, useEffect, useRef, useState } from "../../shared/html.js";
import { Icon } from "../icons.js";
import { Level } from "./level.js";
import { MicrophoneError } from "./microphone.js";
import { Recording } from "./recording.js";

/**
 * @param {object} properties
 * @param {import("../app.js").View} properties.view
 * @param {import("./entry.js").Voice} properties.voice
 * @param {(text: string, problem: string | null) => void} properties.leave with what was said
 */
export function VoiceMessage({ view, voice, leave }) {
  const { texts } = voice;
  const [recording] = useState(() => new Recording(view.chat));
  const done = useRef(null);
  const state = recording.state.value;
  const fail = (error) => {
    if (recording.isOver) return;
    recording.cancel();
    const problem = problemOf(error);
    if (problem === "unavailable") view.hasVoice.value = false;
    leave("", texts[problem]);
  };
  const finish = () => recording.finish().then((text) => leave(text, null), fail);
  useEffect(() => {
    recording.onFull = finish;
    recording.start().catch(fail);
    return () => recording.cancel();
  }, []);
  useEffect(() => done.current?.focus(), [state]);
  const cancel = () => {
    recording.cancel();
    leave("", null);
  };
  const onKeyDown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    cancel();
  };
  const told = { starting: texts.starting, recording: texts.recording, writing: texts.writing };
  return html`
    <div class="writing-line recording" onKeyDown=${onKeyDown}>
      <button type="button" class="tool" aria-label=${texts.cancel} title=${texts.cancel}
        onClick=${cancel}><${Icon} name="close" /></button>
      <span class="recording-state">
        ${state === "recording" && html`<${Level} read=${recording.loudness} label=${texts.level} />`}
        <span role="status" class=${state === "recording" ? "hidden" : "quiet"}>${told[state]}</span>
        ${state === "recording" && html`<${Seconds} seconds=${recording.seconds} />`}
      </span>
      ${state === "recording" && html`
        <button ref=${done} type="button" class="send" aria-label=${texts.finish}
          title=${texts.finish} onClick=${finish}><${Icon} name="check" /></button>
      `}
    </div>
  `;
}

/** Minutes and seconds. @param {{seconds: {value: number}}} properties */
export function Seconds({ seconds: { value } }) {
  const two = (number) => String(number).padStart(2, "0");
  return html`<span class="seconds" role="timer">${Math.floor(value / 60)}:${two(value % 60)}</span>`;
}

/** @param {any} error @returns {keyof typeof import("./texts_fr.js").TEXTS} */
function problemOf(error) {
  if (error instanceof MicrophoneError) return error.problem;
  if (error.code === "voice_unavailable") return "unavailable";
  if (error.status === 429 || error.status === 503) return "busy";
  if (error.status === 400) return "silent";
  return error.status === 0 ? "unreachable" : "failed";
}
