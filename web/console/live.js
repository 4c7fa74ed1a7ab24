/**
 * The console's line to the server: events of the whole desk, frames of what is watched.
 *
 * It opens itself again after every cut, longer apart each time, and says when it is cut.
 */

import { signal } from "../shared/html.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 40_000;
const NOT_AUTHENTICATED = 4401;
const TYPING_EVERY_MS = 2_500;

/** @typedef {"connecting" | "online" | "offline"} LineState */

export class Live {
  /**
   * @param {import("../staff/session.js").Session} session
   * @param {(event: any) => void} receive
   * @param {() => void} resumed called after every cut: events may have been missed
   */
  constructor(session, receive, resumed) {
    this.session = session;
    this.receive = receive;
    this.resumed = resumed;
    /** @type {{value: LineState}} */
    this.state = signal("connecting");
    this.watched = new Set();
    this.failures = 0;
    this.wasOpen = false;
    this.closed = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.typedAt = 0;
    this.onOffline = () => this.drop();
    this.onOnline = () => this.retryNow();
    addEventListener("offline", this.onOffline);
    addEventListener("online", this.onOnline);
  }

  async open() {
    if (this.closed || this.socket) return;
    let token;
    try {
      token = await this.session.freshToken();
    } catch (error) {
      if (error.status === 401) return;
      this.tryAgain();
      return;
    }
    if (this.closed || this.socket) return;
    const address = new URL("/api/v1/console/live", location.origin);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, ["mdf.console", `bearer.${token}`]);
    this.socket = socket;
    this.watchSilence();
    socket.onmessage = ({ data }) => {
      this.watchSilence();
      this.hear(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (code === NOT_AUTHENTICATED) this.session.accessToken = null;
      this.lost(socket);
    };
  }

  hear(event) {
    if (event.type === "ready") this.opened();
    else if (event.type === "continuity_lost") this.resumed();
    else if (event.type !== "heartbeat" && event.type !== "watching") this.receive(event);
  }

  opened() {
    this.failures = 0;
    this.state.value = "online";
    for (const id of this.watched) this.send({ type: "watch", conversation_id: id });
    if (this.wasOpen) this.resumed();
    this.wasOpen = true;
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** @param {string} id @returns {() => void} how to stop */
  watch(id) {
    this.watched.add(id);
    if (this.state.value === "online") this.send({ type: "watch", conversation_id: id });
    return () => {
      this.watched.delete(id);
      this.send({ type: "unwatch", conversation_id: id });
    };
  }

  /** The person writes; said every few seconds at most. @param {string} id */
  typing(id) {
    if (Date.now() - this.typedAt < TYPING_EVERY_MS) return;
    this.typedAt = Date.now();
    this.send({ type: "typing", conversation_id: id });
  }

  drop() {
    const { socket } = this;
    if (!socket) {
      this.state.value = navigator.onLine ? "connecting" : "offline";
      return;
    }
    socket.close();
    this.lost(socket);
  }

  lost(socket) {
    if (this.socket !== socket) return;
    this.socket = null;
    this.tryAgain();
  }

  tryAgain() {
    this.state.value = "offline";
    if (this.closed) return;
    clearTimeout(this.again);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    this.failures += 1;
    this.again = setTimeout(() => this.open(), wait * (0.5 + Math.random() / 2));
  }

  retryNow() {
    this.failures = 0;
    clearTimeout(this.again);
    this.open();
  }

  watchSilence() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.drop(), SILENCE_MS);
  }

  close() {
    this.closed = true;
    removeEventListener("offline", this.onOffline);
    removeEventListener("online", this.onOnline);
    clearTimeout(this.silence);
    clearTimeout(this.again);
    this.socket?.close();
  }
}
