/** Names that nobody else comes up with; `crypto.randomUUID` exists on secure pages only. */

const BYTES = 16;

/** @returns {string} 32 hexadecimal digits */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
