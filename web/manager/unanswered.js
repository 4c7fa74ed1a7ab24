/** What customers asked and got no answer to: questions without an article, products that are not sold. */

import { html, useState } from "../shared/html.js";
import { withFrenchSpaces } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { longMoment } from "../staff/moments.js";
import { addressOf, go, route } from "../staff/router.js";
import { counted } from "../staff/texts.js";
import { attempt } from "../staff/toasts.js";
import { CheckBar, useHealth } from "./check.js";
import { downloadTable } from "./download.js";
import { whenLast } from "./figures.js";
import { Pages } from "./pages.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const UNANSWERED = "/api/v1/knowledge/health/unanswered";
const MISSING_PRODUCTS = "/api/v1/knowledge/health/missing-products";
/** Products are shown apart: no article answers for what the shop does not sell. */
const PRODUCTS = "products";
const STATES = ["open", "drafted", "dismissed", PRODUCTS];

/** @param {{staff: Staff}} properties */
export function Unanswered({ staff }) {
  const { texts } = staff;
  const { status = "open" } = route.value.query;
  const List = status === PRODUCTS ? MissingProducts : Gaps;
  return html`
    <div class="page" tabindex="-1">
      <div class="page-inner">
        <${List} key=${status === PRODUCTS} staff=${staff} tabs=${html`
          <${States} texts=${texts.unanswered.states} states=${STATES} chosen=${status} choose=${(one) => go(["unanswered"], { status: one })} label=${texts.state} />
        `} />
      </div>
    </div>
  `;
}

/** Questions that mean the same, in the state that is chosen. */
function Gaps({ staff, tabs }) {
  const { texts, client } = staff;
  const { status = "open", page = 1 } = route.value.query;
  const loaded = useLoaded((signal) => client.get(UNANSWERED, { status, page }, signal), [status, page]);
  const health = useHealth(staff, loaded.reload);
  return html`
    <div class="page-head">
      <h1>${texts.unanswered.title}</h1>
      <${CheckBar} staff=${staff} health=${health} />
      <button type="button" class="button" onClick=${() => downloadTable(staff, "unanswered")}><${Icon} name="download" />${texts.export}</button>
    </div>
    <p class="lead">${texts.unanswered.lead}</p>
    ${tabs}
    <section class="card" aria-label=${texts.views.unanswered}>
      <${Shown} staff=${staff} loaded=${loaded} isEmpty=${({ data }) => !data.length} empty=${html`<${NoGaps} staff=${staff} health=${health} status=${status} />`}>
        ${({ data, pagination }) => html`
          <ul class="rows">${data.map((gap) => html`<${Gap} key=${gap.id} staff=${staff} gap=${gap} reload=${loaded.reload} />`)}</ul>
          <${Pages} staff=${staff} pagination=${pagination} turn=${(one) => go(["unanswered"], { status, page: one })} />
        `}
      </${Shown}>
    </section>
  `;
}

/** What was searched for and is not in the catalogue, grouped by its words. */
function MissingProducts({ staff, tabs }) {
  const { texts, client } = staff;
  const { page = 1 } = route.value.query;
  const loaded = useLoaded((signal) => client.get(MISSING_PRODUCTS, { page }, signal), [page]);
  return html`
    <div class="page-head"><h1>${texts.unanswered.title}</h1></div>
    <p class="lead">${texts.unanswered.productsLead}</p>
    ${tabs}
    <section class="card" aria-label=${texts.unanswered.states.products}>
      <${Shown} staff=${staff} loaded=${loaded} isEmpty=${({ data }) => !data.length} empty=${html`<${Empty} icon="check" title=${texts.unanswered.none.products} />`}>
        ${({ data, pagination }) => html`
          <ul class="rows">${data.map((one) => html`<${MissingProduct} key=${one.words} staff=${staff} product=${one} />`)}</ul>
          <${Pages} staff=${staff} pagination=${pagination} turn=${(one) => go(["unanswered"], { status: PRODUCTS, page: one })} />
        `}
      </${Shown}>
    </section>
  `;
}

function MissingProduct({ staff, product }) {
  const { texts, language } = staff;
  const [isOpen, open] = useState(false);
  return html`
    <li class="row-item">
      <div class="row-main">
        <button type="button" class="row-title" aria-expanded=${String(isOpen)} onClick=${() => open(!isOpen)}>
          <${Icon} name=${isOpen ? "down" : "right"} /><span>${product.words}</span>
        </button>
        <p class="row-facts">
          <b class="number">${counted(texts.unanswered.searches, product.searches, language)}</b>
          <span>${whenLast(texts.unanswered.lastSearched, product.last_at, language)}</span>
        </p>
        ${isOpen && html`<${Asked} asked=${product.asked} language=${language} />`}
      </div>
    </li>
  `;
}

/** Which state of a list is shown. @param {{texts: Record<string, string>, states: string[], chosen: string, choose: (state: string) => void, label: string}} properties */
export function States({ texts, states, chosen, choose, label }) {
  return html`
    <div class="tabs" role="group" aria-label=${label}>
      ${states.map((one) => html`
        <button key=${one} type="button" class="tab" aria-pressed=${String(one === chosen)} onClick=${() => choose(one)}>${texts[one]}</button>
      `)}
    </div>
  `;
}

function NoGaps({ staff, health, status }) {
  const { texts } = staff;
  const isUnchecked = health.loaded.state === "ready" && !health.loaded.data.check;
  if (isUnchecked) return html`<${Empty} icon="reload" title=${texts.check.never} text=${texts.check.neverText} />`;
  return html`<${Empty} icon="check" title=${texts.unanswered.none[status]} />`;
}

function Gap({ staff, gap, reload }) {
  const { texts, language } = staff;
  const [isOpen, open] = useState(false);
  return html`
    <li class="row-item">
      <div class="row-main">
        <button type="button" class="row-title" aria-expanded=${String(isOpen)} onClick=${() => open(!isOpen)}>
          <${Icon} name=${isOpen ? "down" : "right"} /><span>${withFrenchSpaces(gap.question) || texts.unanswered.erased}</span>
        </button>
        <p class="row-facts">
          <b class="number">${counted(texts.unanswered.times, gap.questions, language)}</b>
          <span>${whenLast(texts.unanswered.last, gap.last_at, language)}</span>
          ${gap.status === "published" && html`<span class="badge badge-good">${texts.unanswered.published}</span>`}
          ${gap.status === "drafted" && html`<span class="badge badge-warn">${texts.unanswered.draft}</span>`}
          ${gap.asked_since && html`<span class="badge badge-bad">${texts.unanswered.askedSince}</span>`}
        </p>
        ${isOpen && html`<${Questions} staff=${staff} gap=${gap} />`}
      </div>
      <div class="row-actions"><${Actions} staff=${staff} gap=${gap} reload=${reload} /></div>
    </li>
  `;
}

function Actions({ staff, gap, reload }) {
  const { texts } = staff;
  const mark = (action) => async () => {
    await staff.client.post(`${UNANSWERED}/${gap.id}/${action}`);
    await reload();
  };
  const dismiss = () => attempt(staff, mark("dismiss"), { done: texts.unanswered.dismissed, undo: mark("reopen") });
  const draft = async () => {
    const made = await attempt(staff, () => staff.client.post(`${UNANSWERED}/${gap.id}/draft`));
    if (made) go(["knowledge", made.data.id]);
  };
  if (gap.status === "dismissed") {
    return html`<button type="button" class="button" onClick=${() => attempt(staff, mark("reopen"), { done: texts.unanswered.reopened })}>${texts.reopen}</button>`;
  }
  if (gap.document_id && gap.status !== "open") {
    return html`<a class="button" href=${addressOf(["knowledge", gap.document_id])}><${Icon} name="edit" />${texts.unanswered.openArticle}</a>`;
  }
  return html`
    <button type="button" class="button button-quiet" onClick=${dismiss}>${texts.dismiss}</button>
    <button type="button" class="button" disabled=${!gap.question} onClick=${draft}><${Icon} name="edit" />${texts.unanswered.makeDraft}</button>
  `;
}

function Questions({ staff, gap }) {
  const { client, language } = staff;
  const loaded = useLoaded(async (signal) => (await client.get(`${UNANSWERED}/${gap.id}`, {}, signal)).data.asked);
  return html`
    <${Shown} staff=${staff} loaded=${loaded} lines=${3}>
      ${(asked) => html`<${Asked} asked=${asked} language=${language} />`}
    </${Shown}>
  `;
}

/** What was written, with the way to its conversation. */
function Asked({ asked, language }) {
  return html`
    <ul class="asked">
      ${asked.map((one) => html`
        <li key=${one.message_id}>
          <a href=${`/console#/conversations/all/${one.conversation_id}`}>${one.text}</a>
          <span class="muted small">${longMoment(one.asked_at, language)}</span>
        </li>
      `)}
    </ul>
  `;
}
