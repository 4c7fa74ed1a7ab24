/** Figures as people read them: counts, shares, durations, scores; a dash where there is none. */

import { fill } from "../shared/wording.js";
import { ago, day } from "../staff/moments.js";

export const NONE = "–";

/** How conversations end, in the order in which they are shown; `open` is not an end yet. */
export const OUTCOMES = /** @type {const} */ ([
  "confirmed", "assumed", "reopened", "handed_over", "unanswered", "open", "nothing_asked",
]);

/** @param {number | null | undefined} count @param {string} language */
export function count(count, language) {
  return count === null || count === undefined ? NONE : count.toLocaleString(language);
}

/** @param {number | null | undefined} share 0 to 1 @param {string} language */
export function percent(share, language) {
  if (share === null || share === undefined) return NONE;
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** @param {number | null | undefined} score @param {string} language */
export function score(score, language) {
  if (score === null || score === undefined) return NONE;
  return score.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/**
 * `0,1 s`, `45 s`, `3 min 20`, `5 h 40`, `2 j 4 h`: the two largest units.
 * @param {number | null | undefined} seconds
 * @param {"fr" | "en"} language
 */
export function span(seconds, language) {
  if (seconds === null || seconds === undefined) return NONE;
  const dayUnit = language === "fr" ? "j" : "d";
  if (seconds < 10) return `${seconds.toLocaleString(language, { maximumFractionDigits: 1 })}\u00a0s`;
  if (seconds < MINUTE) return `${Math.round(seconds)}\u00a0s`;
  if (seconds < HOUR) return joined(seconds, MINUTE, "min", 1, "s");
  if (seconds < DAY) return joined(seconds, HOUR, "h", MINUTE, "min");
  return joined(seconds, DAY, dayUnit, HOUR, "h");
}

function joined(seconds, large, largeUnit, small, smallUnit) {
  const rounded = Math.round(seconds / small) * small;
  const rest = Math.round((rounded % large) / small);
  const whole = Math.floor(rounded / large);
  return `${whole}\u00a0${largeUnit}${rest ? ` ${rest}\u00a0${smallUnit}` : ""}`;
}

/** The share of a class in all conversations in which something was asked. */
export function shareOf(resolution, outcome) {
  const asked = OUTCOMES.filter((one) => one !== "nothing_asked").reduce((sum, one) => sum + resolution[one], 0);
  return asked ? resolution[outcome] / asked : null;
}

/** A day of the shop's calendar, whatever the reader's zone: `lun. 12 oct.`. */
export function calendarDay(day, language, options = { weekday: "short", day: "numeric", month: "short" }) {
  return new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}

const WEEK = 7 * DAY;

/**
 * When something last was, in a sentence: some time ago, or on a day beyond a week.
 * @param {{ago: string, on: string}} forms
 * @param {string} moment
 * @param {"fr" | "en"} language
 */
export function whenLast(forms, moment, language) {
  const isRecent = Date.now() - Date.parse(moment) < WEEK * 1000;
  return isRecent ? fill(forms.ago, { ago: ago(moment, language) }) : fill(forms.on, { day: day(moment, language) });
}

/** @param {string} name of an intent or channel @param {Record<string, string>} names */
export function nameOf(name, names) {
  return names[name] ?? name.replaceAll("_", " ");
}
