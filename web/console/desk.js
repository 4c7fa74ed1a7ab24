/** All that the console knows: queues, the open list, colleagues, macros, what is live. */

import { signal } from "../shared/html.js";
import { Live } from "./live.js";
import { Rows } from "./rows.js";

const COUNT_EVERY_MS = 1_500;
const COUNT_AT_LEAST_MS = 30_000;
const CONSOLE = "/api/v1/console";

export class Desk {
  /** @param {import("../staff/staff.js").Staff} staff */
  constructor(staff) {
    this.client = staff.client;
    this.me = staff.caller;
    /** By queue. @type {{value: Record<string, {conversations: number, tickets: number}>}} */
    this.counts = signal({});
    /** @type {{value: any[]}} */
    this.agents = signal([]);
    /** @type {{value: any[]}} */
    this.macros = signal([]);
    /** @type {{value: any[]}} */
    this.filters = signal([]);
    /** The open list. @type {{value: Rows | null}} */
    this.rows = signal(null);
    this.listName = "";
    /** What listens to events: open conversations and tickets. @type {Set<(event: any) => void>} */
    this.listeners = new Set();
    this.live = new Live(staff.session, (event) => this.hear(event), () => this.readAgain());
  }

  /** Begin; returns how to stop. */
  start() {
    this.live.open();
    this.countSoon();
    this.readAgents();
    this.readMacros();
    this.readFilters();
    const regularly = setInterval(() => this.countSoon(), COUNT_AT_LEAST_MS);
    return () => {
      clearInterval(regularly);
      clearTimeout(this.counting);
      this.rows.value?.stop();
      this.live.close();
    };
  }

  /** Open a list; the same one stays as it is. @param {"conversations" | "tickets"} name @param {Record<string, string>} query */
  list(name, query) {
    const key = JSON.stringify([name, query]);
    if (this.listKey === key) return;
    this.listKey = key;
    this.listName = name;
    this.rows.value?.stop();
    const rows = new Rows(this.client, name, query);
    this.rows.value = rows;
    rows.more();
  }

  hear(event) {
    if (event.type === "conversation") {
      this.touch("conversations", event.conversation_id);
      this.countSoon();
    }
    if (event.type === "ticket") {
      this.touch("tickets", event.ticket_id);
      this.countSoon();
    }
    for (const listener of this.listeners) listener(event);
  }

  /** @param {string} list @param {string} id */
  touch(list, id) {
    if (this.listName === list) this.rows.value?.touch(id);
  }

  /** @param {(event: any) => void} listener @returns {() => void} how to stop */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The line was cut: whatever is shown may be old. */
  readAgain() {
    this.countSoon();
    this.rows.value?.again().catch(() => {});
    for (const listener of this.listeners) listener({ type: "resumed" });
  }

  countSoon() {
    this.counting ??= setTimeout(() => this.count(), Object.keys(this.counts.value).length ? COUNT_EVERY_MS : 0);
  }

  async count() {
    try {
      const { data } = await this.client.get(`${CONSOLE}/queues`);
      this.counts.value = Object.fromEntries(data.map((one) => [one.name, one]));
    } catch {
      // The next event counts again.
      return;
    } finally {
      this.counting = undefined;
    }
  }

  async readAgents() {
    await this.readInto(this.agents, "/agents");
  }

  async readMacros() {
    await this.readInto(this.macros, "/macros");
  }

  /** As `readMacros`, for who must know when it fails. @param {AbortSignal} signal */
  async loadMacros(signal) {
    const { data } = await this.client.get(`${CONSOLE}/macros`, {}, signal);
    this.macros.value = data;
    return data;
  }

  async readFilters() {
    await this.readInto(this.filters, "/filters");
  }

  async readInto(place, path) {
    try {
      place.value = (await this.client.get(CONSOLE + path)).data;
    } catch {
      // Menus stay as they are; the next opening of the page reads them.
      return;
    }
  }

  /** @param {string | null | undefined} id of a user */
  nameOf(id) {
    return this.agents.value.find((agent) => agent.id === id)?.name ?? null;
  }

  get profile() {
    return this.agents.value.find((agent) => agent.id === this.me.id) ?? null;
  }

  /** What agents are good at, all of them together. */
  get skills() {
    return [...new Set(this.agents.value.flatMap((agent) => agent.skills))].sort();
  }
}
