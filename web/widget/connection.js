/**
 * The way to the server: a WebSocket, else server-sent events, else plain requests.
 *
 * It carries frames and keeps itself alive; what they mean is `conversation.js`, and what to send
 * again is `chat.js`.
 */

import { ask, readEvents, request, RequestError } from "../shared/http.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
// The server says something at least every 15 s.
const SILENCE_MS = 40_000;
const OPENING_MS = 8_000;
const ATTEMPTS_OF_A_WAY = 2;
const NOT_AUTHENTICATED = 4401;
const POLL_MS = 6_000;

/** @typedef {"socket" | "events" | "requests"} Way */

/**
 * @typedef {object} Listener
 * @property {(frame: any) => void} receive
 * @property {(online: boolean) => void} connected called at every change
 * @property {(clientMessageId: string, answer: any) => void} answered a reply given whole
 * @property {() => void} unauthorized the token opens nothing any more
 * @property {() => Promise<void>} poll read what was said, where nothing is pushed
 */

export class Connection {
  /**
   * @param {import("../shared/http.js").Server} server
   * @param {string} sessionId
   * @param {() => number} after the last sequence received
   * @param {Listener} listener
   * @param {Way[]} ways the wished first
   */
  constructor(server, sessionId, after, listener, ways) {
    this.server = server;
    this.sessionId = sessionId;
    this.after = after;
    this.listener = listener;
    this.ways = [...ways];
    this.failures = 0;
    this.closed = false;
    this.online = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {AbortController | null} */
    this.stream = null;
    this.timers = new Set();
    this.goOffline = () => this.drop();
    this.goOnline = () => this.retryNow();
    addEventListener("offline", this.goOffline);
    addEventListener("online", this.goOnline);
  }

  /** @returns {Way} */
  get way() {
    return this.ways[0];
  }

  open() {
    if (this.closed || this.socket || this.stream || this.online) return;
    if (this.way === "socket") this.openSocket();
    else if (this.way === "events") this.openStream();
    else this.openPolling();
  }

  close() {
    this.closed = true;
    removeEventListener("offline", this.goOffline);
    removeEventListener("online", this.goOnline);
    this.drop();
    this.stopTimers();
  }

  /** Give up what is open now; a new attempt follows by itself. */
  drop() {
    const { socket, stream } = this;
    if (socket) {
      socket.close();
      this.lost(socket);
    }
    stream?.abort();
    if (this.way === "requests") this.setOnline(false);
  }

  retryNow() {
    this.failures = 0;
    this.stopTimers();
    this.open();
  }

  /**
   * Send a message; what becomes of it comes back as frames, or as one answer.
   * @param {{message: string, client_message_id: string, language?: string, attachments: string[]}} said
   */
  send(said) {
    if (this.way === "socket") {
      this.socket?.send(JSON.stringify({ type: "message", ...said }));
      return Promise.resolve();
    }
    const body = { ...said, session_id: this.sessionId };
    return this.way === "events" ? this.sendForEvents(body) : this.sendForAnswer(body);
  }

  /** Let whoever answers see that something is being written; only a socket can say it. */
  showTyping() {
    if (this.online && this.way === "socket") this.socket?.send(JSON.stringify({ type: "typing" }));
  }

  async sendForEvents(body) {
    const accept = "text/event-stream";
    const response = await request(this.server, "/api/chat", { body, accept });
    await readEvents(response, (frame) => this.listener.receive(frame));
  }

  async sendForAnswer(body) {
    const answer = await ask(this.server, "/api/chat", { body });
    this.listener.answered(body.client_message_id, answer);
  }

  openSocket() {
    const address = new URL(`/api/chat/ws?${this.query()}`, this.server.origin);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, ["mdf.chat", `bearer.${this.server.token()}`]);
    this.socket = socket;
    this.later(OPENING_MS, () => !this.online && this.socket === socket && this.drop());
    socket.onmessage = (event) => {
      const frame = JSON.parse(event.data);
      this.watchSilence();
      if (frame.type === "ready") this.setOnline(true);
      else this.listener.receive(frame);
    };
    socket.onclose = (event) => {
      if (event.code === NOT_AUTHENTICATED) this.listener.unauthorized();
      this.lost(socket);
    };
  }

  lost(socket) {
    if (this.socket !== socket) return;
    this.socket = null;
    this.tryAgain();
  }

  async openStream() {
    const stream = new AbortController();
    this.stream = stream;
    this.later(OPENING_MS, () => !this.online && stream.abort());
    try {
      const path = `/api/chat/stream?${this.query()}`;
      const options = { accept: "text/event-stream", signal: stream.signal };
      const response = await request(this.server, path, options);
      // Online only when the first piece is here: some proxies keep streams to themselves.
      await readEvents(response, (frame) => this.listener.receive(frame), () => {
        this.watchSilence();
        this.setOnline(true);
      });
    } catch (error) {
      if (error instanceof RequestError && error.status === 401) this.listener.unauthorized();
    }
    this.stream = null;
    this.tryAgain();
  }

  openPolling() {
    const poll = async () => {
      try {
        await this.listener.poll();
        this.setOnline(true);
      } catch (error) {
        if (error.status === 401) this.listener.unauthorized();
        this.setOnline(false);
      }
      if (!this.closed) this.later(POLL_MS, poll);
    };
    poll();
  }

  query() {
    return new URLSearchParams({ session_id: this.sessionId, after: String(this.after()) });
  }

  /** Wait longer after each failure; a way that never opens gives place to the next. */
  tryAgain() {
    const wasOnline = this.online;
    this.setOnline(false);
    if (this.closed) return;
    this.stopTimers();
    this.failures = wasOnline ? 1 : this.failures + 1;
    if (!wasOnline && navigator.onLine && this.failures >= ATTEMPTS_OF_A_WAY && this.ways[1]) {
      this.ways.shift();
      this.failures = 0;
    }
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    this.later(wait * (0.5 + Math.random() / 2), () => this.open());
  }

  watchSilence() {
    clearTimeout(this.silence);
    this.timers.delete(this.silence);
    this.silence = this.later(SILENCE_MS, () => this.drop());
  }

  setOnline(online) {
    if (this.online === online) return;
    this.online = online;
    if (online) this.failures = 0;
    this.listener.connected(online);
  }

  later(milliseconds, work) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, milliseconds);
    this.timers.add(timer);
    return timer;
  }

  stopTimers() {
    this.timers.forEach(clearTimeout);
    this.timers.clear();
  }
}
