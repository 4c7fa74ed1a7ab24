/** Markdown as it will be read: headings, lists, quotes, tables' lines; nothing in it is markup. */

import { html } from "../shared/html.js";

const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/;
const ITEM = /^\s*(?:[-*•]|\d{1,3}[.)])\s+/;
const NUMBERED = /^\s*\d{1,3}[.)]\s+/;
const QUOTE = /^>\s?/;
const INLINE = /(\*\*[^*\n]+\*\*|__[^_\n]+__|\*[^*\n]+\*|`[^`\n]+`|\[[^\]\n]+\]\(https?:\/\/[^\s)]+\))/;

/** @param {{text: string}} properties */
export function Markdown({ text }) {
  return html`<div class="markdown">${blocks(text).map((one, index) => html`<${Block} key=${index} one=${one} />`)}</div>`;
}

/** Lines of one kind that follow one another. */
function blocks(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const kind = kindOf(line);
    const last = found.at(-1);
    if (kind === "blank") found.push({ kind, lines: [] });
    else if (last?.kind === kind && kind !== "heading") last.lines.push(line);
    else found.push({ kind, lines: [line] });
  }
  return found.filter(({ kind }) => kind !== "blank");
}

function kindOf(line) {
  if (!line.trim()) return "blank";
  if (HEADING.test(line)) return "heading";
  if (ITEM.test(line)) return NUMBERED.test(line) ? "numbered" : "list";
  if (QUOTE.test(line)) return "quote";
  return "paragraph";
}

function Block({ one: { kind, lines } }) {
  if (kind === "heading") {
    const [, marks, words] = HEADING.exec(lines[0]);
    // The page's own title is the first level, the panel's the second.
    const level = Math.min(6, marks.length + 2);
    return html`<p class=${`markdown-h${marks.length}`} role="heading" aria-level=${level}>${inline(words)}</p>`;
  }
  if (kind === "list") return html`<ul>${lines.map((line, index) => html`<li key=${index}>${inline(line.replace(ITEM, ""))}</li>`)}</ul>`;
  if (kind === "numbered") return html`<ol>${lines.map((line, index) => html`<li key=${index}>${inline(line.replace(ITEM, ""))}</li>`)}</ol>`;
  if (kind === "quote") return html`<blockquote>${inline(lines.map((line) => line.replace(QUOTE, "")).join("\n"))}</blockquote>`;
  return html`<p>${inline(lines.join("\n"))}</p>`;
}

function inline(text) {
  return text.split(INLINE).map((part, index) => {
    if (index % 2 === 0) return part;
    if (part.startsWith("**") || part.startsWith("__")) return html`<strong>${part.slice(2, -2)}</strong>`;
    if (part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith("*")) return html`<em>${part.slice(1, -1)}</em>`;
    const [, words, address] = /^\[(.+)\]\((.+)\)$/.exec(part);
    return html`<a href=${address} target="_blank" rel="noopener noreferrer">${words}</a>`;
  });
}
