/** What a refusal means to the person who reads it. */

/** @typedef {import("./staff.js").Staff} Staff */

/**
 * A sentence in the reader's language, by the answer's status.
 * @param {Staff} staff
 * @param {{status?: number}} error
 * @param {Record<number, string>} [known] sentences of this very action, by status
 * @returns {string}
 */
export function problemText(staff, error, known = {}) {
  const status = error?.status ?? 500;
  const { problems } = staff.common;
  return known[status] ?? problems[status] ?? (status < 500 ? problems[422] : problems[500]);
}
