/** Asking the knowledge as the assistant does, and seeing why each passage stands where it stands. */

import { html, useEffect, useRef } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { addressOf, go, route } from "../staff/router.js";
import { percent } from "./figures.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const PARTS = ["words", "meaning", "subject"];
const TONES = { sure: "badge badge-good", doubtful: "badge badge-warn", silent: "badge" };

/** @param {{staff: Staff}} properties */
export function Ask({ staff }) {
  const { texts } = staff;
  const { q = "" } = route.value.query;
  const box = useRef(null);
  useEffect(() => box.current?.focus({ preventScroll: true }), []);
  const ask = (event) => {
    event.preventDefault();
    const question = box.current.value.trim();
    if (question) go(["ask"], { q: question });
  };
  return html`
    <div class="page" tabindex="-1">
      <div class="page-inner page-narrow">
        <div class="page-head"><h1>${texts.views.ask}</h1></div>
        <p class="lead">${texts.ask.lead}</p>
        <form class="ask" role="search" onSubmit=${ask}>
          <label class="hidden" for="question">${texts.ask.question}</label>
          <input id="question" class="input" ref=${box} key=${q} defaultValue=${q} maxlength="1000" placeholder=${texts.ask.placeholder} autocomplete="off" />
          <button class="button button-primary"><${Icon} name="search" />${texts.ask.ask}</button>
        </form>
        ${q ? html`<${Answers} key=${q} staff=${staff} question=${q} />` : html`<${Examples} texts=${texts} />`}
      </div>
    </div>
  `;
}

function Examples({ texts }) {
  return html`
    <ul class="examples" aria-label=${texts.ask.examplesLabel}>
      ${texts.ask.examples.map((one) => html`<li key=${one}><a class="button" href=${addressOf(["ask"], { q: one })}>${one}</a></li>`)}
    </ul>
  `;
}

function Answers({ staff, question }) {
  const { client, texts } = staff;
  const loaded = useLoaded(async (signal) => (await client.get("/api/v1/knowledge/ask", { q: question, limit: 10 }, signal)).data);
  return html`
    <${Shown} staff=${staff} loaded=${loaded} empty=${html`<${Empty} icon="search" title=${texts.ask.none} text=${texts.ask.noneText} />`}>
      ${(rows) => html`
        <${Verdict} staff=${staff} best=${rows[0]} />
        <ol class="answers">${rows.map((row, index) => html`<${Answer} key=${row.document_id} staff=${staff} row=${row} rank=${index + 1} most=${most(rows)} />`)}</ol>
      `}
    </${Shown}>
  `;
}

const most = (rows) => Math.max(...rows.map(({ parts }) => PARTS.reduce((sum, one) => sum + Math.max(0, parts[one]), 0)), 0.01);

function Verdict({ staff, best }) {
  const { texts, language } = staff;
  return html`
    <p class=${`verdict verdict-${best.verdict}`} role="status">
      <${Icon} name=${best.verdict === "sure" ? "check" : "alert"} />
      ${fill(texts.ask.verdicts[best.verdict], { score: percent(best.score, language) })}
    </p>
  `;
}

function Answer({ staff, row, rank, most }) {
  const { texts, language } = staff;
  return html`
    <li class="card answer">
      <div class="answer-head">
        <span class="answer-rank number">${rank}</span>
        <a class="answer-title" href=${addressOf(["knowledge", row.document_id])}>${row.title}</a>
        <span class=${TONES[row.verdict]}>${percent(row.score, language)}</span>
      </div>
      ${row.heading && html`<p class="muted small">${row.heading}</p>`}
      <p class="answer-passage">${marked(row.passage, row.quote)}</p>
      <${Parts} texts=${texts} language=${language} parts=${row.parts} most=${most} />
    </li>
  `;
}

/** The passage with the words that would be quoted. */
function marked(passage, quote) {
  const at = passage.indexOf(quote);
  if (at < 0 || !quote) return passage;
  return [passage.slice(0, at), html`<mark>${quote}</mark>`, passage.slice(at + quote.length)];
}

function Parts({ texts, language, parts, most }) {
  const written = (value) => value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return html`
    <div class="why">
      <span class="strip" aria-hidden="true">
        ${PARTS.map((one) => html`<i key=${one} style=${{ width: `${(Math.max(0, parts[one]) / most) * 100}%`, background: `var(--part-${one})` }}></i>`)}
      </span>
      <dl>
        ${PARTS.map((one) => html`<div key=${one}><dt><i class="swatch" style=${{ color: `var(--part-${one})` }}></i>${texts.ask.parts[one]}</dt><dd class="number">${written(parts[one])}</dd></div>`)}
        ${parts.language !== 0 && html`<div><dt>${texts.ask.parts.language}</dt><dd class="number">${written(parts.language)}</dd></div>`}
        <div><dt>${texts.ask.parts.total}</dt><dd class="number"><b>${written(parts.total)}</b></dd></div>
      </dl>
    </div>
  `;
}
