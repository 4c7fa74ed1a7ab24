/** A call's sound: the microphone as frames of 16 kHz samples, and a player of such frames. */

import { loudnessOf } from "./microphone.js";

const HERTZ = 16_000;
const WORKLET = new URL("./sound_worklet.js", import.meta.url).href;

export class Sound {
  /**
   * Made while a touch or key is being handled: browsers play nothing else.
   * @param {(samples: ArrayBuffer) => void} heard 40 ms of the microphone
   * @param {(sequence: number) => void} played a frame has been played to its end
   */
  constructor(heard, played) {
    this.heard = heard;
    this.played = played;
    this.loudness = () => 0;
    // Two, because not every browser hears a microphone at another rate than its own.
    this.listening = new AudioContext();
    this.speaking = new AudioContext({ sampleRate: HERTZ });
  }

  async open() {
    const contexts = [this.listening, this.speaking];
    await Promise.all(contexts.map((context) => context.audioWorklet.addModule(WORKLET)));
    await Promise.all(contexts.map((context) => context.resume()));
    this.player = new AudioWorkletNode(this.speaking, "playback", { numberOfInputs: 0 });
    this.player.port.onmessage = ({ data }) => this.played(data);
    this.player.connect(this.speaking.destination);
  }

  /** Hear the microphone from now on. @param {MediaStream} stream */
  listen(stream) {
    const source = this.listening.createMediaStreamSource(stream);
    const capture = new AudioWorkletNode(this.listening, "capture", {
      numberOfOutputs: 1,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    capture.port.onmessage = ({ data }) => this.heard(data);
    source.connect(capture);
    // Silent itself; a node that leads nowhere need not be run.
    capture.connect(this.listening.destination);
    this.loudness = loudnessOf(this.listening, source);
  }

  /** @param {number} sequence @param {ArrayBuffer} samples 16 kHz, 16 bits */
  play(sequence, samples) {
    this.player.port.postMessage({ sequence, samples }, [samples]);
  }

  /** Let go at once of all that has not been played. */
  clear() {
    this.player.port.postMessage(null);
  }

  close() {
    for (const context of [this.listening, this.speaking]) {
      if (context.state !== "closed") context.close();
    }
  }
}
