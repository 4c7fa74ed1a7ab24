/** What the assistant would answer: taken, corrected, and the correction kept as a test. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { attempt } from "../staff/toasts.js";
import { RichText } from "../widget/rich_text.js";
import { correctionOf } from "./correction.js";
import { Sources } from "./messages.js";

/** @typedef {import("./view.js").View} View */

const SHOWN_CHARACTERS = 120;

/**
 * How a text was made of a proposal, null where it was not; its sources hold for both.
 * @param {any} suggestion
 * @param {string} text
 */
export function useOf(suggestion, text) {
  if (!suggestion) return null;
  const use = suggestion.text.trim() === text.trim() ? "accepted" : "edited";
  const sources = suggestion.sources.map(({ id, title, quote, score }) => ({ id, title, quote, score }));
  return { use, sources };
}

/** @param {{view: View, open: any}} properties */
export function Suggestion({ view, open }) {
  const { texts } = view.staff;
  const proposal = view.proposal.value;
  if (!proposal || proposal.id !== open.id) return null;
  const drop = () => (view.proposal.value = null);
  if (proposal.state === "loading") return html`<p class="suggestion suggestion-line muted" role="status"><${Icon} name="spark" />${texts.suggestion.loading}</p>`;
  if (!proposal.data) {
    return html`
      <p class="suggestion suggestion-line" role="status"><span class="grow">${texts.suggestion.none}</span>
        <button type="button" class="button button-quiet button-small" onClick=${drop}>${view.staff.common.close}</button>
      </p>
    `;
  }
  const { text, sources, confidence } = proposal.data;
  return html`
    <div class="suggestion" role="region" aria-label=${texts.suggestion.title}>
      <div class="spread">
        <strong class="row"><${Icon} name="spark" />${texts.suggestion.title}</strong>
        <span class="small muted">${fill(texts.suggestion.confidence, { share: `${Math.round(confidence * 100)} %` })}</span>
      </div>
      <div class="suggestion-text scrolls" tabindex="0"><${RichText} text=${text} />
        ${sources.length > 0 && html`<details class="behind"><summary><${Icon} name="source" />${texts.suggestion.sources} (${sources.length})</summary><${Sources} sources=${sources} /></details>`}
      </div>
      <div class="row">
        <button type="button" class="button button-primary button-small" onClick=${() => view.useProposal()}>${texts.suggestion.use}</button>
        <button type="button" class="button button-quiet button-small" onClick=${drop}>${texts.suggestion.drop}</button>
      </div>
    </div>
  `;
}

/** After a corrected proposal was sent: one press makes a test of it. @param {{view: View}} properties */
export function Correction({ view }) {
  const { texts } = view.staff;
  const correction = view.correction.value;
  if (!correction) return null;
  const never = correction.never.length ? fill(texts.suggestion.testNever, { never: shortened(correction.never) }) : "";
  return html`
    <div class="suggestion suggestion-test" role="status">
      <p><strong>${texts.suggestion.edited}</strong> ${fill(texts.suggestion.testText, { says: shortened(correction.says), never })}</p>
      <div class="row">
        <button type="button" class="button button-small" onClick=${() => keepTest(view, correction)}>${texts.suggestion.test}</button>
        <button type="button" class="button button-quiet button-small" onClick=${() => (view.correction.value = null)}>${texts.suggestion.drop}</button>
      </div>
    </div>
  `;
}

function shortened(parts) {
  const text = parts.join(" … ");
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

async function keepTest(view, { messageId, says, never }) {
  const { client, texts } = view.staff;
  const body = { message_id: messageId, correction: { says, never } };
  const kept = await attempt(view.staff, () => client.post("/api/v1/evaluations/cases", body), { done: texts.suggestion.tested });
  if (kept) view.correction.value = null;
}

/**
 * What an edited proposal teaches; null where nothing was added to it.
 * @param {any} suggestion
 * @param {string} text that was sent
 */
export function learned(suggestion, text) {
  const { says, never } = correctionOf(suggestion.text, text);
  return says.length ? { messageId: suggestion.message_id, says, never } : null;
}
