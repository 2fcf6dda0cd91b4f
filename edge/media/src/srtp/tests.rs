//! The vectors of the RFCs, and what an attacker tries.

use proptest::prelude::*;

use super::{cipher::Place, cipher::Traffic, *};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hex")).collect()
}

fn master(suite: Suite, seed: u8) -> Master {
    let all: Vec<u8> = (0..suite.master_len()).map(|at| seed.wrapping_add(u8::try_from(at).expect("short"))).collect();
    Master::new(suite, &all).expect("the right length")
}

fn packet(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let header =
        crate::rtp::Header { marker: false, payload_type: 8, sequence, timestamp: u32::from(sequence) * 160, ssrc };
    let mut packet = crate::rtp::write(&header).to_vec();
    packet.extend(payload);
    packet
}

fn sealed(sealer: &mut Sealer, plain: &[u8]) -> Vec<u8> {
    let mut packet = plain.to_vec();
    packet.resize(plain.len() + RTP_ROOM, 0);
    let length = sealer.rtp(&mut packet, plain.len()).expect("sealed");
    packet.truncate(length);
    packet
}

fn opened(opener: &mut Opener, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut packet = sealed.to_vec();
    let length = opener.rtp(&mut packet)?;
    packet.truncate(length);
    Some(packet)
}

/// RFC 3711 B.3.
#[test]
fn session_keys_are_those_of_the_rfc() {
    let key = bytes("E1F97A0D3E018BE0D64FA32C06DE4139");
    let salt = bytes("0EC675AD498AFEEBB6960B3AABE6");
    let of = |label| derive::derived::<16>(&key, &salt, label).expect("derived").to_vec();
    assert_eq!(of(0), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
    let salted = derive::derived::<14>(&key, &salt, 2).expect("derived");
    assert_eq!(salted.to_vec(), bytes("30CBBC08863D8C85D49DB34A9AE1"));
    let auth = derive::derived::<94>(&key, &salt, 1).expect("derived");
    assert_eq!(
        auth.to_vec(),
        bytes(
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227098\
             6371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E4740 35766B68642C59BBFC2F34DB60DBDFB2DC68"
        )[..94]
            .to_vec()
    );
}

/// The reference packet of libsrtp's own validation, which every stack repeats.
#[test]
fn a_known_packet_is_sealed_and_opened() {
    let key = bytes("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6");
    let master = Master::new(Suite::AesCm128HmacSha1_80, &key).expect("a key");
    let plain = bytes("800f1234decafbadcafebabe abababababababababababababababab");
    let wire = bytes("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    let mut sealer = Sealer::new(&master).expect("a key");
    assert_eq!(sealed(&mut sealer, &plain), wire);
    let mut opener = Opener::new(&master).expect("a key");
    assert_eq!(opened(&mut opener, &wire), Some(plain));
    assert_eq!(opened(&mut opener, &wire), None, "not twice");
}

/// RFC 7714 §16.1 and §17.1: session keys are given, so the cipher is asked.
#[test]
fn gcm_is_that_of_the_rfc() {
    let (key, salt) = (bytes("000102030405060708090a0b0c0d0e0f"), bytes("517569642070726f2071756f"));
    let key = aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_128_GCM, &key).expect("a key");
    let cipher = cipher::Cipher::Gcm {
        key: aws_lc_rs::aead::LessSafeKey::new(key),
        salt: salt.try_into().expect("twelve bytes"),
    };
    let plain =
        bytes("8040f17b8041f8d35501a0b2 47616c6c696120657374206f6d6e697320646976697361 20696e207061727465732074726573");
    let wire = bytes(
        "8040f17b8041f8d35501a0b2 f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833 \
         899d7f27beb16a9152cf765ee4390cce",
    );
    let mut packet = plain.clone();
    let place = Place { ssrc: 0x5501_a0b2, index: 0xf17b };
    let tag = cipher.seal(place, &mut packet, 12, [0; 4], false).expect("sealed");
    packet.extend(tag);
    assert_eq!(packet, wire);
    let report = bytes(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    );
    let wire = bytes(
        "81c8000d4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b \
         c84aa45896cf4d2fc5abf87245d9eade",
    );
    let mut packet = report.clone();
    let place = Place { ssrc: 0x4d61_7273, index: 0x5d4 };
    let tag = cipher.seal(place, &mut packet, 8, 0x8000_05d4_u32.to_be_bytes(), true).expect("sealed");
    packet.extend(tag);
    assert_eq!(packet, wire);
}

/// 2^16 packets and more: the rollover counter is part of every tag.
#[test]
fn every_suite_goes_on_over_the_wrap_of_the_sequence() {
    for suite in Suite::ALL {
        let master = master(suite, 9);
        let (mut sealer, mut opener) = (Sealer::new(&master).expect("a key"), Opener::new(&master).expect("a key"));
        let mut sequence = 65_000_u16;
        for _ in 0..140_000 {
            let plain = packet(sequence, 7, &[1; 20]);
            let wire = sealed(&mut sealer, &plain);
            assert_eq!(wire.len(), plain.len() + suite.rtp_tag());
            assert_eq!(opened(&mut opener, &wire).as_ref(), Some(&plain), "{suite:?} {sequence}");
            sequence = sequence.wrapping_add(1);
        }
    }
}

/// S-26: a capture of ten minutes, played again from any place.
#[test]
fn of_a_capture_that_is_played_again_nothing_is_taken() {
    let master = master(Suite::AesCm128HmacSha1_80, 3);
    let (mut sealer, mut opener) = (Sealer::new(&master).expect("a key"), Opener::new(&master).expect("a key"));
    let capture: Vec<Vec<u8>> =
        (0..30_000_u16).map(|n| sealed(&mut sealer, &packet(n.wrapping_add(60_000), 7, &[5; 40]))).collect();
    assert!(capture.iter().all(|wire| opened(&mut opener, wire).is_some()));
    assert_eq!(capture.iter().filter(|wire| opened(&mut opener, wire).is_some()).count(), 0);
    assert_eq!(capture.iter().rev().filter(|wire| opened(&mut opener, wire).is_some()).count(), 0);
}

#[test]
fn a_stream_that_is_joined_late_is_found_after_a_few_packets() {
    let master = master(Suite::AeadAes128Gcm, 3);
    let mut sealer = Sealer::new(&master).expect("a key");
    let mut last = Vec::new();
    for n in 0..200_000_u32 {
        #[allow(clippy::cast_possible_truncation)]
        let plain = packet(n as u16, 7, &[5; 10]);
        last = sealed(&mut sealer, &plain);
    }
    let mut opener = Opener::new(&master).expect("a key");
    let tries = (0..20).take_while(|_| opened(&mut opener, &last).is_none()).count();
    assert_eq!(tries, 2, "rollover counters 0 to 2 are tried before the third");
}

#[test]
fn streams_of_one_peer_are_told_apart_and_the_oldest_makes_room() {
    let master = master(Suite::AesCm128HmacSha1_32, 3);
    let mut opener = Opener::new(&master).expect("a key");
    for ssrc in 0..10 {
        let mut sealer = Sealer::new(&master).expect("a key");
        let wire = sealed(&mut sealer, &packet(1, ssrc, &[5; 10]));
        assert!(opened(&mut opener, &wire).is_some() && opened(&mut opener, &wire).is_none(), "{ssrc}");
    }
    assert_eq!(opener.streams.iter().flatten().count(), 4);
}

#[test]
fn reports_are_sealed_opened_once_and_never_taken_in_clear() {
    for suite in Suite::ALL {
        let master = master(suite, 1);
        let (mut sealer, mut opener) = (Sealer::new(&master).expect("a key"), Opener::new(&master).expect("a key"));
        let plain = bytes("80c90001000000078000000011223344");
        for _ in 0..3 {
            let mut wire = plain.clone();
            wire.resize(plain.len() + RTCP_ROOM, 0);
            let length = sealer.rtcp(&mut wire, plain.len()).expect("sealed");
            wire.truncate(length);
            let again = wire.clone();
            assert_eq!(opener.rtcp(&mut wire), Some(plain.len()), "{suite:?}");
            assert_eq!(&wire[..plain.len()], plain);
            assert_eq!(opener.rtcp(&mut again.clone()), None, "{suite:?}: twice");
            let mut clear = again;
            let word = if suite.is_aead() { clear.len() - 4 } else { clear.len() - 14 };
            clear[word] &= 0x7f;
            assert_eq!(opener.rtcp(&mut clear), None, "{suite:?}: said to be in clear");
        }
        assert_eq!(opener.rtcp(&mut plain.clone()), None);
    }
}

#[test]
fn a_master_key_has_its_suite_s_length_and_is_not_printed() {
    for suite in Suite::ALL {
        let right = vec![0x5a; suite.master_len()];
        assert!(Master::new(suite, &right[1..]).is_none());
        let master = Master::new(suite, &right).expect("right");
        assert!(!format!("{master:?}").contains("90"), "{master:?}");
        let text = serde_json::to_string(&master).expect("JSON");
        assert_eq!(serde_json::from_str::<Master>(&text).expect("read"), master);
        assert!(serde_json::from_str::<Master>(&text.replacen("90", "90,90", 1)).is_err());
        assert_eq!(Suite::named(suite.name()), Some(suite));
    }
    for weak in ["AES_CM_128_NULL_AUTH", "NULL_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80", "aes_cm_128_hmac_sha1_80", ""] {
        assert_eq!(Suite::named(weak), None, "{weak}");
    }
}

proptest! {
    #[test]
    fn one_changed_bit_anywhere_is_refused(at in 0_usize..182, bit in 0_u8..8, which in 0_usize..4) {
        let master = master(Suite::ALL[which], 4);
        let mut sealer = Sealer::new(&master).expect("a key");
        let mut wire = sealed(&mut sealer, &packet(100, 7, &[9; 160]));
        let at = at % wire.len();
        wire[at] ^= 1 << bit;
        let mut opener = Opener::new(&master).expect("a key");
        prop_assert_eq!(opened(&mut opener, &wire), None);
    }

    #[test]
    fn no_bytes_make_the_opener_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), which in 0_usize..4, rtp: bool) {
        let mut opener = Opener::new(&master(Suite::ALL[which], 4)).expect("a key");
        if rtp && let Some(first) = bytes.first_mut() {
            *first = *first & 0x3f | 0x80;
        }
        prop_assert_eq!(opener.rtp(&mut bytes.clone()), None);
        prop_assert_eq!(opener.rtcp(&mut bytes), None);
    }
}

#[test]
fn both_traffics_have_keys_of_their_own() {
    let master = master(Suite::AesCm128HmacSha1_80, 1);
    let (rtp, rtcp) = (derive::encryption_key(&master, Traffic::Rtp), derive::encryption_key(&master, Traffic::Rtcp));
    assert_ne!(rtp, rtcp);
}
