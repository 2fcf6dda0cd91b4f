// A telephone that rings: a tone of this page's own, and a notification when nobody looks at it.

/** ITU-T E.180, 425 Hz: a second of tone, four of silence; two tones make it easier to find in an open office. */
const TONES_HZ = [425, 530];
const ON_S = 1;
const EVERY_MS = 4_000;
const LOUDNESS = 0.12;

let context: AudioContext | null = null;

function tone() {
  context ??= new AudioContext();
  if (context.state === 'suspended') void context.resume();
  const gain = context.createGain();
  gain.connect(context.destination);
  const now = context.currentTime;
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(LOUDNESS, now + 0.03);
  gain.gain.setValueAtTime(LOUDNESS, now + ON_S - 0.05);
  gain.gain.linearRampToValueAtTime(0, now + ON_S);
  for (const hertz of TONES_HZ) {
    const source = context.createOscillator();
    source.frequency.value = hertz;
    source.connect(gain);
    source.start(now);
    source.stop(now + ON_S);
  }
}

/** Rings until stopped. The notification says that somebody calls, and not who: it may lie on a locked screen. */
export function ring(title: string, body: string): () => void {
  tone();
  const timer = window.setInterval(tone, EVERY_MS);
  let note: Notification | null = null;
  if (document.hidden && 'Notification' in window && Notification.permission === 'granted') {
    note = new Notification(title, { body, tag: 'branchline-call', requireInteraction: true });
    note.onclick = () => window.focus();
  }
  return () => {
    window.clearInterval(timer);
    note?.close();
  };
}
