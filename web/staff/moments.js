/** Moments and durations in few characters, and a clock that all parts of a page share. */

import { signal } from "../shared/html.js";

const TICK_MS = 1000;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/** Now, in milliseconds; whoever reads its value is drawn again every second. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, TICK_MS);
document.addEventListener("visibilitychange", () => (now.value = Date.now()));

/** A minute's clock, for what need not tick every second. */
export const minute = signal(Date.now());
setInterval(() => (minute.value = Date.now()), 30_000);

/**
 * How long ago, in a list: `12 min`, `3 h`, `2 j`; a date beyond a week.
 * @param {string | number} moment
 * @param {"fr" | "en"} language
 */
export function ago(moment, language) {
  const seconds = Math.max(0, (minute.value - new Date(moment).getTime()) / 1000);
  if (seconds < MINUTE) return "< 1 min";
  return seconds < 7 * DAY ? duration(seconds, language) : day(moment, language);
}

/**
 * A duration by its largest unit: `45 s`, `12 min`, `3 h`, `2 j`.
 * @param {number} seconds
 * @param {"fr" | "en"} language
 */
export function duration(seconds, language) {
  if (seconds < MINUTE) return `${Math.floor(seconds)} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} ${language === "fr" ? "j" : "d"}`;
}

/**
 * A clock that runs down: `1 j 04:12`, `3:07:45`, `04:09`; negative behind the deadline.
 * @param {number} seconds
 * @param {"fr" | "en"} language
 */
export function countdown(seconds, language) {
  const left = Math.abs(Math.trunc(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const days = Math.floor(left / DAY);
  const hours = Math.floor((left % DAY) / HOUR);
  const minutes = Math.floor((left % HOUR) / MINUTE);
  const sign = seconds < 0 ? "−" : "";
  if (days) return `${sign}${days} ${language === "fr" ? "j" : "d"} ${two(hours)}:${two(minutes)}`;
  if (hours) return `${sign}${hours}:${two(minutes)}:${two(left % MINUTE)}`;
  return `${sign}${two(minutes)}:${two(left % MINUTE)}`;
}

/** @param {string | number} moment @param {"fr" | "en"} language */
export function day(moment, language) {
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }).format(
    new Date(moment),
  );
}

/** `22 nov. 14:05`, and `14:05` today. @param {string | number} moment @param {"fr" | "en"} language */
export function shortMoment(moment, language) {
  const date = new Date(moment);
  const time = { hour: "2-digit", minute: "2-digit" };
  const isToday = date.toDateString() === new Date().toDateString();
  const parts = isToday ? time : { day: "numeric", month: "short", ...time };
  return new Intl.DateTimeFormat(language, parts).format(date);
}

/** Day, month, year, hour. @param {string | number} moment @param {"fr" | "en"} language */
export function longMoment(moment, language) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(
    new Date(moment),
  );
}
