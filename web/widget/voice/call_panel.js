/** The call as it lies over the conversation: question, captions, level, mute, keypad, hang up. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../../shared/html.js";
import { fill } from "../../shared/wording.js";
import { Icon } from "../icons.js";
import { Level } from "./level.js";
import { LiveCall } from "./live_call.js";
import { Seconds } from "./message.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

/** @typedef {{view: import("../app.js").View, texts: any, call: LiveCall}} Part */

/**
 * @param {object} properties
 * @param {import("../app.js").View} properties.view
 * @param {import("./entry.js").Voice} properties.voice
 * @param {() => void} properties.leave
 */
export function CallPanel({ view, voice, leave }) {
  const { call: texts } = voice.texts;
  const [call] = useState(() => new LiveCall(view.chat, view.language));
  const back = useRef(null);
  const state = call.state.value;
  const isLive = state === "connecting" || state === "talking";
  useEffect(() => {
    back.current.focus();
    return () => call.hangUp();
  }, []);
  useEffect(() => {
    if (call.reason.value === "unavailable") view.hasVoice.value = false;
  }, [state]);
  const onKeyDown = (event) => {
    // A call is ended by its button: Escape is pressed too easily.
    if (event.key === "Escape" && isLive) event.stopPropagation();
  };
  return html`
    <div class="sheet call" role="group" aria-label=${texts.title} onKeyDown=${onKeyDown}>
      <div class="sheet-head">
        <button ref=${back} type="button" class="tool" aria-label=${isLive ? texts.hangUp : texts.back}
          title=${isLive ? texts.hangUp : texts.back} onClick=${leave}><${Icon} name="back" /></button>
        <h3>${texts.title}</h3>
        ${state === "talking" && html`<${Seconds} seconds=${call.seconds} />`}
      </div>
      ${state === "asking"
        ? html`<${Question} view=${view} texts=${texts} call=${call} />`
        : html`<${Captions} view=${view} texts=${texts} call=${call} />`}
      <${State} texts=${texts} voice=${voice} call=${call} />
      ${isLive && html`<${Controls} voice=${voice} texts=${texts} call=${call} />`}
      ${state === "ended" && html`<${Ended} texts=${texts} call=${call} leave=${leave} />`}
    </div>
  `;
}

/** Whom one talks to, and whether it may be recorded: both before anything is heard. */
function Question({ view, texts, call }) {
  const [consent, setConsent] = useState(/** @type {any} */ (null));
  const [agrees, setAgrees] = useState(false);
  useEffect(() => {
    call.readConsent().then((found) => {
      setConsent(found);
      setAgrees(Boolean(found?.isGiven));
    });
  }, []);
  const begin = (event) => {
    event.preventDefault();
    call.begin(agrees);
  };
  return html`
    <form class="call-question" onSubmit=${begin}>
      <p>${fill(texts.announcement, { shop: view.shop })}</p>
      ${consent && html`
        <label class="call-consent">
          <input type="checkbox" checked=${agrees}
            onChange=${(event) => setAgrees(event.target.checked)} />
          <span>${consent.text} <span class="quiet">${texts.optional}</span></span>
        </label>
      `}
      <button type="submit" class="wide"><${Icon} name="call" />${texts.begin}</button>
    </form>
  `;
}

/** Not read aloud by screen readers: what it says is being spoken, and the microphone is open. */
function Captions({ view, texts, call }) {
  const place = useRef(null);
  const captions = call.captions.value;
  const toEnd = () => {
    if (place.current) place.current.scrollTop = place.current.scrollHeight;
  };
  useLayoutEffect(toEnd, [captions]);
  // The keypad takes room.
  useEffect(() => {
    const observer = new ResizeObserver(toEnd);
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return html`
    <div class="captions" ref=${place} role="log" aria-live="off" tabindex="0" aria-label=${texts.captions}>
      ${captions.length === 0 && call.state.value === "talking" && html`<p class="quiet">${texts.listening}</p>`}
      ${captions.map(({ key, who, text, isFinal }, index) => html`
        <p key=${key} class=${`caption caption-${who}${isFinal ? "" : " caption-partial"}`}>
          ${captions[index - 1]?.who !== who && html`<span class="author">${who === "you" ? texts.you : texts.assistant}</span>`}${text}
        </p>
      `)}
    </div>
  `;
}

function State({ texts, voice, call }) {
  const state = call.state.value;
  const reason = call.reason.value;
  const talking = call.isRecorded.value ? texts.recorded : texts.talking;
  const told = {
    asking: "",
    connecting: texts.connecting,
    talking: call.isMuted.value ? texts.muted : talking,
    ended: texts.ended[reason] ?? voice.texts[reason] ?? texts.ended.lost,
  };
  return html`
    <p class="call-state" role="status">
      ${state === "talking" && call.isRecorded.value && html`<i class="recorded"></i>`}${told[state]}
      ${call.ticket.value && ` ${fill(texts.ticket, { number: call.ticket.value })}`}
    </p>
  `;
}

function Controls({ voice, texts, call }) {
  const [hasKeypad, setKeypad] = useState(false);
  const isTalking = call.state.value === "talking";
  const isMuted = call.isMuted.value;
  return html`
    ${hasKeypad && isTalking && html`<${Keypad} texts=${texts} call=${call} />`}
    <div class="call-controls">
      ${isTalking && html`
        <${Level} read=${call.loudness} label=${voice.texts.level} />
        <button type="button" class="round" aria-pressed=${isMuted} aria-label=${texts.mute}
          title=${texts.mute} onClick=${() => call.mute()}><${Icon} name=${isMuted ? "muted" : "microphone"} /></button>
        <button type="button" class="round" aria-expanded=${hasKeypad} aria-label=${texts.keypad}
          title=${texts.keypad} onClick=${() => setKeypad(!hasKeypad)}><${Icon} name="keypad" /></button>
      `}
      <button type="button" class="round hang-up" aria-label=${texts.hangUp} title=${texts.hangUp}
        onClick=${() => call.hangUp()}><${Icon} name="call" /></button>
    </div>
  `;
}

function Keypad({ texts, call }) {
  return html`
    <div class="keypad" role="group" aria-label=${texts.keypad}>
      ${KEYS.map((key) => html`
        <button key=${key} type="button" aria-label=${fill(texts.key, { key })}
          onClick=${() => call.press(key)}>${key}</button>
      `)}
    </div>
  `;
}

function Ended({ texts, call, leave }) {
  const back = useRef(null);
  useEffect(() => back.current.focus(), []);
  return html`
    <div class="call-ended">
      ${call.captions.value.length > 0 && html`<p class="quiet">${texts.kept}</p>`}
      <button ref=${back} type="button" class="wide" onClick=${leave}>${texts.back}</button>
      ${call.reason.value !== "unavailable" && html`
        <button type="button" class="plain" onClick=${() => (call.state.value = "asking")}>${texts.again}</button>
      `}
    </div>
  `;
}
