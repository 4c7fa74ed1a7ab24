/** The middle column: a search, and the rows that it finds. */

import { html, useEffect, useRef, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Icon } from "../staff/icons.js";
import { Empty, Failed, Loading } from "../staff/lists.js";
import { counted } from "../staff/texts.js";
import { attempt } from "../staff/toasts.js";
import { move, place } from "./place.js";
import { ConversationRow, TicketRow } from "./list_rows.js";
import { VirtualList } from "./virtual_list.js";

/** @typedef {import("./view.js").View} View */

const SEARCH_AFTER_MS = 250;
const ROW = matchMedia("(pointer: coarse)").matches ? 88 : 78;
const OWNERS = ["bot", "waiting", "human", "closed"];
const CHANNELS = ["web_chat", "email", "voice", "api"];

/** @param {{view: View}} properties */
export function List({ view }) {
  const { desk, staff } = view;
  const here = place();
  // The list before is there until the one that was chosen is opened.
  const rows = desk.rows.value?.name === here.list ? desk.rows.value : null;
  const names = here.list === "tickets" ? staff.texts.ticketQueues : staff.texts.queues;
  return html`
    <section class="list" aria-label=${names[here.queue]}>
      <header class="list-head">
        <div class="spread">
          <h2 class="list-title clip">${names[here.queue]}</h2>
          <span class="muted small number">${rows && sizeText(staff, here.list, rows)}</span>
        </div>
        <${Search} view=${view} here=${here} />
      </header>
      ${rows && html`<${Found} view=${view} here=${here} rows=${rows} />`}
    </section>
  `;
}

function sizeText({ texts, language }, list, rows) {
  if (rows.state.value !== "ready") return "";
  const forms = list === "tickets" ? texts.ticketCount : texts.count;
  const size = counted(forms, rows.rows.value.length, language);
  return rows.isComplete ? size : fill(texts.countMore, { count: size });
}

function Found({ view, here, rows }) {
  const { staff } = view;
  const known = rows.rows.value;
  const state = rows.state.value;
  if (state === "loading" && !known.length) return html`<${Loading} staff=${staff} lines=${18} />`;
  if (state === "failed" && !known.length) {
    return html`<${Failed} staff=${staff} error=${rows.error} retry=${() => rows.more()} />`;
  }
  if (!known.length) return html`<${NoRows} view=${view} here=${here} />`;
  const Row = here.list === "tickets" ? TicketRow : ConversationRow;
  const foot = state === "failed" && html`<${Failed} staff=${staff} error=${rows.error} retry=${() => rows.more()} />`;
  return html`
    <${VirtualList}
      rows=${known} id=${rows.kind.id} rowHeight=${ROW} selected=${view.selected.value}
      label=${staff.texts.lists[here.list]} draw=${(row) => html`<${Row} view=${view} row=${row} />`}
      open=${(row) => view.open(rows.kind.id(row))} more=${() => rows.more()}
      isComplete=${rows.isComplete} foot=${foot}
    />
  `;
}

function NoRows({ view, here }) {
  const { texts } = view.staff;
  const hasFilters = Object.keys(here.filters).length > 0;
  const kind = hasFilters ? "found" : here.list === "tickets" ? "tickets" : here.queue;
  const [title, text] = texts.empty[kind];
  return html`
    <${Empty} icon=${hasFilters ? "search" : here.list === "tickets" ? "ticket" : "inbox"} title=${title} text=${text}>
      ${hasFilters && html`<button type="button" class="button" onClick=${() => move({ filters: {} })}>${texts.search.clearAll}</button>`}
    </${Empty}>
  `;
}

function Search({ view, here }) {
  const { texts } = view.staff;
  const [text, setText] = useState(here.filters.search ?? "");
  const [isOpen, open] = useState(false);
  const waiting = useRef(0);
  useEffect(() => setText(here.filters.search ?? ""), [here.filters.search]);
  const change = (event) => {
    const { value } = event.currentTarget;
    setText(value);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => filter(here, { search: value.trim() }), SEARCH_AFTER_MS);
  };
  const hasFilters = Object.keys(here.filters).some((name) => name !== "search");
  return html`
    <div class="search" role="search">
      <label class="search-field">
        <${Icon} name="search" />
        <span class="hidden">${texts.search.label}</span>
        <input class="input" type="search" id="search" placeholder=${texts.search[here.list]} value=${text} onInput=${change} />
        <span class="key search-key" aria-hidden="true">/</span>
      </label>
      <button type="button" class=${hasFilters ? "button button-icon search-filtered" : "button button-icon"} aria-label=${texts.search.filter} title=${texts.search.filter} aria-expanded=${String(isOpen)} onClick=${() => open(!isOpen)}>
        <${Icon} name="filter" />
      </button>
    </div>
    ${(isOpen || hasFilters) && html`<${Choices} view=${view} here=${here} />`}
    ${Object.keys(here.filters).length > 0 && html`<${Keep} view=${view} here=${here} />`}
  `;
}

function filter(here, change) {
  const filters = { ...here.filters, ...change };
  for (const [name, value] of Object.entries(filters)) if (!value) delete filters[name];
  // A search is for everything, unless it begins inside a queue of one's own choice.
  move({ filters, id: null, ticket: null }, { replace: true });
}

function Choices({ view, here }) {
  const { texts } = view.staff;
  const ofTickets = here.list === "tickets";
  return html`
    <div class="choices">
      ${ofTickets
        ? html`<${Choice} here=${here} name="status" label=${texts.search.status} any=${texts.search.any} names=${texts.status} values=${Object.keys(texts.status)} />`
        : html`
          <${Choice} here=${here} name="owner" label=${texts.search.owner} any=${texts.search.any} names=${texts.owners} values=${OWNERS} />
          <${Choice} here=${here} name="channel" label=${texts.search.channel} any=${texts.search.any} names=${texts.channels} values=${CHANNELS} />
          <${Choice} here=${here} name="language" label=${texts.search.language} any=${texts.search.any} names=${texts.languages} values=${Object.keys(texts.languages)} />
        `}
    </div>
  `;
}

function Choice({ here, name, label, any, names, values }) {
  const change = (event) => filter(here, { [name]: event.currentTarget.value });
  return html`
    <div class="choice">
      <label class="small muted" for=${`filter-${name}`}>${label}</label>
      <select class="input" id=${`filter-${name}`} value=${here.filters[name] ?? ""} onChange=${change}>
        <option value="">${any}</option>
        ${values.map((value) => html`<option key=${value} value=${value}>${names[value]}</option>`)}
      </select>
    </div>
  `;
}

function Keep({ view, here }) {
  const { staff, desk } = view;
  const { texts, client } = staff;
  const [name, setName] = useState("");
  const [isOpen, open] = useState(false);
  if (!isOpen) {
    return html`
      <div class="row">
        <button type="button" class="button button-small" onClick=${() => open(true)}>${texts.search.save}</button>
        <button type="button" class="button button-quiet button-small" onClick=${() => move({ filters: {} })}>${texts.search.clearAll}</button>
      </div>
    `;
  }
  const save = async (event) => {
    event.preventDefault();
    const query = { list: here.list, queue: here.queue, ...here.filters };
    const kept = await attempt(staff, () => client.post("/api/v1/console/filters", { name, query }), { done: texts.search.saved });
    if (!kept) return;
    open(false);
    setName("");
    await desk.readFilters();
  };
  return html`
    <form class="row" onSubmit=${save}>
      <label class="grow"><span class="hidden">${texts.search.saveName}</span>
        <input class="input" autofocus required maxlength="80" placeholder=${texts.search.saveName} value=${name} onInput=${(event) => setName(event.currentTarget.value)} ref=${(one) => one && !name && one.focus()} />
      </label>
      <button class="button button-primary">${staff.common.save}</button>
    </form>
  `;
}
