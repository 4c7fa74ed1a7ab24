/**
 * Sound on the browser's audio thread: what the microphone hears becomes frames of 16 kHz samples,
 * and frames that arrive are played one after the other, each reported once it has been played.
 */

const HERTZ = 16_000;
const FRAME_SAMPLES = HERTZ * 0.04;

/** Posts 40 ms of 16-bit samples at a time, whatever the rate of the microphone. */
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / HERTZ;
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    // How much of the next sample has been gathered, and its sum so far.
    this.weight = 0;
    this.sum = 0;
  }

  process([[channel]]) {
    channel?.forEach((sample) => this.take(sample));
    return true;
  }

  /** Each sample at 16 kHz is the mean of the time that it stands for. */
  take(sample) {
    let left = 1;
    while (this.weight + left >= this.step) {
      const part = this.step - this.weight;
      this.put((this.sum + sample * part) / this.step);
      left -= part;
      this.weight = 0;
      this.sum = 0;
    }
    this.weight += left;
    this.sum += sample * left;
  }

  put(value) {
    this.frame[this.filled] = Math.max(-1, Math.min(1, value)) * 32767;
    this.filled += 1;
    if (this.filled < FRAME_SAMPLES) return;
    this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
  }
}

/** Plays frames `{sequence, samples}` in a context of 16 kHz; `null` lets go of all of them. */
class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frames = [];
    this.position = 0;
    this.port.onmessage = ({ data }) => {
      if (data) this.frames.push({ sequence: data.sequence, samples: new Int16Array(data.samples) });
      else this.clear();
    };
  }

  clear() {
    this.frames = [];
    this.position = 0;
  }

  process(_inputs, [[channel]]) {
    for (let index = 0; index < channel.length && this.frames.length; index += 1) {
      const { sequence, samples } = this.frames[0];
      channel[index] = samples[this.position] / 32768;
      this.position += 1;
      if (this.position < samples.length) continue;
      this.frames.shift();
      this.position = 0;
      this.port.postMessage(sequence);
    }
    return true;
  }
}

registerProcessor("capture", Capture);
registerProcessor("playback", Playback);
