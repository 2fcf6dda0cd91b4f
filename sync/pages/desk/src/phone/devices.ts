// Microphone and loudspeaker: which of them, how loud, and a test by one's own ear. Remembered on this machine alone.

export type Kind = 'audioinput' | 'audiooutput';

const KEYS: Record<Kind, string> = { audioinput: 'branchline.microphone', audiooutput: 'branchline.loudspeaker' };
/** How long the test listens before it plays back. */
export const ECHO_MS = 3_000;

/** Empty: the system's. */
export const chosen = (kind: Kind): string => localStorage.getItem(KEYS[kind]) ?? '';
export const choose = (kind: Kind, id: string) => localStorage.setItem(KEYS[kind], id);

/** Pages that came over plain HTTP from another machine are given no microphone (W3C Media Capture §10.2). */
export const mayListen = (): boolean => window.isSecureContext && navigator.mediaDevices !== undefined;
/** Not every browser lets a page choose where it is heard. */
export const maySpeakElsewhere = (): boolean => 'setSinkId' in HTMLAudioElement.prototype;

export function constraints(): MediaTrackConstraints {
  const id = chosen('audioinput');
  // `ideal`: a headset that was pulled out costs nobody a call.
  return { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...(id === '' ? {} : { deviceId: { ideal: id } }) };
}

export const microphone = (): Promise<MediaStream> => navigator.mediaDevices.getUserMedia({ audio: constraints(), video: false });

export function release(stream: MediaStream | null) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Names are known once the microphone was allowed. */
export async function devices(kind: Kind): Promise<{ id: string; name: string }[]> {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((one) => one.kind === kind && one.deviceId !== '' && one.deviceId !== 'default').map((one) => ({ id: one.deviceId, name: one.label }));
}

/** A stream that is heard where the person chose; null: what played there goes on, perhaps elsewhere. */
export async function play(player: HTMLAudioElement, stream: MediaStream | null) {
  if (maySpeakElsewhere()) await player.setSinkId(chosen('audiooutput')).catch(() => {});
  if (stream === null) return;
  player.srcObject = stream;
  await player.play().catch(() => {});
}

export function silence(player: HTMLAudioElement) {
  player.pause();
  player.srcObject = null;
}

/** Tells how loud a stream is, 0 to 1, some thirty times a second, until stopped. */
export function meter(stream: MediaStream, tell: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = window.setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // -60 dB is nothing, -10 dB is all.
    tell(Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-9) + 60) / 50)));
  }, 33);
  return () => {
    window.clearInterval(timer);
    void context.close();
  };
}

/** What one says is heard three seconds later; resolves when it was. */
export async function echo(stream: MediaStream): Promise<void> {
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((done) => {
    recorder.onstop = done;
  });
  recorder.start();
  await new Promise((passed) => window.setTimeout(passed, ECHO_MS));
  recorder.stop();
  await stopped;
  const url = URL.createObjectURL(new Blob(parts, { type: recorder.mimeType }));
  const player = new Audio(url);
  try {
    await play(player, null);
    const ended = new Promise((done) => {
      player.onended = done;
    });
    await player.play();
    await ended;
  } finally {
    URL.revokeObjectURL(url);
  }
}
