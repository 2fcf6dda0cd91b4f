// A softphone in a page: registers over WebSocket, answers by itself, keeps what it hears.
import JsSIP from 'jssip';

const RATE = 16000;
const heard = [];
let session;

const tell = (event, more) => window.tell(JSON.stringify({ event, ...more }));

/** What comes of the far end, as samples of 16 bits. */
function listen(connection) {
  connection.addEventListener('track', ({ track, streams }) => {
    const stream = streams[0] ?? new MediaStream([track]);
    const player = document.createElement('audio');
    player.autoplay = true;
    player.srcObject = stream;
    document.body.append(player);
    const context = new AudioContext({ sampleRate: RATE });
    const tap = context.createScriptProcessor(4096, 1, 1);
    tap.onaudioprocess = ({ inputBuffer }) => heard.push(Int16Array.from(inputBuffer.getChannelData(0), (x) => Math.max(-1, Math.min(1, x)) * 32767));
    context.createMediaStreamSource(stream).connect(tap);
    tap.connect(context.destination);
    tell('track');
  });
}

window.start = ({ ws, user, domain, password }) => {
  const agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(ws)],
    uri: `sip:${user}@${domain}`,
    authorization_user: user,
    password,
    session_timers: false,
  });
  agent.on('registered', () => tell('registered'));
  agent.on('registrationFailed', ({ cause }) => tell('registration_failed', { cause }));
  agent.on('newRTCSession', ({ session: fresh, originator }) => {
    session = fresh;
    // A session of ours has its connection before it is told of.
    if (session.connection) listen(session.connection);
    else session.on('peerconnection', ({ peerconnection }) => listen(peerconnection));
    session.on('confirmed', () => tell('confirmed'));
    session.on('ended', ({ cause }) => tell('ended', { cause }));
    session.on('failed', ({ cause, message }) => tell('failed', { cause, status: message?.status_code }));
    if (originator === 'remote') session.answer({ mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } });
  });
  window.call = (target) => agent.call(`sip:${target}@${domain}`, { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } });
  agent.start();
};

window.digit = (digit) => session.sendDTMF(digit, { transportType: 'RFC2833' });
window.hangUp = () => session.terminate();

/** What comes in, as the browser counts it: `audio/opus`. */
window.codec = async () => {
  const stats = await session.connection.getStats();
  const hears = [...stats.values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  return stats.get(hears?.codecId)?.mimeType ?? '';
};

/** All samples, in base64. */
window.heard = () => {
  const bytes = new Uint8Array(heard.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of heard) {
    bytes.set(new Uint8Array(part.buffer), at);
    at += part.byteLength;
  }
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
};
