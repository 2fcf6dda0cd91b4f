//! Callers who key in cards' numbers, by event and by sound, and what is left of it.

use super::{tests::*, *};
use crate::{
    coder::{DECODED_MAX, Decoder, ENCODED_MAX, Encoder},
    plane::{Codec, Payload, Remote},
    resample::{Down, Up},
    sound::FRAME,
    tone,
};

/// Of one call in card mode: what the other side was sent, and which keys were reported.
struct Heard {
    audio: Vec<u8>,
    events: usize,
    keys: String,
}

fn keys(engine: &mut Engine) -> String {
    std::iter::from_fn(|| engine.poll_event())
        .filter_map(|event| match event {
            Event::Digit { port: A, digit } => Some(digit),
            _ => None,
        })
        .collect()
}

/// Sends the samples in packets of 20 ms; every other call asks for events instead.
fn call(samples: &[i16], events: &str) -> Heard {
    let (mut engine, mut net, now) = joined();
    engine.handle_command(now, Command::Shield { port: A, shielded: true }, &mut Shelf, &mut net);
    engine.handle_command(now, Command::Record { recording: "r".into(), port: A }, &mut Shelf, &mut net);
    let mut sequence = 0;
    let mut at = now;
    for part in samples.chunks(160) {
        at += Duration::from_millis(20);
        sequence += 1;
        let payload: Vec<u8> = part.iter().map(|sample| Codec::Pcma.encode(*sample)).collect();
        engine.handle_packet(at, SLOT_A, address(4_000), &packet(sequence, 8, &payload), &mut net);
    }
    for (n, key) in events.chars().enumerate() {
        let code = dtmf::code(key).expect("a key");
        for end in [0, 0, 0x80, 0x80] {
            sequence += 1;
            let mut press = packet(sequence, 101, &[code, end, 1, 64]);
            press[4..8].copy_from_slice(&u32::try_from(n).expect("few").to_be_bytes());
            engine.handle_packet(at, SLOT_A, address(4_000), &press, &mut net);
        }
    }
    let (mut audio, mut events) = (Vec::new(), 0);
    for (_, _, sent) in &net.sent {
        let (header, payload) = rtp::parse(sent).expect("RTP");
        match header.payload_type {
            101 => events += 1,
            _ => audio.extend_from_slice(payload),
        }
    }
    assert!(net.frames == 0 || samples.len() > 160, "what is sent is what is recorded");
    Heard { audio, events, keys: keys(&mut engine) }
}

/// The longest tone of any key in this audio, in ms: looked for at every tenth of a packet.
fn longest_tone(audio: &[u8]) -> usize {
    let (mut longest, mut run) = (0, 0);
    for part in audio.windows(80).step_by(16) {
        run = if tone::listen(Codec::Pcmu, part).key.is_some() { run + 2 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[test]
fn a_thousand_callers_key_in_cards_and_no_tone_or_digit_comes_through() {
    let mut dice = ChaCha12Rng::seed_from_u64(4_111);
    let mut below = move |limit: u64| usize::try_from(dice.next_u64() % limit).expect("small");
    for number in 0..1_000 {
        let digits: String =
            (0..16 + 3).map(|_| char::from(b'0' + u8::try_from(below(10)).expect("a digit"))).collect();
        if number % 2 == 0 {
            let heard = call(&[], &digits);
            assert_eq!((heard.events, heard.keys), (0, digits), "call {number}");
            continue;
        }
        // 60 to 150 ms a key, as much between, at any phase of the packets.
        let mut samples = vec![0; 400 + below(160)];
        for key in digits.chars() {
            #[allow(clippy::cast_precision_loss)]
            let level = 300.0 + below(9_000) as f32;
            samples.extend(tone::sound(key, 480 + below(720), level).expect("a key"));
            samples.extend(vec![0; 480 + below(720)]);
        }
        let heard = call(&samples, "");
        assert_eq!(heard.keys, digits, "call {number}");
        assert!(longest_tone(&heard.audio) < 20, "call {number}: {} ms of a tone", longest_tone(&heard.audio));
        let sent = samples.chunks(160).count() - 1;
        assert_eq!(heard.audio.len(), sent * 160, "call {number}: the gaps keep their length");
    }
}

/// The same where both sides speak a codec whose bytes are no samples. What is sent on is decoded again: its samples at
/// 8 kHz, and how many packets they were.
fn wide_call(codec: Codec, samples: &[i16]) -> (Vec<i16>, usize, String) {
    let (mut engine, mut net, now) = joined();
    for (port, number) in [(A, 4_000), (B, 5_000)] {
        let payload = Some(Payload { sent: 96, received: 96 });
        let remote = Remote { payload, ..remote(number, codec) };
        engine.handle_command(now, Command::Connect { port, remote }, &mut Shelf, &mut net);
    }
    engine.handle_command(now, Command::Shield { port: A, shielded: true }, &mut Shelf, &mut net);
    engine.handle_command(now, Command::Record { recording: "r".into(), port: A }, &mut Shelf, &mut net);
    let (mut encoder, mut up) = (Encoder::new(codec), Up::default());
    let (mut sound, mut at) = ([0; FRAME], now);
    for (n, part) in (1_u16..).zip(samples.chunks_exact(FRAME / 2)) {
        up.run(part, &mut sound);
        let mut payload = [0; ENCODED_MAX];
        let length = encoder.encode(&sound, &mut payload);
        let mut packet = packet(n, 96, &payload[..length]);
        packet[4..8].copy_from_slice(&(u32::from(n) * codec.clock() / 50).to_be_bytes());
        at += Duration::from_millis(20);
        engine.handle_packet(at, SLOT_A, address(4_000), &packet, &mut net);
    }
    let (mut decoder, mut down, mut heard) = (Decoder::new(codec), Down::default(), Vec::new());
    for (_, _, sent) in &net.sent {
        let (mut sound, mut narrow) = ([0; DECODED_MAX], [0; FRAME / 2]);
        assert_eq!(decoder.decode(rtp::parse(sent).expect("RTP").1, &mut sound), FRAME);
        down.run(&sound[..FRAME], &mut narrow);
        heard.extend(narrow);
    }
    engine.handle_command(at, Command::RecordEnd { recording: "r".into() }, &mut Shelf, &mut net);
    assert_eq!(net.frames as usize, net.sent.len(), "what is sent is what is recorded");
    (heard, net.sent.len(), keys(&mut engine))
}

#[test]
fn cards_keyed_in_as_sound_of_g722_and_opus_are_read_and_no_tone_comes_through() {
    let mut dice = ChaCha12Rng::seed_from_u64(722);
    let mut below = move |limit: u64| usize::try_from(dice.next_u64() % limit).expect("small");
    for (number, codec) in (0..60).map(|n| (n, if n % 3 == 0 { Codec::Opus } else { Codec::G722 })) {
        let digits: String = (0..16).map(|_| char::from(b'0' + u8::try_from(below(10)).expect("a digit"))).collect();
        let mut samples = vec![0; 400 + below(160)];
        for key in digits.chars() {
            #[allow(clippy::cast_precision_loss)]
            let level = 400.0 + below(8_000) as f32;
            samples.extend(tone::sound(key, 640 + below(720), level).expect("a key"));
            samples.extend(vec![0; 640 + below(720)]);
        }
        let (heard, packets, keys) = wide_call(codec, &samples);
        assert_eq!(keys, digits, "call {number}, {codec:?}");
        assert_eq!(packets, samples.len() / 160 - 1, "call {number}, {codec:?}: the gaps keep their length");
        let looks: Vec<u8> = heard.iter().map(|sample| Codec::Pcmu.encode(*sample)).collect();
        assert!(longest_tone(&looks) < 20, "call {number}, {codec:?}: {} ms of a tone", longest_tone(&looks));
    }
}

#[test]
fn speech_of_g722_and_opus_goes_on_in_card_mode_and_what_was_not_looked_at_does_not() {
    #[allow(clippy::cast_possible_truncation)]
    let vowel: Vec<i16> = (0..16_000_u16)
        .map(|n| (1..12).map(|k| (f32::from(n) * 0.094_25 * k as f32).sin() * 1_500.0 / k as f32).sum::<f32>() as i16)
        .collect();
    for codec in [Codec::G722, Codec::Opus] {
        let (heard, packets, _) = wide_call(codec, &vowel);
        let loud = heard.chunks(160).filter(|part| part.iter().any(|sample| sample.abs() > 500)).count();
        assert!(packets == 99 && loud > 85, "{codec:?}: {loud} of {packets}");
    }
    let (mut engine, mut net, now) = joined();
    for (port, number) in [(A, 4_000), (B, 5_000)] {
        let payload = Some(Payload { sent: 96, received: 96 });
        let remote = Remote { payload, ..remote(number, Codec::Opus) };
        engine.handle_command(now, Command::Connect { port, remote }, &mut Shelf, &mut net);
    }
    engine.handle_command(now, Command::Shield { port: A, shielded: true }, &mut Shelf, &mut net);
    let (mut encoder, mut plain) = (Encoder::new(Codec::Opus), [0; ENCODED_MAX]);
    let length = encoder.encode(&std::array::from_fn(|n| vowel[n]), &mut plain);
    // RFC 6716 §3.2.5: code 3, one frame, four bytes of padding.
    let mut padded = vec![plain[0] | 3, 0x41, 4];
    padded.extend_from_slice(&plain[1..length]);
    padded.extend([7; 4]);
    for n in 1..10_u16 {
        let mut packet = packet(n, 96, &padded);
        packet[4..8].copy_from_slice(&(u32::from(n) * 960).to_be_bytes());
        engine.handle_packet(now, SLOT_A, address(4_000), &packet, &mut net);
    }
    assert_eq!(net.sent.len(), 8);
    assert!(net.sent.iter().all(|(_, _, sent)| !sent.ends_with(&[7; 4])), "padding passed");
}

#[test]
fn without_card_mode_the_same_tones_are_found_so_the_search_is_good() {
    let (mut engine, mut net, now) = joined();
    for (n, part) in tone::sound('7', 1_600, 3_000.0).expect("a key").chunks(160).enumerate() {
        let payload: Vec<u8> = part.iter().map(|sample| Codec::Pcma.encode(*sample)).collect();
        let sequence = u16::try_from(n).expect("few");
        engine.handle_packet(now, SLOT_A, address(4_000), &packet(sequence, 8, &payload), &mut net);
    }
    let audio: Vec<u8> = net.sent.iter().flat_map(|(_, _, sent)| rtp::parse(sent).expect("RTP").1.to_vec()).collect();
    assert!(longest_tone(&audio) > 150, "{} ms", longest_tone(&audio));
    assert_eq!(keys(&mut engine), "", "sound is no key while nobody asks");
}

#[test]
fn speech_goes_on_in_card_mode_one_packet_later() {
    // A vowel: a buzz at 120 Hz with many overtones.
    #[allow(clippy::cast_possible_truncation)]
    let vowel: Vec<i16> = (0..16_000_u16)
        .map(|n| (1..12).map(|k| (f32::from(n) * 0.094_25 * k as f32).sin() * 1_500.0 / k as f32).sum::<f32>() as i16)
        .collect();
    let heard = call(&vowel, "");
    let loud = heard.audio.chunks(160).filter(|part| part.iter().any(|byte| Codec::Pcmu.decode(*byte).abs() > 500));
    assert!(loud.count() > 90, "of 99 packets");
}

#[test]
fn a_paused_recording_keeps_nothing_and_the_call_goes_on() {
    let (mut engine, mut net, now) = joined();
    let tell = |engine: &mut Engine, net: &mut Net, command| engine.handle_command(now, command, &mut Shelf, net);
    tell(&mut engine, &mut net, Command::Record { recording: "r".into(), port: A });
    for (sequence, paused) in [(1, false), (2, true), (3, true), (4, false)] {
        tell(&mut engine, &mut net, Command::RecordPause { recording: "r".into(), paused });
        engine.handle_packet(now, SLOT_A, address(4_000), &packet(sequence, 8, &[1; 160]), &mut net);
        engine.handle_packet(now, SLOT_B, address(5_000), &packet(sequence, 0, &[1; 160]), &mut net);
    }
    tell(&mut engine, &mut net, Command::RecordEnd { recording: "r".into() });
    assert_eq!((net.frames, net.sent.len()), (4, 8));
}
