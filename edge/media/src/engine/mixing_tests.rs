//! Parties of a mix, each a tone of its own, and who hears which.

use super::{
    tests::{Net, Shelf, address, remote},
    *,
};
use crate::{
    coder::{DECODED_MAX, Decoder, ENCODED_MAX, Encoder},
    level::tests::{speech, spoken},
    plane::{Codec, MixId, Payload, Remote, Seat, Sound},
    sound::FRAME,
};

const MIX: MixId = MixId(7);
const PARTIES: u16 = 4;

fn id(party: u16) -> PortId {
    PortId(u64::from(party) + 1)
}

fn slot(party: u16) -> Slot {
    Slot { index: party.into(), generation: 0 }
}

fn hertz(party: u16) -> f32 {
    [440.0, 800.0, 1_300.0, 2_100.0][usize::from(party)]
}

const LAWS: [Codec; 4] = [Codec::Pcma, Codec::Pcmu, Codec::Pcma, Codec::Pcmu];

struct Room {
    engine: Engine,
    net: Net,
    now: Instant,
    sequence: u16,
    mouths: Vec<Encoder>,
}

impl Room {
    fn new() -> Self {
        Self::of(LAWS)
    }

    fn of(codecs: [Codec; 4]) -> Self {
        #[allow(clippy::disallowed_methods)]
        let now = Instant::now();
        let mouths = codecs.map(Encoder::new).into();
        let mut room = Self { engine: Engine::new(10, [3; 32]), net: Net::default(), now, sequence: 0, mouths };
        for (party, codec) in (0..PARTIES).zip(codecs) {
            room.engine.open(now, id(party)).expect("room");
            room.connect(party, codec);
        }
        room
    }

    /// Opus goes out as 100 and comes in as 101, where events are 102.
    fn connect(&mut self, party: u16, codec: Codec) {
        let payload = (codec == Codec::Opus).then_some(Payload { sent: 100, received: 101 });
        let remote = Remote { payload, telephone_event: Some(102), ..remote(4_000 + 2 * party, codec) };
        self.mouths[usize::from(party)] = Encoder::new(codec);
        self.command(Command::Connect { port: id(party), remote });
    }

    fn codec(&self, party: u16) -> Codec {
        self.mouths[usize::from(party)].codec()
    }

    fn command(&mut self, command: Command) {
        self.engine.handle_command(self.now, command, &mut Shelf, &mut self.net);
    }

    fn mix(&mut self, hears: &[(u16, &[u16])]) {
        let seat = |(party, hears): &(u16, &[u16])| Seat {
            port: id(*party),
            hears: hears.iter().map(|other| id(*other)).collect(),
        };
        self.command(Command::Mix { mix: MIX, seats: hears.iter().map(seat).collect() });
    }

    /// Everybody speaks for so many times 20 ms.
    fn talk(&mut self, frames: u16) {
        for _ in 0..frames {
            self.sequence += 1;
            for party in 0..PARTIES {
                self.speak(party, self.sequence);
            }
            self.now += Duration::from_millis(20);
            self.engine.handle_tick(self.now, false, &mut self.net);
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn speak(&mut self, party: u16, sequence: u16) {
        let sound = std::array::from_fn(|n| {
            let t = (usize::from(sequence) * FRAME + n) as f32 / 16_000.0;
            ((t * hertz(party) * std::f32::consts::TAU).sin() * 5_000.0) as i16
        });
        let mut payload = [0; ENCODED_MAX];
        let length = self.mouths[usize::from(party)].encode(&sound, &mut payload);
        let number = if self.codec(party) == Codec::Opus { 101 } else { self.codec(party).payload_type() };
        let packet = super::tests::packet(sequence, number, &payload[..length]);
        self.engine.handle_packet(self.now, slot(party), address(4_000 + 2 * party), &packet, &mut self.net);
    }

    /// Whom this party hears, by the tones in what was sent to it last.
    #[allow(clippy::cast_precision_loss)]
    fn heard(&mut self, party: u16) -> Vec<u16> {
        let codec = self.codec(party);
        let number = if codec == Codec::Opus { 100 } else { codec.payload_type() };
        let sent = self.net.sent.iter().filter(|(_, to, _)| *to == address(4_000 + 2 * party));
        let mut ear = Decoder::new(codec);
        let mut samples: Vec<f32> = Vec::new();
        for (header, payload) in sent.filter_map(|(_, _, packet)| rtp::parse(packet)) {
            if header.payload_type == number {
                let mut sound = [0; DECODED_MAX];
                let length = ear.decode(payload, &mut sound);
                samples.extend(sound[..length].iter().map(|sample| f32::from(*sample)));
            }
        }
        let samples = samples.get(samples.len().saturating_sub(3_200)..).unwrap_or_default();
        let loud = |hertz: f32| {
            let (mut real, mut imaginary) = (0.0_f32, 0.0_f32);
            for (n, sample) in samples.iter().enumerate() {
                let angle = n as f32 / 16_000.0 * hertz * std::f32::consts::TAU;
                real += sample * angle.cos();
                imaginary += sample * angle.sin();
            }
            !samples.is_empty() && real.hypot(imaginary) * 2.0 / samples.len() as f32 > 3_000.0
        };
        (0..PARTIES).filter(|other| loud(hertz(*other))).collect()
    }

    fn all_heard(&mut self) -> Vec<Vec<u16>> {
        (0..PARTIES).map(|party| self.heard(party)).collect()
    }
}

#[test]
fn whisper_listen_and_barge_are_heard_by_whom_they_are_meant_for() {
    let mut room = Room::new();
    // 0 the caller, 1 the agent, 2 a supervisor.
    room.mix(&[(0, &[1]), (1, &[0, 2]), (2, &[0, 1])]);
    room.talk(40);
    assert_eq!(room.all_heard(), [vec![1], vec![0, 2], vec![0, 1], vec![]], "whisper");
    room.mix(&[(0, &[1]), (1, &[0]), (2, &[0, 1])]);
    room.talk(40);
    assert_eq!(room.all_heard()[..3], [vec![1], vec![0], vec![0, 1]], "listen");
    room.mix(&[(0, &[1, 2]), (1, &[0, 2]), (2, &[0, 1])]);
    room.talk(40);
    assert_eq!(room.all_heard()[..3], [vec![1, 2], vec![0, 2], vec![0, 1]], "barge");
}

#[test]
fn four_parties_hear_the_three_others_in_whatever_law_and_never_themselves() {
    let mut room = Room::new();
    room.mix(&[(0, &[0, 1, 2, 3]), (1, &[0, 2, 3]), (2, &[0, 1, 3]), (3, &[0, 1, 2])]);
    room.talk(40);
    assert_eq!(room.all_heard(), [vec![1, 2, 3], vec![0, 2, 3], vec![0, 1, 3], vec![0, 1, 2]]);
    // One leaves: the others go on, and hear the others still.
    room.command(Command::Close { port: id(1) });
    room.talk(40);
    assert_eq!(room.all_heard(), [vec![2, 3], vec![0, 2, 3], vec![0, 3], vec![0, 2]]);
}

#[test]
fn a_mix_becomes_a_join_and_a_join_a_mix_without_a_hole() {
    let mut room = Room::new();
    room.command(Command::Join { a: id(0), b: id(1) });
    room.talk(20);
    assert_eq!(room.all_heard()[..3], [vec![1], vec![0], vec![]]);
    room.mix(&[(0, &[1]), (1, &[0]), (2, &[0, 1])]);
    room.talk(40);
    assert_eq!(room.all_heard()[..3], [vec![1], vec![0], vec![0, 1]]);
    let before = room.net.sent.iter().filter(|(_, to, _)| *to == address(4_000)).count();
    room.command(Command::Join { a: id(0), b: id(1) });
    room.talk(20);
    assert_eq!(room.all_heard()[..2], [vec![1], vec![0]]);
    let after = room.net.sent.iter().filter(|(_, to, _)| *to == address(4_000)).count();
    assert_eq!(after - before, 20);
    let strange = room.net.sent.iter().filter_map(|(_, _, packet)| rtp::parse(packet)).map(|(header, _)| header);
    let own: Vec<_> =
        strange.filter(|header| header.ssrc == room.engine.ports.at(0).expect("a port").sender.ssrc()).collect();
    assert!(own.windows(2).all(|two| two[1].sequence == two[0].sequence.wrapping_add(1)), "a sequence without gaps");
}

#[test]
fn a_recording_in_a_mix_has_what_the_caller_said_and_heard_and_nothing_of_a_whisper() {
    let mut room = Room::new();
    room.mix(&[(0, &[1]), (1, &[0, 2]), (2, &[0, 1])]);
    room.command(Command::Record { recording: "r".into(), port: id(0) });
    room.talk(45);
    // 45 packets of the caller, and 45 frames that it heard, but for those of the batch that is open.
    assert!((80..=90).contains(&room.net.frames), "{}", room.net.frames);
    assert_eq!(room.heard(0), [1]);
}

#[test]
fn prompts_and_keypresses_come_before_the_mix() {
    let mut room = Room::new();
    room.mix(&[(0, &[1]), (1, &[0]), (2, &[0, 1])]);
    room.talk(20);
    let play = crate::plane::PlayId(1);
    room.command(Command::Play { port: id(0), play, sounds: vec![Sound::Prompt("frames-10".into())], again: false });
    room.net.sent.clear();
    room.talk(9);
    let to_caller = room.net.sent.iter().filter(|(_, to, _)| *to == address(4_000)).count();
    assert_eq!(to_caller, 9, "the prompt alone");
    // A key of the agent's reaches the caller and the supervisor, who hear the agent, and stands alone meanwhile.
    room.command(Command::Stop { port: id(0) });
    room.net.sent.clear();
    for n in 0..3_u16 {
        let event = [5, 10, 0, 160];
        let packet = super::tests::packet(1_000 + n, 102, &event);
        room.engine.handle_packet(room.now, slot(1), address(4_002), &packet, &mut room.net);
        room.engine.handle_tick(room.now, false, &mut room.net);
        room.now += Duration::from_millis(20);
    }
    for to in [4_000, 4_004] {
        let types: Vec<u8> = room
            .net
            .sent
            .iter()
            .filter(|(_, at, _)| *at == address(to))
            .filter_map(|(_, _, packet)| Some(rtp::parse(packet)?.0.payload_type))
            .collect();
        assert_eq!(types, [102, 102, 102], "to {to}");
    }
}

#[test]
fn too_many_seats_and_unknown_ports_are_refused_and_harm_nobody() {
    let mut room = Room::new();
    room.mix(&[(0, &[1]), (1, &[0])]);
    let crowd = (0..=SEATS_MAX).map(|n| Seat { port: PortId(n as u64), hears: Vec::new() }).collect();
    room.command(Command::Mix { mix: MixId(8), seats: crowd });
    assert!(
        std::iter::from_fn(|| room.engine.poll_event())
            .any(|event| { matches!(event, Event::Failed { why: Failure::Limit, .. }) })
    );
    room.mix(&[(0, &[1, 9]), (1, &[0]), (9, &[0])]);
    assert!(
        std::iter::from_fn(|| room.engine.poll_event())
            .any(|event| { matches!(event, Event::Failed { why: Failure::UnknownPort, .. }) })
    );
    room.talk(30);
    assert_eq!(room.all_heard()[..2], [vec![1], vec![0]]);
    room.mix(&[]);
    room.net.sent.clear();
    room.talk(10);
    assert!(room.net.sent.is_empty(), "nobody hears anybody");
}

#[test]
fn who_share_no_codec_hear_each_other_all_the_same_and_others_are_passed_on_as_they_are() {
    for (one, other) in [(Codec::Pcma, Codec::Opus), (Codec::G722, Codec::Pcmu), (Codec::Opus, Codec::G722)] {
        let mut room = Room::of([one, other, Codec::Pcma, Codec::Pcmu]);
        room.command(Command::Join { a: id(0), b: id(1) });
        room.talk(40);
        assert_eq!(room.all_heard()[..2], [vec![1], vec![0]], "{one:?} and {other:?}");
        room.command(Command::Part { port: id(1) });
        room.net.sent.clear();
        room.talk(5);
        assert!(room.net.sent.is_empty(), "{one:?} and {other:?}: parted");
    }
    for codec in [Codec::Opus, Codec::G722] {
        let mut room = Room::of([codec, codec, Codec::Pcma, Codec::Pcmu]);
        room.command(Command::Join { a: id(0), b: id(1) });
        room.speak(0, 1);
        assert_eq!(room.net.sent.len(), 1, "{codec:?}: at once");
        assert!(room.engine.mixes_are_empty());
    }
}

#[test]
fn a_party_that_changes_its_codec_in_the_middle_is_heard_on() {
    let mut room = Room::of([Codec::Pcma, Codec::Pcmu, Codec::Pcma, Codec::Pcmu]);
    room.command(Command::Join { a: id(0), b: id(1) });
    room.talk(20);
    room.connect(1, Codec::Opus);
    room.net.sent.clear();
    room.talk(40);
    assert_eq!(room.all_heard()[..2], [vec![1], vec![0]], "Opus");
    room.connect(1, Codec::Pcma);
    room.net.sent.clear();
    room.talk(20);
    assert_eq!(room.all_heard()[..2], [vec![1], vec![0]], "A-law");
    assert!(room.engine.mixes_are_empty(), "nothing is decoded any more");
}

#[test]
fn a_party_that_speaks_opus_hears_prompts() {
    let mut room = Room::of([Codec::Opus, Codec::Pcmu, Codec::Pcma, Codec::Pcmu]);
    let play = crate::plane::PlayId(1);
    room.command(Command::Play { port: id(0), play, sounds: vec![Sound::Prompt("frames-10".into())], again: false });
    room.talk(12);
    let to_party = room.net.sent.iter().filter(|(_, to, _)| *to == address(4_000));
    let stamps: Vec<u32> = to_party.filter_map(|(_, _, packet)| Some(rtp::parse(packet)?.0.timestamp)).collect();
    assert_eq!(stamps.len(), 10);
    assert!(stamps.windows(2).all(|two| two[1].wrapping_sub(two[0]) == 960), "the clock of 48 kHz: {stamps:?}");
}

/// What parties 2 and 3 hear of a quiet and of a loud one, in dB below overload while they speak.
fn loudness(levelled: bool) -> [f32; 2] {
    let mut room = Room::new();
    room.engine.level(levelled);
    room.mix(&[(0, &[]), (1, &[]), (2, &[0]), (3, &[1])]);
    for (quiet, loud) in speech(400, -35.0).iter().zip(&speech(400, -6.0)) {
        room.sequence += 1;
        for (party, said) in [(0, quiet), (1, loud)] {
            let mut payload = [0; ENCODED_MAX];
            let length = room.mouths[usize::from(party)].encode(said, &mut payload);
            let number = room.codec(party).payload_type();
            let packet = super::tests::packet(room.sequence, number, &payload[..length]);
            room.engine.handle_packet(room.now, slot(party), address(4_000 + 2 * party), &packet, &mut room.net);
        }
        room.now += Duration::from_millis(20);
        room.engine.handle_tick(room.now, false, &mut room.net);
    }
    [2, 3].map(|party| {
        let mut ear = Decoder::new(room.codec(party));
        let sent = room.net.sent.iter().filter(|(_, to, _)| *to == address(4_000 + 2 * party));
        let frames = sent.map(|(_, _, packet)| {
            let mut sound = [0; DECODED_MAX];
            ear.decode(rtp::parse(packet).expect("RTP").1, &mut sound);
            *sound.first_chunk::<FRAME>().expect("20 ms")
        });
        spoken(&frames.collect::<Vec<_>>()[250..])
    })
}

#[test]
fn a_quiet_and_a_loud_party_are_heard_alike_and_as_they_are_where_that_is_switched_off() {
    let [quiet, loud] = loudness(true);
    assert!((quiet - loud).abs() < 3.0 && (-22.0..-15.0).contains(&quiet), "{quiet} and {loud} dB");
    let [quiet, loud] = loudness(false);
    assert!((-36.5..-33.5).contains(&quiet) && (-9.0..-5.0).contains(&loud), "{quiet} and {loud} dB as they are");
}
