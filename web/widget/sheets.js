/** What lies over the conversation for a moment: the passage behind an answer, and the rating. */

import { html, useEffect, useRef, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "./icons.js";

const SCORES = [1, 2, 3, 4, 5];

/** @typedef {import("./app.js").View} View */

/** @param {{view: View, title: string, leave: () => void, children: any}} properties */
function Sheet({ view, title, leave, children }) {
  const back = useRef(null);
  useEffect(() => back.current.focus(), []);
  return html`
    <div class="sheet" role="group" aria-label=${title}>
      <div class="sheet-head">
        <button ref=${back} type="button" class="tool" aria-label=${view.texts.back}
          title=${view.texts.back} onClick=${leave}><${Icon} name="back" /></button>
        <h3>${title}</h3>
      </div>
      ${children}
    </div>
  `;
}

/** @param {{view: View, source: import("./conversation.js").Source, leave: () => void}} properties */
export function SourceSheet({ view, source, leave }) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    view.chat.readSource(source).then(setFound, (error) => setProblem(error.message));
  }, [source]);
  return html`
    <${Sheet} view=${view} title=${source.title} leave=${leave}>
      ${problem && html`
        <p class="failure" role="alert">${fill(view.texts.sourceGone, { why: problem })}</p>
        <blockquote>${source.quote}</blockquote>
      `}
      ${!found && !problem && html`<p class="quiet padded" role="status">${view.texts.loading}</p>`}
      ${found && html`<${CitedText} found=${found} title=${source.title} />`}
    </${Sheet}>
  `;
}

/** The document around the quote, scrolled to it. */
function CitedText({ found, title }) {
  const mark = useRef(null);
  // The empty lines between paragraphs are not marked.
  const paragraphs = found.quote.split(/(\n+)/);
  useEffect(() => mark.current.scrollIntoView({ block: "center" }), []);
  return html`
    <div class="cited" tabindex="0" role="region" aria-label=${title}>
      ${found.begins_document ? "" : "… "}${found.before}${paragraphs.map((part, index) =>
        index % 2 ? part : html`<mark ref=${index === 0 ? mark : null}>${part}</mark>`,
      )}${found.after}${found.ends_document ? "" : " …"}
    </div>
  `;
}

/** @param {{view: View, leave: () => void}} properties */
export function RatingSheet({ view, leave }) {
  const { texts, chat } = view;
  const [state, setState] = useState(/** @type {"asking" | "sent" | "failed"} */ ("asking"));
  const [score, setScore] = useState(0);
  const [comment, setComment] = useState("");
  const send = (event) => {
    event.preventDefault();
    chat.rate(score, comment.trim()).then(() => setState("sent"), () => setState("failed"));
  };
  const again = () => {
    chat.startAnew();
    leave();
  };
  if (state === "sent") {
    return html`
      <${Sheet} view=${view} title=${texts.rateThanks} leave=${leave}>
        <div class="rating" role="status">
          <p class="thanks"><${Icon} name="check" />${texts.rateThanks}</p>
          <button type="button" class="wide" onClick=${again}>${texts.again}</button>
        </div>
      </${Sheet}>
    `;
  }
  return html`
    <${Sheet} view=${view} title=${texts.end} leave=${leave}>
      <form class="rating" onSubmit=${send}>
        <${Stars} texts=${texts} score=${score} choose=${setScore} />
        <label>${texts.rateComment}
          <textarea rows="3" maxlength="2000" value=${comment}
            onInput=${(event) => setComment(event.target.value)}></textarea>
        </label>
        ${state === "failed" && html`<p class="failure" role="alert">${texts.rateFailed}</p>`}
        <button type="submit" class="wide" disabled=${score === 0}>${texts.rateSend}</button>
        <button type="button" class="plain" onClick=${again}>${texts.again}</button>
      </form>
    </${Sheet}>
  `;
}

function Stars({ texts, score, choose }) {
  return html`
    <fieldset class="stars">
      <legend>${texts.rateTitle}</legend>
      ${SCORES.map(
        (one) => html`
          <label key=${one} class=${one <= score ? "star chosen" : "star"}>
            <input type="radio" name="score" value=${one} checked=${one === score}
              onChange=${() => choose(one)} />
            <${Icon} name="star" />
            <span class="hidden">${`${one} : ${texts.scores[one - 1]}`}</span>
          </label>
        `,
      )}
      <output>${score ? texts.scores[score - 1] : "\u00a0"}</output>
    </fieldset>
  `;
}
