/** Figures, dates and languages as people write them. */

const NARROW_SPACE = " ";

/**
 * The first of the offered languages that an interface exists in; English for all others.
 * @param {(string | null | undefined)[]} wished such as `fr-FR`, the most wanted first
 * @returns {"fr" | "en"}
 */
export function interfaceLanguage(wished) {
  for (const one of wished) {
    const language = (one || "").slice(0, 2).toLowerCase();
    if (language) return language === "fr" ? "fr" : "en";
  }
  return "fr";
}

/**
 * @param {number} euros
 * @param {string} language
 */
export function price(euros, language) {
  const whole = Number.isInteger(euros);
  return new Intl.NumberFormat(language, {
    style: "currency",
    currency: "EUR",
    minimumFractionDigits: whole ? 0 : 2,
  }).format(euros);
}

/**
 * A day and an hour, in the visitor's time zone: `lundi 23 novembre à 09:00`.
 * @param {string} moment ISO 8601
 * @param {string} language
 */
export function dayAndHour(moment, language) {
  return new Intl.DateTimeFormat(language, {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
  }).format(new Date(moment));
}

/**
 * @param {string | number | Date} moment
 * @param {string} language
 */
export function hour(moment, language) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(
    new Date(moment),
  );
}

/**
 * @param {number} bytes
 * @param {string} language
 */
export function fileSize(bytes, language) {
  const megabytes = bytes / 1048576;
  const figure = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const unit = language === "fr" ? "Mo" : "MB";
  return `${figure.format(Math.max(0.1, megabytes))}${NARROW_SPACE}${unit}`;
}

/**
 * A sentence with its `{names}` filled in.
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * French puts a narrow space that does not break before `; ! ? » % €`, and a wider one before `:`.
 * @template T
 * @param {T} texts a text, or whatever holds texts
 * @returns {T}
 */
export function withFrenchSpaces(texts) {
  if (typeof texts === "string") {
    const narrow = texts.replace(/ (?=[;!?»%]|€(?!\d))/g, "\u202f").replace(/(?<=«) /g, "\u202f");
    return /** @type {T} */ (narrow.replace(/ (?=:)/g, "\u00a0"));
  }
  if (Array.isArray(texts)) return /** @type {T} */ (texts.map(withFrenchSpaces));
  const entries = Object.entries(texts).map(([name, value]) => [name, withFrenchSpaces(value)]);
  return Object.fromEntries(entries);
}
