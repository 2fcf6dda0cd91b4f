//! What peers send, mangled: good bytes with flips, cuts, repeats and lies about lengths. No reader panics, none takes
//! what it should refuse, and every run can be had again from its seed. Ten million runs of each with
//! `BRANCHLINE_MANGLED=10000000`.

use media::{
    record::{Batch, Heard, Writer, read, recover},
    rtp::{self, rtcp},
    sdp,
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

fn runs(otherwise: u64) -> u64 {
    std::env::var("BRANCHLINE_MANGLED").ok().and_then(|count| count.parse().ok()).unwrap_or(otherwise)
}

/// Mangles one of the seeds and hands it over, so many times.
fn mangle(seeds: &[Vec<u8>], otherwise: u64, mut check: impl FnMut(&[u8])) {
    let mut dice = ChaCha12Rng::seed_from_u64(7);
    let mut bytes = Vec::new();
    for _ in 0..runs(otherwise) {
        let (word, more) = (dice.next_u64(), dice.next_u64());
        bytes.clear();
        bytes.extend_from_slice(&seeds[below(word, seeds.len())]);
        for turn in 0..=(word >> 32) % 4 {
            twist(&mut bytes, word.rotate_left(u32::try_from(turn * 11).expect("small")), more >> (turn * 7), seeds);
        }
        check(&bytes);
    }
}

fn below(word: u64, limit: usize) -> usize {
    usize::try_from(word % u64::try_from(limit.max(1)).expect("64 bits")).expect("64 bits")
}

fn twist(bytes: &mut Vec<u8>, word: u64, more: u64, seeds: &[Vec<u8>]) {
    let at = below(word >> 8, bytes.len());
    if bytes.is_empty() {
        return;
    }
    #[allow(clippy::cast_possible_truncation)]
    let byte = more as u8;
    match word % 8 {
        0 => bytes[at] ^= 1 << (more % 8),
        1 => bytes[at] = byte,
        2 => bytes.truncate(at),
        3 => bytes.insert(at, byte),
        4 => drop(bytes.remove(at)),
        5 => {
            let end = (at + below(more, 40)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        6 => {
            // What readers take for lengths and counts.
            let extreme = [0, 1, 0x7f, 0x80, 0xff][below(more, 5)];
            let end = (at + 1 + below(more >> 8, 4)).min(bytes.len());
            bytes[at..end].fill(extreme);
        }
        _ => {
            let other = &seeds[below(more, seeds.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(&other[below(more >> 8, other.len())..]);
        }
    }
    bytes.truncate(40_000);
}

#[test]
fn rtp() {
    let header = rtp::Header { marker: true, payload_type: 8, sequence: 1, timestamp: 2, ssrc: 3 };
    let plain = [&rtp::write(&header)[..], &[0xd5; 160]].concat();
    let mut extended = plain.clone();
    extended[0] |= 0x10 | 0x02 | 0x20;
    extended[12 + 8 + 2..12 + 8 + 4].copy_from_slice(&[0, 2]);
    *extended.last_mut().expect("bytes") = 4;
    let press = [&rtp::write(&header)[..], &[5, 0x8a, 1, 64]].concat();
    let mut accepted = 0_u64;
    mangle(&[plain, extended, press], 200_000, |bytes| {
        if let Some((_, payload)) = rtp::parse(bytes) {
            assert!(payload.len() + rtp::HEADER_LEN <= bytes.len());
            accepted += 1;
        }
    });
    assert!(accepted > 1_000, "the seeds are good: {accepted}");
}

#[test]
fn rtcp() {
    let sent = Some(rtcp::Sent { ntp: 1 << 40, rtp: 1, packets: 2, octets: 3 });
    let block = Some(rtcp::Block { ssrc: 7, highest: 9, ..rtcp::Block::default() });
    let seeds: Vec<Vec<u8>> = [(sent, block), (sent, None), (None, block), (None, None)]
        .into_iter()
        .map(|(sent, block)| {
            let mut out = [0; rtcp::LEN_MAX];
            let length = rtcp::write(&mut out, &rtcp::Report { ssrc: 5, sent, block, voip: None });
            out[..length].to_vec()
        })
        .chain([vec![0x80, 201, 0, 1, 0, 0, 0, 5, 0x81, 203, 0, 1, 0, 0, 0, 5]])
        .collect();
    let mut accepted = 0_u64;
    mangle(&seeds, 200_000, |bytes| accepted += u64::from(rtcp::parse(bytes, 7).is_some()));
    assert!(accepted > 1_000, "the seeds are good: {accepted}");
}

#[test]
fn sdp() {
    let body = |lines: &[&str]| (lines.join("\r\n") + "\r\n").into_bytes();
    let local = "192.0.2.9:4000".parse().expect("an address");
    let seeds = [
        sdp::offer(&sdp::Ours::clear(local, sdp::Direction::SendRecv, 1, 1)).into_bytes(),
        body(&[
            "v=0",
            "o=- 46117327 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0 1",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126",
            "c=IN IP4 0.0.0.0",
            "a=ice-ufrag:EsAw",
            "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
            "a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F",
            "a=setup:actpass",
            "a=mid:0",
            "a=rtcp-mux",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20",
            "a=rtpmap:111 opus/48000/2",
            "a=rtpmap:126 telephone-event/8000",
        ]),
        body(&[
            "v=0",
            "o=- 1 1 IN IP6 2001:db8::1",
            "s=-",
            "c=IN IP6 2001:db8::1/127",
            "t=0 0",
            "a=sendonly",
            "m=video 5000 RTP/SAVPF 96 97",
            "a=rtpmap:96 VP8/90000",
            "m=audio 49170/2 RTP/AVP 0 8 9 18 101",
            "c=IN IP4 0.0.0.0",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "a=ptime:20",
            "a=inactive",
        ]),
    ];
    let mut accepted = 0_u64;
    mangle(&seeds, 100_000, |bytes| {
        let Ok(audio) = sdp::parse(bytes).and_then(sdp::Session::audio) else { return };
        accepted += 1;
        let answered = sdp::answer(&audio, &sdp::Ours::clear(local, sdp::Direction::SendRecv, 1, 1));
        assert!(sdp::parse(answered.as_bytes()).is_ok(), "we cannot read our own answer to\n{}", bytes.escape_ascii());
        if let Some(remote) = audio.remote(false, false, media::plane::Security::Clear) {
            assert!(!remote.addr.ip().is_multicast());
            assert!(!remote.addr.ip().is_unspecified() || audio.has_ice());
        }
    });
    assert!(accepted > 1_000, "the seeds are good: {accepted}");
}

#[test]
fn journals() {
    let key = [7; 32];
    let (mut writer, mut bytes) = Writer::begin("rec", "branch-a", 0, &key, &[9; 44]).expect("begun");
    let mut batch = Batch::default();
    let mut said = Vec::new();
    for chunk in 0..3_u8 {
        for n in 0..4_u8 {
            let (side, codec) = (media::plane::Side::Caller, media::plane::Codec::Pcma);
            let payload = [chunk * 16 + n; 20];
            assert!(batch.push(&Heard { side, codec, timestamp: 0, at_ms: u32::from(n), payload: &payload }));
            said.push(payload.to_vec());
        }
        bytes.extend(writer.seal(&mut batch).expect("sealed"));
        batch.clear();
    }
    bytes.extend(writer.end().expect("ended").0);
    let mut whole = 0_u64;
    mangle(&[bytes.clone()], 50_000, |mangled| {
        let Ok(journal) = read(mangled, &key) else { return };
        let heard: Vec<_> = journal.frames.iter().map(|frame| frame.payload.clone()).collect();
        assert_eq!(heard[..], said[..heard.len()], "what was never said is heard");
        if journal.fault.is_none() {
            whole += 1;
            assert_eq!(mangled.get(1_536..), bytes.get(1_536..), "changed audio proves itself");
        }
        let _ = recover(mangled, &key);
    });
    assert!(whole > 100, "the seed is good: {whole}");
}
