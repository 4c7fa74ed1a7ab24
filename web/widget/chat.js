/** One visitor's chat: what is shown (signals), and everything that can be done. */

import { computed, signal } from "../shared/html.js";
import { ask, RequestError } from "../shared/http.js";
import { randomId } from "../shared/identity.js";
import {
  applyAnswer,
  applyFrame,
  changed,
  emptyConversation,
  fromHistory,
  newTurn,
} from "./conversation.js";
import { Connection } from "./connection.js";
import { forget, keep, ownerOf, recall } from "./memory.js";
import { Uploads } from "./uploads.js";

const LANGUAGES = ["fr", "en", "es", "de", "it", "nl"];
const HISTORY_PAGE = 100;
const RETRY_SECONDS = 3;
// What was said before comes at once with the connection.
const RESTORED_MS = 300;
// How long somebody counts as writing after they were seen to.
const TYPING_MS = 6_000;
const WRITES_EVERY_MS = 2_500;

/**
 * @typedef {import("./conversation.js").Turn} Turn
 * @typedef {object} Options
 * @property {string} origin of the server
 * @property {string} organization the shop's public key
 * @property {string} language that the page is in
 * @property {import("./connection.js").Way[]} ways
 * @property {(event: string, detail?: unknown) => void} tell whoever listens on the page
 */

export class Chat {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    /** @type {string | null} an access token, and whose it is */
    this.accountToken = null;
    this.account = null;
    const kept = recall(this.owner);
    this.visitorToken = kept.token;
    this.sessionId = kept.sessionId;
    this.server = {
      origin: options.origin,
      organization: options.organization,
      token: () => this.accountToken ?? this.visitorToken,
    };
    this.conversation = signal(emptyConversation());
    this.online = signal(false);
    this.hasNetwork = signal(navigator.onLine);
    for (const event of ["online", "offline"]) {
      addEventListener(event, () => (this.hasNetwork.value = navigator.onLine));
    }
    this.hasConnected = signal(false);
    this.notice = signal(/** @type {string | null} */ (null));
    this.isRestoring = signal(false);
    this.wroteAt = 0;
    this.typing = signal(/** @type {{name: string | null} | null} */ (null));
    this.uploads = new Uploads(this.server, () => this.becomeKnown());
    this.isAnswering = computed(() =>
      this.conversation.value.turns.some((turn) => isUnderway(turn)),
    );
    /** @type {Connection | null} */
    this.connection = null;
    this.retries = new Set();
  }

  /** Go on with the conversation of an earlier page, if there is one. */
  restore() {
    if (this.connection || !this.sessionId || !this.server.token()) return;
    this.isRestoring.value = true;
    this.connect();
  }

  get owner() {
    return ownerOf(this.options.organization, this.account);
  }

  /**
   * Speak as the shop's customer from now on, and go on with their conversation.
   * @param {string | null} token an access token of their account; null: a visitor again
   */
  identify(token) {
    const account = token && subjectOf(token);
    this.accountToken = token;
    if (account === this.account) return;
    this.leave();
    this.account = account;
    const kept = recall(this.owner);
    this.sessionId = kept.sessionId;
    if (!token) this.visitorToken = kept.token;
  }

  /** The next message begins another conversation. */
  startAnew() {
    this.leave();
    this.remember();
  }

  leave() {
    this.connection?.close();
    this.connection = null;
    this.retries.forEach(clearTimeout);
    this.sessionId = null;
    this.conversation.value = emptyConversation();
    this.hasConnected.value = false;
    this.online.value = false;
    this.uploads.clear();
  }

  /** A visitor becomes known to the server when they first do something, not before. */
  async becomeKnown() {
    this.sessionId ??= `session_${randomId()}`;
    if (this.server.token()) return;
    this.asking ??= ask(this.server, "/api/chat/visitor", { body: {} }).finally(() => {
      this.asking = null;
    });
    this.visitorToken = (await this.asking).visitor_token;
    this.remember();
  }

  /** The shop keeps its customers' access tokens itself. */
  remember() {
    const token = this.account ? null : this.visitorToken;
    keep(this.owner, { token, sessionId: this.sessionId });
  }

  /**
   * Say something, with the files that are ready.
   * @param {string} text
   */
  async say(text) {
    const files = this.uploads.take();
    const turn = newTurn({
      clientMessageId: randomId(),
      text,
      attached: files.map(({ name, type, url }) => ({ name, type, url })),
      fileIds: files.map((file) => file.fileId),
    });
    const { value } = this.conversation;
    this.conversation.value = { ...value, turns: [...value.turns, turn] };
    this.options.tell("message", { role: "user", text });
    await this.deliver(turn);
  }

  /** @param {Turn} turn */
  async deliver(turn) {
    this.update(turn.clientMessageId, { state: "sending", problem: null });
    try {
      await this.becomeKnown();
    } catch (error) {
      // Asked again only where nobody answered: who is refused a token is refused the next.
      if (error.status === 0) this.againIn(turn.clientMessageId, RETRY_SECONDS);
      else this.update(turn.clientMessageId, { state: "failed", problem: error.message });
      return;
    }
    this.remember();
    this.connect();
    if (this.connection.online) await this.send(turn);
  }

  connect() {
    if (!this.connection) {
      const after = () => this.conversation.value.last;
      const { ways } = this.options;
      this.connection = new Connection(this.server, this.sessionId, after, this, ways);
    }
    this.connection.open();
  }

  /** @param {Turn} turn */
  async send(turn) {
    const language = LANGUAGES.includes(this.options.language) ? this.options.language : undefined;
    try {
      await this.connection.send({
        message: turn.text,
        client_message_id: turn.clientMessageId,
        attachments: turn.fileIds,
        ...(language ? { language } : {}),
      });
    } catch (error) {
      this.refused(turn, error);
    }
  }

  /**
   * @param {Turn} turn
   * @param {unknown} error
   */
  refused(turn, error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.status === 401) this.unauthorized();
    else if (error.status === 429) this.againIn(turn.clientMessageId, error.retryAfter ?? 60);
    else if (error.status === 0) this.againIn(turn.clientMessageId, RETRY_SECONDS);
    else this.update(turn.clientMessageId, { state: "failed", problem: error.message });
  }

  againIn(clientMessageId, seconds) {
    if (seconds > 5) this.notice.value = String(Math.ceil(seconds));
    const timer = setTimeout(() => {
      this.retries.delete(timer);
      this.notice.value = null;
      this.again(clientMessageId);
    }, seconds * 1000);
    this.retries.add(timer);
  }

  /** Send a message again under its id: it is answered once, however often it is sent. */
  async again(clientMessageId) {
    const { turns } = this.conversation.value;
    const turn = turns.find((one) => one.clientMessageId === clientMessageId);
    if (turn && turn.state !== "done") await this.deliver(turn);
  }

  update(clientMessageId, values) {
    const matches = (turn) => turn.clientMessageId === clientMessageId;
    this.conversation.value = changed(this.conversation.value, matches, values);
  }

  /** What was said in a call belongs to the conversation: go on listening to it. */
  hasBeenCalled() {
    this.remember();
    this.connect();
  }

  // What the connection tells.

  connected(online) {
    this.online.value = online;
    if (!online) return;
    this.hasConnected.value = true;
    for (const turn of this.conversation.value.turns) {
      // A message that may not have arrived; the server knows it by its id if it has.
      if (turn.state === "sending") this.send(turn);
    }
    if (this.isRestoring.value) setTimeout(() => this.restored(), RESTORED_MS);
  }

  restored() {
    this.isRestoring.value = false;
    // What was sent along is no part of the frames; the conversation can be read without it.
    this.readAttached().catch(() => undefined);
  }

  /** Pictures of the files that came with earlier messages. */
  async readAttached() {
    for (const { id, attachments } of await this.readHistory()) {
      const isKnown = ({ messageId, attached }) => messageId === id && !attached.length;
      if (!attachments.length || !this.conversation.value.turns.some(isKnown)) continue;
      const attached = await Promise.all(attachments.map((fileId) => this.readFile(fileId)));
      this.conversation.value = changed(this.conversation.value, isKnown, { attached });
    }
  }

  /** @returns {Promise<import("./conversation.js").Attached>} */
  async readFile(fileId) {
    const { file } = await ask(this.server, `/api/upload/${encodeURIComponent(fileId)}`);
    const name = file.description || file.file_type;
    if (file.file_type.startsWith("video/")) {
      return { name, type: file.file_type, url: file.file_url, poster: file.thumbnail_url };
    }
    const type = file.thumbnail_url ? "image/jpeg" : file.file_type;
    return { name, type, url: file.thumbnail_url };
  }

  receive(frame) {
    if (frame.type === "error" && frame.error === "rate_limit_exceeded") {
      this.againIn(frame.client_message_id, frame.retry_after ?? 60);
      return;
    }
    if (frame.type === "typing" && frame.role === "agent") this.showTyping(frame.name);
    if (frame.type === "message") this.typing.value = null;
    const before = this.conversation.value;
    this.conversation.value = applyFrame(before, frame);
    if (frame.type === "unanswered") this.again(frame.client_message_id);
    if (frame.type === "continuity_lost" && !this.hasTurnOf(frame.after)) this.poll();
    if (this.conversation.value !== before && !frame.rebuilt) this.announce(frame);
  }

  /** The visitor is writing: whoever answers them sees it, said every few seconds at most. */
  writes() {
    const { owner } = this.conversation.value;
    if ((owner !== "human" && owner !== "waiting") || Date.now() < this.wroteAt + WRITES_EVERY_MS) return;
    this.wroteAt = Date.now();
    this.connection?.showTyping();
  }

  showTyping(name) {
    this.typing.value = { name };
    clearTimeout(this.typingEnds);
    this.typingEnds = setTimeout(() => (this.typing.value = null), TYPING_MS);
  }

  hasTurnOf(sequence) {
    const number = Math.floor(sequence / 1000);
    return this.conversation.value.turns.some((turn) => turn.number === number);
  }

  /** Tell the page what has happened, without what was said. */
  announce(frame) {
    const { tell } = this.options;
    if (frame.type === "finished") tell("message", { role: "assistant" });
    if (frame.type === "message") tell("message", { role: frame.role });
    if (frame.type === "handoff") tell("handoff", { owner: frame.owner });
    if (frame.type === "tool_result" && frame.tool === "create_ticket") {
      tell("ticket", { ticketId: frame.result.ticket_id });
    }
  }

  answered(clientMessageId, answer) {
    this.conversation.value = applyAnswer(this.conversation.value, clientMessageId, answer);
    this.options.tell("message", { role: "assistant" });
  }

  unauthorized() {
    // The token has expired: what was said under it cannot be read any more.
    if (!this.account) forget(this.owner);
    this.accountToken = null;
    this.account = null;
    this.visitorToken = null;
    this.connection?.close();
    this.connection = null;
    this.sessionId = null;
    this.isRestoring.value = false;
    const { turns } = this.conversation.value;
    turns.filter((turn) => turn.state === "sending").forEach((turn) => this.deliver(turn));
  }

  /** Read the history, where frames are not to be had; skipped while a reply is on its way. */
  async poll() {
    if (this.isAnswering.value) return;
    const messages = await this.readHistory();
    if (this.isAnswering.value || messages.length <= countMessages(this.conversation.value)) return;
    const { owner, wait, last } = this.conversation.value;
    this.conversation.value = { ...fromHistory(messages), owner, wait, last };
  }

  /** The latest messages, oldest first. @returns {Promise<any[]>} */
  async readHistory() {
    const page = (offset) =>
      `/api/chat/history?${new URLSearchParams({
        session_id: this.sessionId,
        limit: String(HISTORY_PAGE),
        offset: String(offset),
      })}`;
    const { messages, total } = await ask(this.server, page(0));
    if (total <= HISTORY_PAGE) return messages;
    return (await ask(this.server, page(total - HISTORY_PAGE))).messages;
  }

  /**
   * The text around a quote.
   * @param {import("./conversation.js").Source} source
   */
  async readSource(source) {
    const query = new URLSearchParams({ session_id: this.sessionId, quote: source.quote });
    return (await ask(this.server, `/api/chat/sources/${source.id}?${query}`)).source;
  }

  /** How a ticket stands now; null for visitors, who have no list of tickets. */
  async readTicket(ticketId) {
    if (!this.accountToken) return null;
    return (await ask(this.server, `/api/tickets/${encodeURIComponent(ticketId)}`)).ticket;
  }

  /**
   * @param {number} score 1 to 5
   * @param {string} comment
   */
  async rate(score, comment) {
    await ask(this.server, "/api/chat/rating", {
      body: { session_id: this.sessionId, score, comment },
    });
    this.options.tell("rating", { score });
  }
}

/** Whose token it is; the server alone can say whether it is true. */
function subjectOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub;
  } catch {
    return "account";
  }
}

/** @param {Turn} turn */
function isUnderway(turn) {
  return turn.state === "sending" || turn.state === "accepted" || turn.state === "answering";
}

function countMessages(conversation) {
  return conversation.turns.reduce(
    (sum, turn) => sum + (turn.text === null ? 0 : 1) + (turn.reply ? 1 : 0),
    0,
  );
}
