/** How it goes: conversations, how they ended, how fast, promises, satisfaction. */

import { html } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { Menu } from "../staff/menu.js";
import { addressOf, route } from "../staff/router.js";
import { DayChart } from "./charts.js";
import { DaysTable } from "./days_table.js";
import { downloadTable } from "./download.js";
import { count, nameOf, NONE, percent, score, span } from "./figures.js";
import { askedPeriod, PeriodBar, periodKey } from "./period.js";
import { Resolution } from "./resolution.js";
import { VoiceTimes } from "./voice_times.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

/** @param {Staff} staff */
export function useOverview(staff) {
  return useLoaded(
    async (signal) => (await staff.client.get("/api/v1/analytics/overview", askedPeriod(), signal)).data,
    [periodKey()],
  );
}

/** @param {{staff: Staff}} properties */
export function Dashboard({ staff }) {
  const { texts } = staff;
  const loaded = useOverview(staff);
  const files = ["days", "intents", "channels"].map((table) => ({
    text: texts.tables[table],
    act: () => downloadTable(staff, table, askedPeriod()),
  }));
  return html`
    <div class="page" tabindex="-1">
      <div class="page-inner">
        <div class="page-head">
          <h1>${texts.views.overview}</h1>
          <${PeriodBar} staff=${staff} channels=${loaded.data?.channels ?? []} />
          <${Menu} label=${texts.export} items=${files} place="end" buttonClass="button">
            <${Icon} name="download" />${texts.export}
          </${Menu}>
        </div>
        <${Shown} staff=${staff} loaded=${loaded} lines=${12} isEmpty=${hasNothing} empty=${html`<${Empty} icon="chart" title=${texts.noFigures} text=${texts.noFiguresText} />`}>
          ${(data) => html`<${Figures} staff=${staff} data=${data} />`}
        </${Shown}>
      </div>
    </div>
  `;
}

const hasNothing = ({ conversations, tickets }) => !conversations.conversations && !tickets.tickets;

function Figures({ staff, data }) {
  return html`
    <${Tiles} staff=${staff} data=${data} />
    <${Resolution} staff=${staff} data=${data} />
    <div class="columns">
      <${Times} staff=${staff} data=${data} />
      <${Promises} staff=${staff} data=${data} />
    </div>
    <div class="columns">
      <${Satisfaction} staff=${staff} data=${data} />
      <${TopIntents} staff=${staff} data=${data} />
    </div>
    <${VoiceTimes} staff=${staff} />
    <${DaysTable} staff=${staff} data=${data} />
  `;
}

function Tiles({ staff, data }) {
  const { texts, language } = staff;
  const { conversations, tickets } = data;
  const tiles = [
    [texts.tiles.conversations, count(conversations.conversations, language), fill(texts.tiles.questions, { count: count(conversations.questions, language) })],
    [texts.tiles.handoff, percent(conversations.handoff_rate, language), fill(texts.tiles.person, { time: span(conversations.person_seconds.median, language) })],
    [html`<a href=${addressOf(["unanswered"])}>${texts.tiles.unanswered}</a>`, count(conversations.unanswered_questions, language), fill(texts.tiles.unansweredShare, { share: percent(conversations.questions ? conversations.unanswered_questions / conversations.questions : null, language) })],
    [texts.tiles.sla, percent(tickets.sla_kept_rate, language), fill(texts.tiles.tickets, { count: count(tickets.tickets, language) })],
    [texts.tiles.satisfaction, html`${score(conversations.satisfaction.average, language)}${conversations.satisfaction.average === null ? null : html`<small> / 5</small>`}`, fill(texts.tiles.ratings, { count: count(conversations.satisfaction.count, language) })],
  ];
  return html`
    <dl class="tiles">
      ${tiles.map(([name, value, more], index) => html`
        <div key=${index} class="tile"><dt>${name}</dt><dd class="tile-value">${value}</dd><dd class="tile-more">${more}</dd></div>
      `)}
    </dl>
  `;
}

function Times({ staff, data }) {
  const { texts, language } = staff;
  const { conversations, tickets } = data;
  const rows = [
    ["firstAnswer", conversations.first_answer_seconds],
    ["person", conversations.person_seconds],
    ["conversation", conversations.resolution_seconds],
    ["ticketResponse", tickets.first_response_seconds],
    ["ticketResolution", tickets.resolution_seconds],
  ];
  return html`
    <section class="card" aria-labelledby="times">
      <div class="card-head"><h2 id="times">${texts.times.title}</h2></div>
      <div class="table-scroll" tabindex="0" role="group" aria-labelledby="times">
        <table class="table table-dense">
          <thead><tr><th scope="col">${texts.times.what}</th><th scope="col" class="end">${texts.times.median}</th><th scope="col" class="end">${texts.times.p95}</th><th scope="col" class="end">${texts.times.count}</th></tr></thead>
          <tbody>
            ${rows.map(([name, times]) => html`
              <tr key=${name}>
                <td>${texts.times[name]}</td>
                <td class="end number"><b>${span(times.median, language)}</b></td>
                <td class="end number">${span(times.p95, language)}</td>
                <td class="end number muted">${count(times.count, language)}</td>
              </tr>
            `)}
          </tbody>
        </table>
      </div>
      <p class="card-note">${texts.times.note}</p>
    </section>
  `;
}

function Promises({ staff, data }) {
  const { texts, language } = staff;
  const days = data.days.map(({ day }) => day);
  const of = (name) => data.days.map(({ tickets }) => tickets[name]);
  const series = [
    { name: texts.sla.kept, color: "--chart-good", values: of("sla_kept") },
    { name: texts.sla.broken, color: "--chart-bad", values: of("sla_broken") },
    { name: texts.sla.running, color: "--chart-open", values: of("sla_running") },
  ];
  const { sla_kept: kept, sla_broken: broken, sla_running: running } = data.tickets;
  return html`
    <section class="card" aria-labelledby="sla">
      <div class="card-head">
        <h2 id="sla">${texts.sla.title}</h2>
        <span class="muted small">${fill(texts.sla.summary, { kept: count(kept, language), judged: count(kept + broken, language), running: count(running, language) })}</span>
      </div>
      <${DayChart} label=${texts.sla.label} days=${days} series=${series} isStacked language=${language} />
    </section>
  `;
}

function Satisfaction({ staff, data }) {
  const { texts, language } = staff;
  const { satisfaction } = data.conversations;
  return html`
    <section class="card" aria-labelledby="satisfaction">
      <div class="card-head">
        <h2 id="satisfaction">${texts.satisfaction.title}</h2>
        <span class="muted small">${fill(texts.satisfaction.summary, { count: count(satisfaction.count, language), all: count(data.conversations.conversations, language) })}</span>
      </div>
      <ul class="scores">
        ${[5, 4, 3, 2, 1].map((one) => {
          const share = satisfaction.count ? satisfaction.scores[one] / satisfaction.count : 0;
          return html`
            <li key=${one}>
              <span class="scores-name">${texts.satisfaction.scores[one]}</span>
              <span class="meter" aria-hidden="true"><i class=${`meter-score-${one}`} style=${{ width: `${share * 100}%` }}></i></span>
              <span class="number end">${count(satisfaction.scores[one], language)}</span>
              <span class="number end muted">${satisfaction.count ? percent(share, language) : NONE}</span>
            </li>
          `;
        })}
      </ul>
    </section>
  `;
}

function TopIntents({ staff, data }) {
  const { texts, language } = staff;
  const most = data.intents[0]?.conversations ?? 1;
  return html`
    <section class="card" aria-labelledby="top-intents">
      <div class="card-head">
        <h2 id="top-intents">${texts.topIntents}</h2>
        <a class="link small" href=${addressOf(["intents"], route.value.query)}>${texts.allIntents}</a>
      </div>
      <ul class="scores scores-intents">
        ${data.intents.slice(0, 6).map((one) => html`
          <li key=${one.name}>
            <span class="scores-name clip">${nameOf(one.name, texts.intents)}</span>
            <span class="meter" aria-hidden="true"><i style=${{ width: `${(one.conversations / most) * 100}%` }}></i></span>
            <span class="number end">${count(one.conversations, language)}</span>
            <span class="number end muted">${percent(one.share, language)}</span>
          </li>
        `)}
      </ul>
    </section>
  `;
}
