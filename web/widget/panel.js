/** The window's parts: head, banners, thread, composer, and the sheets that lie over them. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../shared/html.js";
import { dayAndHour, fill } from "../shared/wording.js";
import { Composer, takeFiles } from "./composer.js";
import { Icon } from "./icons.js";
import { Thread } from "./messages.js";
import { RatingSheet, SourceSheet } from "./sheets.js";

// Whoever is this near to the end follows what is being written.
const NEAR_END_PIXELS = 120;

/** @typedef {import("./app.js").View} View */

/** @param {{view: View, field: {current: HTMLTextAreaElement | null}}} properties */
export function Panel({ view, field }) {
  const { texts, sheet } = view;
  const [isOver, setOver] = useState(false);
  const shown = sheet.value;
  const leaveSheet = () => view.show(null);
  const hadSheet = useRef(false);
  useEffect(() => {
    // Only now is the field no longer inert.
    if (hadSheet.current && !shown) field.current?.focus();
    hadSheet.current = Boolean(shown);
  }, [shown]);
  const onKeyDown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (shown) leaveSheet();
    else view.close();
  };
  const onDrop = (event) => {
    setOver(false);
    takeFiles(view, event, event.dataTransfer);
  };
  const onDragOver = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  };
  return html`
    <section class="panel" role="dialog" aria-label=${view.say("title")} onKeyDown=${onKeyDown}
      onDragOver=${onDragOver} onDragLeave=${() => setOver(false)} onDrop=${onDrop}>
      <${Head} view=${view} />
      <div class="under" inert=${Boolean(shown)}>
        <${Banners} view=${view} />
        <${Scroll} view=${view} />
        <${Composer} view=${view} field=${field} />
      </div>
      ${shown?.source && html`<${SourceSheet} view=${view} source=${shown.source} leave=${leaveSheet} />`}
      ${shown?.rating && html`<${RatingSheet} view=${view} leave=${leaveSheet} />`}
      ${shown?.call && html`<${shown.call.CallPanel} view=${view} voice=${shown.call} leave=${leaveSheet} />`}
      ${isOver && html`<div class="drop">${texts.drop}</div>`}
    </section>
  `;
}

function Head({ view }) {
  const { texts, chat } = view;
  const { turns, owner, agent } = chat.conversation.value;
  const canRate = turns.some((turn) => turn.reply);
  const call = async () => {
    const voice = await view.voice();
    if (voice) view.show({ call: voice });
  };
  return html`
    <div class="head">
      <span class="mark" aria-hidden="true">${view.shop.slice(0, 1)}</span>
      <div class="names">
        <h2>${view.shop}</h2>
        <p>${owner === "human" ? agent || texts.person : texts.robot}</p>
      </div>
      ${canRate && html`
        <button type="button" class="tool" aria-label=${texts.end} title=${texts.end}
          onClick=${() => view.show({ rating: true })}><${Icon} name="star" /></button>
      `}
      ${view.hasVoice.value && html`
        <button type="button" class="tool" aria-label=${texts.call} title=${texts.call}
          onClick=${call}><${Icon} name="call" /></button>
      `}
      <button type="button" class="tool" aria-label=${texts.close} title=${texts.close}
        onClick=${view.close}><${Icon} name="down" /></button>
    </div>
  `;
}

/** What stands above the thread as long as it holds: who answers, and whether one is connected. */
function Banners({ view }) {
  const { chat, texts } = view;
  const { owner } = chat.conversation.value;
  const hasNetwork = chat.hasNetwork.value;
  const isCut = !hasNetwork || (chat.hasConnected.value && !chat.online.value);
  const seconds = chat.notice.value;
  return html`
    <div class="banners" role="status">
      ${(owner === "waiting" || owner === "human") && html`
        <p class="banner"><${Icon} name=${owner === "human" ? "person" : "clock"} />
          <span>${waitingText(view)}</span></p>
      `}
      ${isCut && html`
        <p class="banner banner-cut">
          <span>${hasNetwork ? texts.reconnecting : texts.offline}</span>
        </p>
      `}
      ${seconds && html`<p class="banner banner-cut">${fill(texts.tooOften, { seconds })}</p>`}
      ${view.notice.value && html`<p class="banner banner-cut">${view.notice.value}</p>`}
    </div>
  `;
}

/** @param {View} view */
function waitingText({ chat, texts, language }) {
  const { owner, agent, wait } = chat.conversation.value;
  if (owner === "human") return agent ? fill(texts.withNamed, { name: agent }) : texts.withPerson;
  if (wait?.expected_wait_minutes != null) {
    return fill(texts.waitingMinutes, { minutes: wait.expected_wait_minutes });
  }
  if (wait?.opens_at) {
    return fill(texts.waitingClosed, { moment: dayAndHour(wait.opens_at, language) });
  }
  return texts.waiting;
}

function Scroll({ view }) {
  const place = useRef(null);
  const follows = useRef(true);
  const conversation = view.chat.conversation.value;
  const typing = view.chat.typing.value;
  const said = conversation.turns.length;
  useLayoutEffect(() => {
    follows.current = true;
  }, [said]);
  useLayoutEffect(() => {
    if (follows.current) place.current.scrollTop = place.current.scrollHeight;
  }, [conversation, typing]);
  const onScroll = ({ target }) => {
    const left = target.scrollHeight - target.clientHeight - target.scrollTop;
    follows.current = left < NEAR_END_PIXELS;
  };
  return html`
    <div class="scroll" ref=${place} onScroll=${onScroll} tabindex="0" role="log"
      aria-label=${view.texts.log} aria-busy=${view.chat.isRestoring.value}>
      <div class="thread"><${Thread} view=${view} /></div>
    </div>
  `;
}
