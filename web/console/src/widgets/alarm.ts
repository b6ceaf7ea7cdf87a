/** Tone and vibration: a person who looks elsewhere has to notice. */

const TONE_HZ = 880;
const PATTERN_S = [0, 0.35, 0.7] as const;
const BEEP_S = 0.2;

/** Sounds three times; returns how to stop. Silent where the browser allows no sound. */
export function alarm(): () => void {
  navigator.vibrate?.([200, 150, 200, 150, 200]);
  if (typeof AudioContext !== "function") return () => undefined;
  const context = new AudioContext();
  for (const at of PATTERN_S) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    volume.gain.value = 0.15;
    tone.frequency.value = TONE_HZ;
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + BEEP_S);
  }
  return () => void context.close();
}
