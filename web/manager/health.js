/** Where the knowledge ails: past days, contradictions, old documents, and those that help nobody. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { addressOf, go, route } from "../staff/router.js";
import { attempt } from "../staff/toasts.js";
import { CheckBar, useHealth } from "./check.js";
import { downloadTable } from "./download.js";
import { calendarDay, count } from "./figures.js";
import { Pages } from "./pages.js";
import { States } from "./unanswered.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const FINDINGS = "/api/v1/knowledge/health/findings";
/** What misleads customers comes first. */
const KINDS = ["contradiction", "past_date", "old", "never_cited"];
const ICONS = { contradiction: "merge", past_date: "clock", old: "pause", never_cited: "source" };

/** @param {{staff: Staff}} properties */
export function Health({ staff }) {
  const { texts, client } = staff;
  const { status = "open", kind, page = 1 } = route.value.query;
  const loaded = useLoaded((signal) => client.get(FINDINGS, { status, kind, page }, signal), [status, kind, page]);
  const health = useHealth(staff, loaded.reload);
  const reload = () => Promise.all([loaded.reload(), health.loaded.reload()]);
  return html`
    <div class="page" tabindex="-1">
      <div class="page-inner">
        <div class="page-head">
          <h1>${texts.health.title}</h1>
          <${CheckBar} staff=${staff} health=${health} />
          <button type="button" class="button" onClick=${() => downloadTable(staff, "findings")}><${Icon} name="download" />${texts.export}</button>
        </div>
        <${Kinds} staff=${staff} health=${health} kind=${kind} status=${status} />
        <${States} texts=${texts.health.states} states=${["open", "dismissed"]} chosen=${status} choose=${(one) => go(["health"], { status: one, kind })} label=${texts.state} />
        <section class="card" aria-label=${texts.views.health}>
          <${Shown} staff=${staff} loaded=${loaded} isEmpty=${({ data }) => !data.length} empty=${html`<${NoFindings} staff=${staff} health=${health} />`}>
            ${({ data, pagination }) => html`
              <ul class="rows">${data.map((one) => html`<${Finding} key=${one.id} staff=${staff} finding=${one} reload=${reload} />`)}</ul>
              <${Pages} staff=${staff} pagination=${pagination} turn=${(one) => go(["health"], { status, kind, page: one })} />
            `}
          </${Shown}>
        </section>
      </div>
    </div>
  `;
}

function NoFindings({ staff, health }) {
  const { texts } = staff;
  const isUnchecked = health.loaded.state === "ready" && !health.loaded.data.check;
  if (isUnchecked) return html`<${Empty} icon="reload" title=${texts.check.never} text=${texts.check.neverText} />`;
  return html`<${Empty} icon="check" title=${texts.health.none} />`;
}

function Kinds({ staff, health, kind, status }) {
  const { texts, language } = staff;
  const findings = health.loaded.data?.findings ?? {};
  return html`
    <div class="kinds" role="group" aria-label=${texts.health.kindsLabel}>
      ${KINDS.map((one) => html`
        <button key=${one} type="button" class="kind" aria-pressed=${String(one === kind)} onClick=${() => go(["health"], { status, kind: one === kind ? null : one })}>
          <span class="kind-name"><${Icon} name=${ICONS[one]} />${texts.health.kinds[one].name}</span>
          <span class="kind-count number">${count(findings[one], language)}</span>
          <span class="kind-text">${texts.health.kinds[one].text}</span>
        </button>
      `)}
    </div>
  `;
}

function Finding({ staff, finding, reload }) {
  const { texts, language } = staff;
  const mark = (action) => async () => {
    await staff.client.post(`${FINDINGS}/${finding.id}/${action}`);
    await reload();
  };
  const dismiss = () => attempt(staff, mark("dismiss"), { done: texts.health.dismissed, undo: mark("reopen") });
  return html`
    <li class="row-item">
      <div class="row-main">
        <p class="row-facts"><span class="badge">${texts.health.kinds[finding.kind].short}</span>${about(finding, texts, language)}</p>
        <${Statement} id=${finding.document_id} title=${finding.title} quote=${finding.quote} />
        ${finding.other_document_id && html`<${Statement} id=${finding.other_document_id} title=${finding.other_title} quote=${finding.other_quote} />`}
      </div>
      <div class="row-actions">
        ${finding.status === "open"
          ? html`<button type="button" class="button button-quiet" onClick=${dismiss}>${texts.dismiss}</button>`
          : html`<button type="button" class="button" onClick=${() => attempt(staff, mark("reopen"), { done: texts.health.reopened })}>${texts.reopen}</button>`}
        <a class="button" href=${addressOf(["knowledge", finding.document_id])}><${Icon} name="edit" />${texts.edit}</a>
      </div>
    </li>
  `;
}

function about(finding, texts, language) {
  if (!finding.day) return null;
  const day = calendarDay(finding.day, language, { day: "numeric", month: "long", year: "numeric" });
  return html`<span>${fill(texts.health.kinds[finding.kind].day, { day })}</span>`;
}

function Statement({ id, title, quote }) {
  return html`
    <div class="statement">
      <a href=${addressOf(["knowledge", id])}>${title}</a>
      ${quote && html`<blockquote>${quote}</blockquote>`}
    </div>
  `;
}
