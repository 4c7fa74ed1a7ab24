/** The microphone, how loud it is, and what is in its way. */

const WISHES = {
  audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};
const PROBLEMS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "occupied",
  AbortError: "occupied",
};
// Speech is about a tenth of full scale; the meter is for eyes, not for measuring.
const LOUD = 0.25;

/** Why nobody can be heard; `problem` names the sentence that says so. */
export class MicrophoneError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(problem);
    this.problem = problem;
  }
}

/** Ask for the microphone; throws MicrophoneError. @returns {Promise<MediaStream>} */
export async function openMicrophone() {
  try {
    return await navigator.mediaDevices.getUserMedia(WISHES);
  } catch (error) {
    throw new MicrophoneError(PROBLEMS[error.name] ?? "occupied");
  }
}

/** @param {MediaStream | null} stream */
export function closeMicrophone(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

/**
 * How loud it is now, from 0 to 1.
 * @param {AudioContext} context
 * @param {AudioNode} source
 * @returns {() => number}
 */
export function loudnessOf(context, source) {
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  const samples = new Float32Array(analyser.fftSize);
  source.connect(analyser);
  return () => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return Math.min(1, Math.sqrt(power) / LOUD);
  };
}
