/** What the widget keeps on the visitor's device: only once they have opened the chat. */

/**
 * @typedef {object} Kept
 * @property {string | null} token the visitor's; nothing else opens their conversation
 * @property {string | null} sessionId
 */

/**
 * Whose conversation it is: a visitor's of a shop, or an account's.
 * @param {string} organization
 * @param {string | null} [account]
 * @returns {string}
 */
export const ownerOf = (organization, account) =>
  `support-chat:${organization || "default"}${account ? `:${account}` : ""}`;

/**
 * @param {string} owner
 * @returns {Kept}
 */
export function recall(owner) {
  try {
    const kept = JSON.parse(localStorage.getItem(owner) || "{}");
    return { token: kept.token ?? null, sessionId: kept.sessionId ?? null };
  } catch {
    // Storage may be forbidden: the conversation then lasts as long as the page.
    return { token: null, sessionId: null };
  }
}

/**
 * @param {string} owner
 * @param {Kept} kept
 */
export function keep(owner, kept) {
  try {
    localStorage.setItem(owner, JSON.stringify(kept));
  } catch {
    return;
  }
}

/** @param {string} owner */
export function forget(owner) {
  try {
    localStorage.removeItem(owner);
  } catch {
    return;
  }
}
