/** Writing to the customer, or for the team: by hand, from a proposal, from a macro. */

import { html, useEffect, useRef, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { MacroMenu } from "./macros.js";
import { Correction, Suggestion, useOf } from "./suggestion.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./conversation.js").OpenConversation} OpenConversation */

const LONGEST = { reply: 10_000, note: 5_000 };
const LINES_PX = 190;

/** @param {{view: View, open: OpenConversation}} properties */
export function Composer({ view, open }) {
  const { staff, draft } = view;
  const { compose } = staff.texts;
  const { mode } = draft.value;
  const field = useRef(null);
  useEffect(() => {
    view.focusField = () => field.current?.focus();
  }, []);
  const choose = (next) => {
    draft.change({ mode: next });
    requestAnimationFrame(() => field.current?.focus());
  };
  const mayWrite = mode === "note" || open.mayReply;
  return html`
    <section class=${mode === "note" ? "composer composer-note" : "composer"} aria-label=${compose[mode]}>
      <${Suggestion} view=${view} open=${open} />
      <${Correction} view=${view} />
      <div class="composer-head">
        <div class="tabs" role="group" aria-label=${compose.reply}>
          ${["reply", "note"].map((one) => html`
            <button key=${one} type="button" class="tab" aria-pressed=${String(mode === one)} onClick=${() => choose(one)}>${compose[one]}</button>
          `)}
        </div>
        <div class="row">
          ${mode === "reply" && open.mayReply && html`
            <button type="button" class="button button-small" onClick=${() => view.suggest()}><${Icon} name="spark" />${compose.suggest}</button>
            <${MacroMenu} view=${view} open=${open} />
          `}
        </div>
      </div>
      ${mayWrite ? html`<${Field} view=${view} open=${open} field=${field} />` : html`<${TakeFirst} view=${view} open=${open} />`}
    </section>
  `;
}

function Field({ view, open, field }) {
  const { staff, draft } = view;
  const { compose, keys } = staff.texts;
  const { mode } = draft.value;
  const text = draft.text;
  const [isBusy, setBusy] = useState(false);
  useEffect(() => grow(field.current), [text, mode]);
  const isTooLong = text.length > LONGEST[mode];
  const send = async () => {
    if (!text.trim() || isBusy || isTooLong) return;
    if (mode === "reply") {
      view.sent(text, useOf(draft.value.suggestion, text));
      open.reply(text.trim(), useOf(draft.value.suggestion, text));
      draft.clear();
      return;
    }
    setBusy(true);
    if (await open.addNote(text.trim())) draft.clear();
    setBusy(false);
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
  };
  const onInput = (event) => {
    draft.write(event.currentTarget.value);
    if (mode === "reply" && open.isMine) view.desk.live.typing(open.id);
  };
  return html`
    <label class="composer-field">
      <span class="hidden">${compose[mode]}</span>
      <textarea class="input" id="composer" rows="2" ref=${field} value=${text} placeholder=${placeholder(staff, open, mode)} onInput=${onInput} onKeyDown=${onKeyDown}></textarea>
    </label>
    <div class="composer-foot">
      <span class="small field-problem" role="status">${isTooLong ? fill(compose.tooLong, { count: text.length - LONGEST[mode] }) : ""}</span>
      <span class="row">
        <span class="composer-keys" aria-hidden="true"><span class="key">Ctrl</span><span class="key">↵</span></span>
        <button type="button" class="button button-primary" title=${keys.send} disabled=${!text.trim() || isBusy || isTooLong} onClick=${send}>
          <${Icon} name=${mode === "note" ? "note" : "send"} />${mode === "note" ? compose.keepNote : compose.send}
        </button>
      </span>
    </div>
  `;
}

function placeholder({ texts }, open, mode) {
  if (mode === "note") return texts.compose.writeNote;
  if (open.conversation.value.owner === "closed") return texts.compose.replyByEmail;
  return fill(texts.compose.replyTo, { name: open.customerName });
}

/** As high as its text, up to a point. */
function grow(field) {
  if (!field) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, LINES_PX)}px`;
}

function TakeFirst({ view, open }) {
  const { texts } = view.staff;
  const { owner, assignee } = open.conversation.value;
  const isTheirs = owner === "human";
  const text = isTheirs ? fill(texts.compose.theirs, { name: assignee?.name ?? "?" })
    : owner === "waiting" ? texts.compose.takeWaiting : texts.compose.takeFirst;
  return html`
    <div class="composer-take">
      <p class="muted">${text}</p>
      <button type="button" class=${isTheirs ? "button" : "button button-primary"} disabled=${open.isActing.value} onClick=${() => (isTheirs ? open.assign("me") : open.take())}>
        <${Icon} name="hand" />${isTheirs ? texts.compose.takeOver : texts.takeLong}
      </button>
    </div>
  `;
}
