/** The thread: everything that was said, noted and done in a conversation, in order. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { duration, longMoment } from "../staff/moments.js";
import { CallEntry } from "./calls.js";
import { Message, Note, Outgoing } from "./messages.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./conversation.js").OpenConversation} OpenConversation */

// So near its end a thread goes on following.
const NEAR = 80;
const LATEST = 150;

/** @param {{view: View, open: OpenConversation}} properties */
export function Thread({ view, open }) {
  const { texts } = view.staff;
  const place = useRef(null);
  const follows = useRef(true);
  const [hasNews, setNews] = useState(false);
  const [shown, show] = useState(LATEST);
  const entries = entriesOf(open);
  const size = entries.length + open.outgoing.value.length + open.typing.value.size + Number(open.isAnswering.value);
  useLayoutEffect(() => {
    if (follows.current) toEnd(place.current);
    else setNews(true);
  }, [size]);
  // Pictures that arrive late push the end away.
  useEffect(() => {
    const observer = new ResizeObserver(() => follows.current && toEnd(place.current));
    observer.observe(place.current.firstElementChild);
    return () => observer.disconnect();
  }, []);
  const onScroll = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR;
    if (follows.current) setNews(false);
  };
  const visible = entries.slice(-shown);
  return html`
    <div class="thread-place">
      <div class="thread scrolls" ref=${place} onScroll=${onScroll} tabindex="0" role="log" aria-label=${texts.thread}>
        <div class="thread-inner">
          ${visible.length < entries.length && html`<button type="button" class="button button-small thread-more" onClick=${() => show(shown + LATEST)}>…</button>`}
          ${visible.map((entry) => html`<${Entry} key=${entry.key} view=${view} open=${open} entry=${entry} />`)}
          ${open.outgoing.value.map((one) => html`<${Outgoing} key=${one.key} view=${view} outgoing=${one} />`)}
          <${Writing} view=${view} open=${open} />
        </div>
      </div>
      ${hasNews && html`
        <button type="button" class="button thread-news" onClick=${() => toEnd(place.current)}><${Icon} name="down" />${texts.newMessages}</button>
      `}
    </div>
  `;
}

function toEnd(place) {
  // Gone with its conversation where a picture arrives late.
  if (place) place.scrollTop = place.scrollHeight;
}

/** Messages, notes, calls and events by their moment; at the same one as they are named here. */
function entriesOf(open) {
  const entries = [
    ...open.calls.value.map((call) => ({ key: `call-${call.id}`, at: call.started_at, call })),
    ...open.messages.value.map((message) => ({ key: message.id, at: message.created_at, message })),
    ...open.events.value.map((event, index) => ({ key: `event-${index}`, at: event.created_at, event })),
    ...open.notes.value.map((note) => ({ key: note.id, at: note.created_at, note })),
  ];
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function Entry({ view, open, entry }) {
  if (entry.event) return html`<${Event} view=${view} event=${entry.event} />`;
  if (entry.call) return html`<${CallEntry} view=${view} open=${open} call=${entry.call} />`;
  if (entry.note) return html`<${Note} view=${view} open=${open} note=${entry.note} />`;
  return html`<${Message} view=${view} open=${open} message=${entry.message} />`;
}

function Event({ view, event }) {
  const { texts, language, caller } = view.staff;
  if (event.kind === "wrote") return null;
  const id = event.actor.replace(/^user:/, "");
  const mine = id === caller.id ? texts.eventsMine[event.kind] : undefined;
  const name = view.desk.nameOf(id) ?? texts.roles.agent;
  const what = mine ?? fill(texts.events[event.kind] ?? "", { name });
  if (!what) return null;
  const wait = event.waited_seconds ? fill(texts.eventWait, { time: duration(event.waited_seconds, language) }) : "";
  return html`<p class="thread-event" title=${longMoment(event.created_at, language)}>${what}${wait && ` ${wait}`}</p>`;
}

function Writing({ view, open }) {
  const { texts } = view.staff;
  const names = [...open.typing.value.values()];
  const text = open.isAnswering.value ? texts.answering
    : names.length > 1 ? texts.typingMany
    : names.length ? fill(texts.typing, { name: names[0] || texts.roles.agent }) : "";
  return html`<p class="writing" role="status">${text && html`<i></i><i></i><i></i><span>${text}</span>`}</p>`;
}
