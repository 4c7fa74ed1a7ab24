/** A live call: its socket, its sound, and what is known of it (docs/voice_calls.md). */

import { signal } from "../../shared/html.js";
import { ask, request } from "../../shared/http.js";
import { closeMicrophone, openMicrophone } from "./microphone.js";
import { Sound } from "./sound.js";

const SUBPROTOCOL = "mdf.voice";
const SPOKEN = ["fr", "en", "es", "de", "it"];
const CONSENT = "voice_recording";
const SEQUENCE_BYTES = 4;
const NOT_AUTHENTICATED = 4401;
const SERVICE_RESTARTS = 1001;
// A line that has not taken two seconds of sound is not worth more of it.
const MOST_WAITING_BYTES = 64_000;

/**
 * @typedef {{key: number, who: "you" | "assistant", text: string, isFinal: boolean}} Caption
 * @typedef {{text: string, isGiven: boolean}} Consent the wording, and whether it was agreed to
 */

export class LiveCall {
  /** @param {import("../chat.js").Chat} chat @param {"fr" | "en"} language of the interface */
  constructor(chat, language) {
    this.chat = chat;
    this.language = language;
    this.state = signal(/** @type {"asking" | "connecting" | "talking" | "ended"} */ ("asking"));
    /** Why it ended: a reason of the protocol, `refused`, or what is wrong with the microphone. */
    this.reason = signal("");
    this.isMuted = signal(false);
    this.isRecorded = signal(false);
    this.seconds = signal(0);
    this.ticket = signal(/** @type {string | null} */ (null));
    /** @type {{value: Caption[]}} */
    this.captions = signal([]);
    /** How many frames of the assistant's voice have been played. */
    this.played = signal(0);
    /** Sentences that have arrived and are not heard yet. @type {{text: string, first: number}[]} */
    this.coming = [];
  }

  loudness = () => this.sound?.loudness() ?? 0;

  /** The wording that callers can agree to. @returns {Promise<Consent | null>} null: not to be had */
  async readConsent() {
    try {
      await this.chat.becomeKnown();
      const { texts, consents } = await ask(this.chat.server, "/api/privacy/consents");
      const wording = texts.find(({ kind }) => kind === CONSENT);
      const isGiven = consents.some(({ kind, withdrawn_at: at }) => kind === CONSENT && !at);
      return wording ? { text: wording.texts[this.language], isGiven } : null;
    } catch {
      // Without the wording nobody is recorded; the call itself says what is wrong.
      return null;
    }
  }

  /** @param {boolean} recording whether the caller has agreed to the wording */
  async begin(recording) {
    this.state.value = "connecting";
    this.reason.value = "";
    this.captions.value = [];
    this.coming = [];
    this.isMuted.value = false;
    this.isRecorded.value = false;
    this.seconds.value = 0;
    this.ticket.value = null;
    this.sound = new Sound((samples) => this.send(samples), (sequence) => this.hasPlayed(sequence));
    try {
      this.stream = await openMicrophone();
      await this.sound.open();
      await this.chat.becomeKnown();
    } catch (error) {
      this.end(error.problem ?? "refused");
      return;
    }
    if (this.state.value !== "connecting") this.release();
    else this.connect(recording);
  }

  connect(recording) {
    const { server, sessionId, options } = this.chat;
    const address = `${server.origin.replace(/^http/, "ws")}/api/voice/call`;
    const socket = new WebSocket(address, [SUBPROTOCOL]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () =>
      this.tell("start", {
        token: server.token(),
        session_id: sessionId,
        recording,
        format: "pcm",
        ...(server.organization ? { organization: server.organization } : {}),
        ...(SPOKEN.includes(options.language) ? { language: options.language } : {}),
      });
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.receive(JSON.parse(data));
      else this.sound.play(new DataView(data).getUint32(0), data.slice(SEQUENCE_BYTES));
    };
    socket.onclose = ({ code }) => this.closed(socket, code);
  }

  tell(type, fields = {}) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type, ...fields }));
    }
  }

  /** @param {ArrayBuffer} samples */
  send(samples) {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN || this.state.value !== "talking") return;
    if (socket.bufferedAmount < MOST_WAITING_BYTES) socket.send(samples);
  }

  receive(frame) {
    switch (frame.type) {
      case "ready":
        this.isRecorded.value = frame.recording === true;
        this.talk();
        break;
      case "speaking":
        this.coming.push({ text: frame.text, first: frame.first_frame });
        break;
      case "clear":
        this.sound.clear();
        this.coming = [];
        break;
      case "partial":
        this.caption("you", frame.text, false);
        break;
      case "transcript":
        this.caption("you", frame.text, true);
        break;
      case "recording":
        this.isRecorded.value = frame.recording === true;
        break;
      case "handoff":
        this.ticket.value = frame.ticket_id;
        break;
      case "error":
        if (frame.error === "voice_unavailable") this.end("unavailable");
        break;
      case "ended":
        this.end(frame.reason);
        break;
    }
  }

  talk() {
    this.state.value = "talking";
    this.sound.listen(this.stream);
    const began = Date.now();
    this.clock = setInterval(() => (this.seconds.value = Math.floor((Date.now() - began) / 1000)), 500);
  }

  /** What is heard is captioned when it is heard, not when it arrives. */
  hasPlayed(sequence) {
    this.played.value += 1;
    this.tell("played", { sequence });
    while (this.coming.length && this.coming[0].first <= sequence) {
      this.caption("assistant", this.coming.shift().text, true);
    }
  }

  /** A partial caption of the caller is replaced by what follows. */
  caption(who, text, isFinal) {
    const settled = this.captions.value.filter((one) => one.isFinal || one.who !== who);
    const key = this.captions.value.length ? this.captions.value.at(-1).key + 1 : 0;
    this.captions.value = text ? [...settled, { key, who, text, isFinal }] : settled;
  }

  mute() {
    this.isMuted.value = !this.isMuted.value;
    this.stream.getAudioTracks().forEach((track) => (track.enabled = !this.isMuted.value));
  }

  /** @param {string} key of the keypad */
  press(key) {
    this.tell("dtmf", { key });
  }

  hangUp() {
    this.tell("hang_up");
    if (this.state.value === "asking") this.release();
    else this.end("caller");
  }

  async closed(socket, code) {
    if (socket !== this.socket || this.state.value === "ended") return;
    const wasTalking = this.state.value === "talking";
    if (code === NOT_AUTHENTICATED) this.chat.unauthorized();
    const reason = code === SERVICE_RESTARTS ? "restart" : wasTalking ? "lost" : "refused";
    const isMissing = reason === "refused" && (await this.isSpeechMissing());
    if (socket === this.socket) this.end(isMissing ? "unavailable" : reason);
  }

  /** A refused handshake does not tell scripts why: a word to be read aloud does. */
  async isSpeechMissing() {
    const body = { text: "Bonjour", language: "fr" };
    try {
      await request(this.chat.server, "/api/voice/tts", { body, accept: "audio/mpeg" });
      return false;
    } catch (error) {
      return error.code === "voice_unavailable";
    }
  }

  end(reason) {
    if (this.state.value === "ended") return;
    const wasTalking = this.state.value === "talking";
    this.state.value = "ended";
    this.reason.value = reason;
    this.captions.value = this.captions.value.filter((one) => one.isFinal);
    this.release();
    if (wasTalking) this.chat.hasBeenCalled();
  }

  release() {
    clearInterval(this.clock);
    this.sound?.close();
    closeMicrophone(this.stream ?? null);
    this.stream = null;
    const { socket } = this;
    this.socket = null;
    socket?.close(1000);
  }
}
