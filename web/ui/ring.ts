/** Sound and title for a call that rings while nobody may be looking. */
let context: AudioContext | null = null;
let timer: ReturnType<typeof setInterval> | undefined;

function chime(): void {
  try {
    context ??= new AudioContext();
    const start = context.currentTime;
    for (const [offset, frequency] of [[0, 660], [0.18, 880]] as const) {
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = frequency;
      gain.gain.setValueAtTime(0.0001, start + offset);
      gain.gain.exponentialRampToValueAtTime(0.2, start + offset + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + offset + 0.35);
      tone.connect(gain).connect(context.destination);
      tone.start(start + offset);
      tone.stop(start + offset + 0.4);
    }
  } catch {
    // a browser without sound still shows the call
  }
}

export function ring(on: boolean): void {
  clearInterval(timer);
  if (!on) return;
  chime();
  timer = setInterval(chime, 2500);
}
