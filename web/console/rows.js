/**
 * A list that is read page by page and kept true: rows that change are read anew one by one, and
 * put where they belong.
 */

import { signal } from "../shared/html.js";

const PAGE = 100;
const GATHER_MS = 300;
const MOST_AT_ONCE = 100;

/**
 * @typedef {object} Kind what the rows are
 * @property {string} path
 * @property {string} one the parameter that names rows to read anew
 * @property {(row: any) => string} id
 * @property {(a: any, b: any, queue: string) => number} order
 */

const byMoment = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const OLDEST_FIRST = new Set(["mine", "unassigned", "waiting", "breaching"]);

/** @type {Record<"conversations" | "tickets", Kind>} */
export const KINDS = {
  conversations: {
    path: "/api/v1/console/conversations",
    one: "ids",
    id: (row) => row.id,
    order: (a, b, queue) =>
      OLDEST_FIRST.has(queue)
        ? byMoment(a.owner_since, b.owner_since) || byMoment(a.id, b.id)
        : byMoment(b.id, a.id),
  },
  tickets: {
    path: "/api/v1/console/tickets",
    one: "numbers",
    id: (row) => row.ticket_id,
    order: (a, b, queue) =>
      OLDEST_FIRST.has(queue)
        ? byMoment(a.sla_response_deadline, b.sla_response_deadline) || byMoment(a.ticket_id, b.ticket_id)
        : byMoment(b.created_at, a.created_at) || byMoment(b.ticket_id, a.ticket_id),
  },
};

export class Rows {
  /**
   * @param {import("../staff/client.js").Client} client
   * @param {"conversations" | "tickets"} name
   * @param {Record<string, string>} query `queue`, `search` and filters
   */
  constructor(client, name, query) {
    this.client = client;
    this.name = name;
    this.kind = KINDS[name];
    this.query = query;
    /** @type {{value: any[]}} */
    this.rows = signal([]);
    this.state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
    this.error = null;
    /** @type {string | null | undefined} undefined before the first page */
    this.cursor = undefined;
    this.isReading = false;
    this.stale = new Set();
    this.stopped = new AbortController();
  }

  get isComplete() {
    return this.cursor === null;
  }

  /** Read the next page. */
  async more() {
    if (this.isReading || this.isComplete) return;
    this.isReading = true;
    if (this.state.value === "failed") this.state.value = "loading";
    try {
      const query = { ...this.query, limit: PAGE, cursor: this.cursor };
      const { data, metadata } = await this.client.get(this.kind.path, query, this.stopped.signal);
      const known = new Set(this.rows.value.map(this.kind.id));
      const fresh = data.filter((row) => !known.has(this.kind.id(row)));
      this.rows.value = [...this.rows.value, ...fresh];
      this.cursor = metadata.next_cursor;
      this.state.value = "ready";
    } catch (error) {
      this.error = error;
      if (!this.stopped.signal.aborted) this.state.value = "failed";
    } finally {
      this.isReading = false;
    }
  }

  /** Something happened to a row, or to one that may belong here now. @param {string} id */
  touch(id) {
    this.stale.add(id);
    this.gathering ??= setTimeout(() => this.readStale(), GATHER_MS);
  }

  async readStale() {
    const ids = [...this.stale].slice(0, MOST_AT_ONCE);
    ids.forEach((id) => this.stale.delete(id));
    this.gathering = this.stale.size ? setTimeout(() => this.readStale(), GATHER_MS) : undefined;
    const search = new URLSearchParams(Object.entries(this.query).filter(([, value]) => value));
    search.set("limit", String(MOST_AT_ONCE));
    ids.forEach((id) => search.append(this.kind.one, id));
    try {
      const address = `${this.kind.path}?${search}`;
      const { data } = await this.client.get(address, {}, this.stopped.signal);
      this.put(new Set(ids), data);
    } catch {
      // Read anew with everything else once the line is back.
      return;
    }
  }

  /** Rows as they are now take the place of what was known of these ids. */
  put(ids, fresh) {
    const { id, order } = this.kind;
    const kept = this.rows.value.filter((row) => !ids.has(id(row)));
    const last = kept.at(-1);
    const sort = (a, b) => order(a, b, this.query.queue);
    // What belongs behind the pages that were read comes with those to come.
    const near = this.isComplete || !last ? fresh : fresh.filter((row) => sort(row, last) < 0);
    this.rows.value = near.length ? [...kept, ...near].sort(sort) : kept;
  }

  /** Read from the beginning, showing what is known meanwhile. */
  async again() {
    const { data, metadata } = await this.client.get(
      this.kind.path,
      { ...this.query, limit: PAGE },
      this.stopped.signal,
    );
    this.rows.value = data;
    this.cursor = metadata.next_cursor;
    this.state.value = "ready";
  }

  stop() {
    this.stopped.abort();
    clearTimeout(this.gathering);
  }
}
