/** An open conversation: its thread kept up to date, and what an agent does in it. */

import { batch, signal } from "../shared/html.js";
import { randomId } from "../shared/identity.js";
import { fill } from "../shared/wording.js";
import { confirm } from "../staff/dialog.js";
import { attempt, toast } from "../staff/toasts.js";

const TYPING_MS = 6_000;
const GATHER_MS = 120;
const WRITES = new Set(["accepted", "understood", "sentence"]);
const ENDS = new Set(["finished", "message", "handoff", "error"]);

/** @typedef {{key: string, text: string, state: "sending" | "failed", send: () => Promise<void>}} Outgoing */

export class OpenConversation {
  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("../staff/staff.js").Staff} staff
   * @param {string} id
   */
  constructor(desk, staff, id) {
    this.desk = desk;
    this.staff = staff;
    this.id = id;
    this.path = `/api/v1/console/conversations/${encodeURIComponent(id)}`;
    this.state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
    this.error = null;
    this.conversation = signal(null);
    this.messages = signal([]);
    this.notes = signal([]);
    this.events = signal([]);
    this.tickets = signal([]);
    this.calls = signal([]);
    /** What is on its way. @type {{value: Outgoing[]}} */
    this.outgoing = signal([]);
    /** Who writes, by name. @type {{value: Map<string, string>}} */
    this.typing = signal(new Map());
    this.isAnswering = signal(false);
    this.isActing = signal(false);
    this.typingEnds = new Map();
    /** What follows once the person has it: the field to write in. */
    this.onTaken = () => {};
    /** Counts up whenever the file may have changed. */
    this.version = signal(0);
  }

  /** Begin; returns how to stop. */
  open() {
    this.load();
    const unwatch = this.desk.live.watch(this.id);
    const silence = this.desk.listen((event) => this.hear(event));
    return () => {
      this.isClosed = true;
      unwatch();
      silence();
      clearTimeout(this.gathering);
      this.typingEnds.forEach((timer) => clearTimeout(timer));
    };
  }

  async load() {
    this.state.value = "loading";
    try {
      this.show(await this.read(0), false);
    } catch (error) {
      this.error = error;
      this.state.value = "failed";
    }
  }

  async read(after) {
    return (await this.staff.client.get(this.path, { after: after || null })).data;
  }

  show(thread, isMore) {
    if (this.isClosed) return;
    const known = new Set(this.messages.value.map((one) => one.id));
    const fresh = thread.messages.filter((one) => !known.has(one.id));
    batch(() => {
      this.conversation.value = thread.conversation;
      if (fresh.length || !isMore) this.messages.value = isMore ? [...this.messages.value, ...fresh] : thread.messages;
      this.notes.value = thread.notes;
      this.events.value = thread.events;
      this.tickets.value = thread.tickets;
      this.calls.value = thread.calls ?? [];
      this.state.value = "ready";
      if (fresh.some((one) => one.role !== "user")) this.isAnswering.value = false;
      this.version.value += 1;
    });
  }

  get last() {
    return this.messages.value.at(-1)?.sequence ?? 0;
  }

  /** Read what is new, once for whatever happens at the same time. */
  readSoon() {
    this.gathering ??= setTimeout(async () => {
      this.gathering = undefined;
      try {
        this.show(await this.read(this.last), true);
      } catch {
        // Read again with the next event, or when the line is back.
        return;
      }
    }, GATHER_MS);
  }

  hear(event) {
    if (event.type === "resumed") this.readSoon();
    if (event.conversation_id !== this.id) return;
    if (event.type === "conversation" || event.type === "continuity_lost") this.readSoon();
    if (event.type === "typing" && event.agent_id !== this.staff.caller.id) this.showTyping(event.agent_id, event.name);
    if (event.type === "frame") this.hearFrame(event.frame);
  }

  hearFrame(frame) {
    if (frame.type === "typing" && frame.role === "user") this.showTyping("customer", this.customerName);
    if (WRITES.has(frame.type)) this.isAnswering.value = this.conversation.value?.owner !== "human";
    if (frame.type === "accepted" || ENDS.has(frame.type)) {
      this.stopTyping("customer");
      this.readSoon();
    }
    if (ENDS.has(frame.type)) this.isAnswering.value = false;
  }

  get customerName() {
    return this.conversation.value?.customer?.name || this.staff.texts.visitor;
  }

  showTyping(who, name) {
    this.typing.value = new Map(this.typing.value).set(who, name ?? "");
    clearTimeout(this.typingEnds.get(who));
    this.typingEnds.set(who, setTimeout(() => this.stopTyping(who), TYPING_MS));
  }

  stopTyping(who) {
    if (!this.typing.value.has(who)) return;
    const others = new Map(this.typing.value);
    others.delete(who);
    this.typing.value = others;
  }

  get isMine() {
    const row = this.conversation.value;
    return row?.owner === "human" && row.assignee?.id === this.staff.caller.id;
  }

  get mayTake() {
    const owner = this.conversation.value?.owner;
    return owner === "bot" || owner === "waiting";
  }

  /** Whether an answer may be sent as things are. */
  get mayReply() {
    return this.isMine || this.conversation.value?.owner === "closed";
  }

  async act(name, body, options) {
    this.isActing.value = true;
    const done = await attempt(this.staff, () => this.staff.client.post(`${this.path}/${name}`, body), options);
    this.isActing.value = false;
    if (done) this.acted(done.data);
    else this.readSoon();
    return done;
  }

  acted({ conversation, message }) {
    if (conversation) this.conversation.value = conversation;
    if (message && !this.messages.value.some((one) => one.id === message.id)) {
      this.messages.value = [...this.messages.value, message];
    }
    this.desk.touch("conversations", this.id);
    this.desk.countSoon();
    this.readSoon();
  }

  /** Of several who take it one has it; the others are told who. */
  async take() {
    const { texts, client } = this.staff;
    this.isActing.value = true;
    try {
      this.acted((await client.post(`${this.path}/take`)).data);
      toast(texts.taken);
      this.onTaken();
    } catch (error) {
      await this.notTaken(error);
    }
    this.isActing.value = false;
  }

  async notTaken(error) {
    const { texts } = this.staff;
    if (error.status !== 409) {
      await attempt(this.staff, () => Promise.reject(error));
      return;
    }
    const name = this.desk.nameOf(error.details.assignee_id);
    toast(name ? fill(texts.takenByOther, { name }) : texts.takenBySomebody, { tone: "bad" });
    this.desk.touch("conversations", this.id);
    this.readSoon();
  }

  async handBack() {
    const { texts } = this.staff;
    await this.act("hand_back", {}, {
      done: texts.handedBack,
      undo: () => this.take(),
      problems: { 409: texts.notYours },
    });
  }

  async end() {
    const { texts } = this.staff;
    const question = { title: texts.endTitle, text: texts.endText, confirm: texts.end };
    if (!(await confirm(question))) return;
    await this.act("close", {}, { done: texts.ended, problems: { 409: texts.notYours } });
  }

  /** @param {string} to a user's id, `me`, `round_robin` or `skill` @param {string} [skill] */
  async assign(to, skill) {
    const { texts } = this.staff;
    const done = await this.act("assign", skill ? { to, skill } : { to }, {
      problems: { 409: texts.nobodyFree, 400: texts.nobodyFree },
    });
    const assignee = done?.data.conversation.assignee;
    if (assignee) toast(fill(texts.assigned, { name: assignee.name ?? "" }));
    this.desk.readAgents();
  }

  /**
   * Send an answer; what fails stays in sight and can be sent again, once.
   * @param {string} text
   * @param {{use: "accepted" | "edited", sources: any[]} | null} suggestion
   */
  reply(text, suggestion) {
    const key = randomId();
    const body = {
      message: text,
      client_message_id: key,
      ...(suggestion ? { suggestion: suggestion.use, sources: suggestion.sources } : {}),
    };
    const send = async () => {
      this.mark(key, "sending");
      try {
        const { data } = await this.staff.client.post(`${this.path}/reply`, body);
        this.outgoing.value = this.outgoing.value.filter((one) => one.key !== key);
        this.acted(data);
      } catch (error) {
        this.mark(key, "failed");
        const { texts } = this.staff;
        await attempt(this.staff, () => Promise.reject(error), { problems: { 409: texts.notYours } });
        this.readSoon();
      }
    };
    this.outgoing.value = [...this.outgoing.value, { key, text, state: "sending", send }];
    return send();
  }

  mark(key, state) {
    this.outgoing.value = this.outgoing.value.map((one) => (one.key === key ? { ...one, state } : one));
  }

  /** @param {string} body @returns whether it is kept */
  async addNote(body) {
    const { texts, client } = this.staff;
    const kept = await attempt(this.staff, () => client.post(`${this.path}/note`, { body }), { done: texts.noteKept });
    if (kept) this.notes.value = [...this.notes.value, kept.data];
    return Boolean(kept);
  }

  async removeNote(note) {
    const { texts, client } = this.staff;
    const work = () => client.remove(`${this.path}/note/${note.id}`);
    const removed = await attempt(this.staff, async () => (await work(), true), {
      done: texts.noteRemoved,
      undo: () => this.addNote(note.body),
    });
    if (removed) this.notes.value = this.notes.value.filter((one) => one.id !== note.id);
  }
}
