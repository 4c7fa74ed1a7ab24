/** An answer's plain text as paragraphs, lists and links; nothing in it becomes markup. */

import { html } from "../shared/html.js";
import { withFrenchSpaces } from "../shared/wording.js";

const LINK = /(https?:\/\/[^\s<>"«»]+[^\s<>"«».,;:!?)\]]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/g;
const BULLET = /^\s*(?:[-•*]|\d+[.)])\s+/;

/** @param {{text: string}} properties */
export function RichText({ text }) {
  return text
    .split(/\n{2,}/)
    .filter((block) => block.trim())
    .map((block, index) => html`<${Block} key=${index} lines=${block.split("\n")} />`);
}

/** Lines that begin with a bullet are a list; the others above and below are a paragraph. */
function Block({ lines }) {
  const groups = [];
  for (const line of lines) {
    const isItem = BULLET.test(line);
    if (groups.at(-1)?.isItem !== isItem) groups.push({ isItem, lines: [] });
    groups.at(-1).lines.push(isItem ? line.replace(BULLET, "") : line);
  }
  return groups.map(({ isItem, lines }) =>
    isItem
      ? html`<ul>${lines.map((line) => html`<li>${linked(line)}</li>`)}</ul>`
      : html`<p>${lines.map((line, index) => [index ? html`<br />` : null, linked(line)])}</p>`,
  );
}

/** @param {string} text */
function linked(text) {
  return text.split(LINK).map((part, index) => {
    if (index % 2 === 0) return withFrenchSpaces(part);
    const address = part.includes("://") ? part : `mailto:${part}`;
    return html`<a href=${address} target="_blank" rel="noopener noreferrer">${part}</a>`;
  });
}
