/** What was corrected in a text: the words that came in, and those that they replaced. */

const LONGEST = 1_000;
const MOST = 20;
const SENTENCE = /(?<=[.!?…])\s+/;

/**
 * The stretch between the words that both begin with and the words that both end with. Each part
 * is a sentence of it at most, so that a test asks for no more than what was written.
 * @param {string} before
 * @param {string} after
 * @returns {{says: string[], never: string[]}}
 */
export function correctionOf(before, after) {
  const old = before.trim().split(/\s+/);
  const fresh = after.trim().split(/\s+/);
  const shortest = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shortest && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < shortest - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  const added = sentences(fresh.slice(head, fresh.length - tail).join(" "));
  const removed = sentences(old.slice(head, old.length - tail).join(" "));
  // Words that were only left out teach by what stays around them.
  const says = added.length ? added : sentences(after);
  const text = after.toLowerCase();
  return { says, never: removed.filter((one) => !text.includes(one.toLowerCase())) };
}

function sentences(text) {
  return text
    .split(SENTENCE)
    .map((one) => one.trim().replace(/^[\s.,;:!?]+|[\s.,;:!?]+$/g, ""))
    .filter((one) => one && one.length <= LONGEST)
    .slice(0, MOST);
}
