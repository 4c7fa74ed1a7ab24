/** An open ticket: read, changed, commented, merged. */

import { signal } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { confirm } from "../staff/dialog.js";
import { attempt, toast } from "../staff/toasts.js";

export const NEXT_STATUSES = {
  open: ["in_progress", "waiting_customer", "waiting_supplier", "resolved", "closed"],
  in_progress: ["waiting_customer", "waiting_supplier", "resolved", "closed"],
  waiting_customer: ["in_progress", "waiting_supplier", "resolved", "closed"],
  waiting_supplier: ["in_progress", "waiting_customer", "resolved", "closed"],
  resolved: ["closed", "open"],
  closed: ["open"],
};

export class OpenTicket {
  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("../staff/staff.js").Staff} staff
   * @param {string} number
   */
  constructor(desk, staff, number) {
    this.desk = desk;
    this.staff = staff;
    this.number = number;
    this.panelPath = `/api/v1/console/tickets/${encodeURIComponent(number)}`;
    this.path = `/api/tickets/${encodeURIComponent(number)}`;
    this.state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
    this.error = null;
    this.ticket = signal(null);
    this.files = signal([]);
    this.isBusy = signal(false);
  }

  /** Begin; returns how to stop. */
  open() {
    this.load();
    return this.desk.listen((event) => {
      const isMine = event.type === "ticket" && event.ticket_id === this.number;
      if ((isMine && !this.isBusy.value) || event.type === "resumed") this.read().catch(() => {});
    });
  }

  async load() {
    this.state.value = "loading";
    try {
      await this.read();
      this.state.value = "ready";
    } catch (error) {
      this.error = error;
      this.state.value = "failed";
    }
  }

  async read() {
    const { client } = this.staff;
    const [panel, plain] = await Promise.all([client.get(this.panelPath), client.get(this.path)]);
    this.ticket.value = panel.data;
    this.files.value = plain.ticket.files;
  }

  /** Do something and show what came of it. @param {() => Promise<any>} work @param {any} [options] */
  async act(work, options) {
    this.isBusy.value = true;
    const done = await attempt(this.staff, async () => {
      const answer = await work();
      await this.read();
      return answer ?? true;
    }, options);
    this.isBusy.value = false;
    if (!done) await this.read().catch(() => {});
    this.desk.touch("tickets", this.number);
    this.desk.countSoon();
    return done;
  }

  /** @param {"status" | "severity" | "assigned_to"} name @param {string | null} value */
  async change(name, value) {
    const before = this.before(name);
    const { client, texts } = this.staff;
    const set = (wanted) => client.patch(this.path, { [name]: wanted });
    const mayReturn = name !== "status" || NEXT_STATUSES[value]?.includes(before);
    const undo = mayReturn ? () => this.act(() => set(before)) : undefined;
    await this.act(() => set(value), { done: texts.ticket.changed, undo });
  }

  before(name) {
    const { status, problem_severity: severity, assignee_id: assigned_to } = this.ticket.value;
    return { status, severity, assigned_to }[name];
  }

  async assignInTurn() {
    const { client, texts } = this.staff;
    await this.act(() => client.post(`${this.panelPath}/assign`, { to: "round_robin" }), {
      done: texts.ticket.changed,
      problems: { 409: texts.nobodyFree },
    });
  }

  /** @param {string} body @param {boolean} isInternal */
  comment(body, isInternal) {
    const { client, texts } = this.staff;
    const said = { body, is_internal: isInternal };
    return this.act(() => client.post(`${this.path}/comments`, said), { done: texts.ticket.added });
  }

  /** Make this ticket a double of another, which is shown then. @param {string} into */
  async merge(into) {
    const { client, texts } = this.staff;
    const names = { number: this.number, into };
    const question = {
      title: fill(texts.ticket.mergeTitle, names),
      text: fill(texts.ticket.mergeText, names),
      confirm: texts.ticket.merge,
    };
    if (!(await confirm(question))) return false;
    const done = await this.act(() => client.post(`${this.panelPath}/merge`, { into }));
    if (done) toast(fill(texts.ticket.merged, names), { undo: () => this.unmerge() });
    return Boolean(done);
  }

  async unmerge() {
    const { client, texts } = this.staff;
    const done = fill(texts.ticket.unmerged, { number: this.number });
    await this.act(() => client.post(`${this.panelPath}/unmerge`), { done });
  }
}
