// SIP and WebRTC of the page's own telephone, as JsSIP does them. Loaded when the telephone is switched on, and only then.
import { C, UA, WebSocketInterface } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { RTCSessionEvent } from 'jssip/lib/UA';
import type { Account } from '../api';
import { constraints, play, silence } from './devices';

export { ring } from './ring';

/** The box keeps a call for a page that is gone for 20 s: a lost line is looked for well within. */
const RECOVERY_S_MIN = 1;
const RECOVERY_S_MAX = 4;
const REGISTER_S = 120;

export type Stage = 'ringing' | 'answering' | 'talking';

/** What happens on the line; `leg` is ours to tell calls apart. */
export interface Ears {
  registered: () => void;
  /** `code` is the WebSocket's close code. */
  lost: (code: number | undefined) => void;
  refused: () => void;
  /** Somebody rings. */
  rings: (leg: Leg) => void;
  changed: (leg: Leg) => void;
  over: (leg: Leg) => void;
  /** The microphone cannot be had. */
  deaf: () => void;
}

export class Leg {
  stage: Stage = 'ringing';
  muted = false;
  private readonly player = document.createElement('audio');

  constructor(readonly session: RTCSession, readonly number: string, private readonly ears: Ears) {
    if (session.connection) this.listen(session.connection);
    else session.on('peerconnection', ({ peerconnection }) => this.listen(peerconnection));
    session.on('confirmed', () => this.is('talking'));
    session.on('getusermediafailed', () => ears.deaf());
    const over = () => {
      silence(this.player);
      ears.over(this);
    };
    session.on('ended', over);
    session.on('failed', over);
  }

  answer() {
    if (this.stage !== 'ringing') return;
    this.is('answering');
    this.session.answer(media());
  }

  /** Busy, while it rings: the box passes the caller on. */
  end() {
    if (this.session.isEnded()) return;
    if (this.stage === 'ringing') this.session.terminate({ status_code: 486 });
    else this.session.terminate();
  }

  mute(muted: boolean) {
    if (muted) this.session.mute({ audio: true });
    else this.session.unmute({ audio: true });
    this.muted = muted;
    this.ears.changed(this);
  }

  /** RFC 4733. */
  key(key: string) {
    this.session.sendDTMF(key, { transportType: C.DTMF_TRANSPORT.RFC2833 });
  }

  /** Another microphone, in mid-call. */
  async speakFrom(stream: MediaStream) {
    const [track] = stream.getAudioTracks();
    const sender = this.session.connection?.getSenders().find((one) => one.track?.kind === 'audio');
    if (!track || !sender) return;
    track.enabled = !this.muted;
    sender.track?.stop();
    await sender.replaceTrack(track);
  }

  hearOn(): Promise<void> {
    return play(this.player, null);
  }

  private is(stage: Stage) {
    this.stage = stage;
    this.ears.changed(this);
  }

  private listen(connection: RTCPeerConnection) {
    connection.addEventListener('track', ({ track, streams }) => void play(this.player, streams[0] ?? new MediaStream([track])));
  }
}

const media = () => ({ mediaConstraints: { audio: constraints(), video: false }, pcConfig: { iceServers: [] } });

export class Line {
  private readonly agent: UA;

  constructor(account: Account, ears: Ears) {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    this.agent = new UA({
      sockets: [new WebSocketInterface(`${scheme}://${window.location.host}/api/phone/sip`)],
      uri: `sip:${account.name}@${account.domain}`,
      authorization_user: account.name,
      password: account.password,
      register_expires: REGISTER_S,
      session_timers: false,
      connection_recovery_min_interval: RECOVERY_S_MIN,
      connection_recovery_max_interval: RECOVERY_S_MAX,
      user_agent: 'Branchline desk',
    });
    this.agent.on('registered', () => ears.registered());
    this.agent.on('registrationFailed', () => ears.refused());
    this.agent.on('disconnected', ({ code }) => ears.lost(code));
    this.agent.on('newRTCSession', ({ session, originator }: RTCSessionEvent) => {
      if (originator !== 'remote') return;
      ears.rings(new Leg(session, session.remote_identity.uri.user ?? '', ears));
    });
  }

  start() {
    this.agent.start();
  }

  /** The box is told nothing: with the account, what it registered ends too. */
  stop() {
    this.agent.stop();
  }
}
