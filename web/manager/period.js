/** Which days and which channel the figures are of: kept in the address, so that a link shows them. */

import { html } from "../shared/html.js";
import { go, route } from "../staff/router.js";
import { nameOf } from "./figures.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const DAYS = [7, 30, 90, 365];
const DEFAULT = "30";
const DAY_MS = 86_400_000;
const LONGEST_DAYS = 366;

/** What the server is asked for; days are the reader's today and before. */
export function askedPeriod() {
  const { days = DEFAULT, from, to, channel } = route.value.query;
  if (days === "own") return { from, to, channel };
  const end = new Date();
  const start = new Date(end);
  // By the calendar: a day in spring has 23 hours, one in autumn 25.
  start.setDate(start.getDate() - (Number(days) - 1));
  return { from: written(start), to: written(end), channel };
}

/** The same as dependencies of what is loaded. */
export function periodKey() {
  const { days, from, to, channel } = route.value.query;
  return [days, from, to, channel].join("|");
}

function written(date) {
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** @param {{staff: Staff, channels: {name: string}[]}} properties */
export function PeriodBar({ staff, channels }) {
  const { texts } = staff;
  const { query, parts } = route.value;
  const change = (changed) => go(parts, { ...query, ...changed }, { replace: true });
  const days = query.days ?? DEFAULT;
  const chooseDays = (chosen) => {
    const { from, to } = askedPeriod();
    change(chosen === "own" ? { days: "own", from, to } : { days: chosen, from: null, to: null });
  };
  return html`
    <div class="row row-wrap filters">
      <label class="hidden" for="period">${texts.period.label}</label>
      <select id="period" class="input" value=${days} onChange=${(event) => chooseDays(event.target.value)}>
        ${DAYS.map((one) => html`<option key=${one} value=${String(one)}>${texts.period[one]}</option>`)}
        <option value="own">${texts.period.own}</option>
      </select>
      ${days === "own" && html`<${OwnDays} texts=${texts} query=${query} change=${change} />`}
      <label class="hidden" for="channel">${texts.period.channel}</label>
      <select id="channel" class="input" value=${query.channel ?? ""} onChange=${(event) => change({ channel: event.target.value })}>
        <option value="">${texts.period.everyChannel}</option>
        ${known(channels, query.channel).map((name) => html`
          <option key=${name} value=${name}>${nameOf(name, texts.channels)}</option>
        `)}
      </select>
    </div>
  `;
}

/** The channel that is asked for stays to be seen, even if nothing came through it. */
function known(channels, chosen) {
  const names = channels.map(({ name }) => name);
  return chosen && !names.includes(chosen) ? [chosen, ...names] : names;
}

/** The server tells of a year at most: the other end follows the one that was changed. */
function fitting({ from, to }, changed) {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (days >= 0 && days < LONGEST_DAYS) return { from, to };
  const other = Date.parse(changed === "from" ? from : to);
  const reach = days < 0 ? 0 : (LONGEST_DAYS - 1) * DAY_MS;
  const moved = new Date(changed === "from" ? other + reach : other - reach).toISOString().slice(0, 10);
  return changed === "from" ? { from, to: moved } : { from: moved, to };
}

function OwnDays({ texts, query, change }) {
  // A day that is still being typed has no value yet, or a year of long ago.
  const set = (name) => (event) => event.target.value > "2000" && change(fitting({ ...query, [name]: event.target.value }, name));
  return html`
    <input type="date" class="input" aria-label=${texts.period.from} value=${query.from} onChange=${set("from")} />
    <input type="date" class="input" aria-label=${texts.period.to} value=${query.to} onChange=${set("to")} />
  `;
}
