/** A voice message: recorded by the browser, written down by the server. */

import { signal } from "../../shared/html.js";
import { ask } from "../../shared/http.js";
import { closeMicrophone, loudnessOf, openMicrophone } from "./microphone.js";

// The first that the browser can write; the server reads them all.
const FORMATS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const SPOKEN = ["fr", "en", "de", "es", "it", "nl"];
// The server takes three minutes.
const LONGEST_SECONDS = 170;
const BITS_PER_SECOND = 32_000;

export class Recording {
  /** @param {import("../chat.js").Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.state = signal(/** @type {"starting" | "recording" | "writing"} */ ("starting"));
    this.seconds = signal(0);
    this.loudness = () => 0;
    /** Called when the longest time is over. */
    this.onFull = () => {};
    this.stream = null;
    this.recorder = null;
    this.isOver = false;
    this.sending = new AbortController();
  }

  /** Begin to record; throws MicrophoneError. */
  async start() {
    // Created before anything is waited for: phones want it to follow a touch.
    this.context = new AudioContext();
    this.stream = await openMicrophone();
    if (this.isOver) return this.release();
    this.context.resume();
    this.loudness = loudnessOf(this.context, this.context.createMediaStreamSource(this.stream));
    const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    const options = { mimeType, audioBitsPerSecond: BITS_PER_SECOND };
    this.recorder = new MediaRecorder(this.stream, options);
    this.pieces = [];
    this.recorder.ondataavailable = ({ data }) => this.pieces.push(data);
    this.recorder.start();
    this.state.value = "recording";
    const began = Date.now();
    this.clock = setInterval(() => {
      this.seconds.value = Math.floor((Date.now() - began) / 1000);
      if (this.seconds.value >= LONGEST_SECONDS) this.onFull();
    }, 250);
  }

  /** Stop, and have it written down; throws RequestError. @returns {Promise<string>} */
  async finish() {
    this.state.value = "writing";
    const stopped = new Promise((resolve) => (this.recorder.onstop = resolve));
    this.recorder.stop();
    await stopped;
    this.release();
    const type = this.recorder.mimeType.split(";")[0];
    const form = new FormData();
    form.append("audio_file", new Blob(this.pieces, { type }), `message.${type.split("/")[1]}`);
    const { language } = this.chat.options;
    if (SPOKEN.includes(language)) form.append("language", language);
    await this.chat.becomeKnown();
    const { signal } = this.sending;
    return (await ask(this.chat.server, "/api/voice/transcribe", { body: form, signal })).text;
  }

  /** Let go of everything; nothing is sent any more. */
  cancel() {
    this.isOver = true;
    this.sending.abort();
    this.release();
  }

  release() {
    clearInterval(this.clock);
    if (this.recorder?.state === "recording") this.recorder.stop();
    closeMicrophone(this.stream);
    if (this.context.state !== "closed") this.context.close();
  }
}
