/** The catalogues of a page: the staff's common sentences and the area's own, in one language. */

import { fill, withFrenchSpaces } from "../shared/wording.js";

const COMMON = {
  fr: () => import("./texts_fr.js"),
  en: () => import("./texts_en.js"),
};

/**
 * @param {Record<"fr" | "en", () => Promise<{TEXTS: any}>>} catalogues of the area
 * @param {"fr" | "en"} language
 */
export async function loadTexts(catalogues, language) {
  const [common, own] = await Promise.all([COMMON[language](), catalogues[language]()]);
  const spaced = language === "fr" ? withFrenchSpaces : (texts) => texts;
  return { common: spaced(common.TEXTS), texts: spaced(own.TEXTS) };
}

/**
 * The form of a sentence that fits a number: catalogues hold `one` and `other`.
 * @param {{one: string, other: string}} forms
 * @param {number} count
 * @param {"fr" | "en"} language
 * @param {Record<string, string | number>} [values]
 */
export function counted(forms, count, language, values = {}) {
  const form = new Intl.PluralRules(language).select(count) === "one" ? forms.one : forms.other;
  return fill(form, { count: new Intl.NumberFormat(language).format(count), ...values });
}
