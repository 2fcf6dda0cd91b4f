//! Hold in all its spellings, as phones of different makes write it into a re-INVITE (RFC 3264 §8.4, RFC 2543): what we
//! answer, whether the other side is told, and that the end of it is understood in every spelling too.

use crate::bench::{ANN, CARRIER};
use crate::ladders::talking;

const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 198.51.100.1\r\ns=-\r\n";
const AUDIO: &str = "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
const HERE: &str = "c=IN IP4 198.51.100.1\r\n";
const NOWHERE: &str = "c=IN IP4 0.0.0.0\r\n";

#[test]
fn every_spelling_of_hold_is_answered_in_kind_and_told_once() {
    let audio_elsewhere = AUDIO.replacen("\r\n", &format!("\r\n{NOWHERE}"), 1);
    let audio_at_port_1 = AUDIO.replace("m=audio 4000", "m=audio 4000/1");
    let spellings = [
        ("sendonly", format!("{HEAD}{HERE}t=0 0\r\n{AUDIO}a=sendonly\r\n"), "recvonly", true),
        ("inactive", format!("{HEAD}{HERE}t=0 0\r\n{AUDIO}a=inactive\r\n"), "inactive", true),
        ("recvonly: they listen", format!("{HEAD}{HERE}t=0 0\r\n{AUDIO}a=recvonly\r\n"), "sendonly", false),
        ("no attribute", format!("{HEAD}{HERE}t=0 0\r\n{AUDIO}"), "sendrecv", false),
        ("RFC 2543", format!("{HEAD}{NOWHERE}t=0 0\r\n{AUDIO}"), "recvonly", true),
        ("RFC 2543, sendrecv", format!("{HEAD}{NOWHERE}t=0 0\r\n{AUDIO}a=sendrecv\r\n"), "recvonly", true),
        ("RFC 2543 in the stream", format!("{HEAD}{HERE}t=0 0\r\n{audio_elsewhere}"), "recvonly", true),
        ("RFC 2543 and sendonly", format!("{HEAD}{NOWHERE}t=0 0\r\n{AUDIO}a=sendonly\r\n"), "recvonly", true),
        ("RFC 2543 and inactive", format!("{HEAD}{NOWHERE}t=0 0\r\n{AUDIO}a=inactive\r\n"), "inactive", true),
        ("at session level", format!("{HEAD}{HERE}t=0 0\r\na=sendonly\r\n{AUDIO}"), "recvonly", true),
        ("inactive at session level", format!("{HEAD}{HERE}t=0 0\r\na=inactive\r\n{AUDIO}"), "inactive", true),
        (
            "the stream's word counts",
            format!("{HEAD}{HERE}t=0 0\r\na=sendonly\r\n{AUDIO}a=sendrecv\r\n"),
            "sendrecv",
            false,
        ),
        ("a number of ports", format!("{HEAD}{HERE}t=0 0\r\n{audio_at_port_1}a=sendonly\r\n"), "recvonly", true),
    ];
    for (name, held, answer, tells) in spellings {
        let (mut bench, _, _) = talking();
        bench.peer_reinvites(ANN, &held);
        let said = bench.peer_sdp(ANN);
        assert!(said.contains(&format!("a={answer}\r\n")), "{name}: {said}");
        let log = bench.take_log();
        assert_eq!(log.iter().any(|line| line.starts_with("* hold")), tells, "{name}: {log:?}");
        // The same again changes nothing; the way back is one.
        bench.peer_reinvites(ANN, &held);
        assert!(!bench.take_log().iter().any(|line| line.starts_with("* hold")), "{name}, again");
        bench.peer_reinvites(ANN, &format!("{HEAD}{HERE}t=0 0\r\n{AUDIO}a=sendrecv\r\n"));
        assert!(bench.peer_sdp(ANN).contains("a=sendrecv\r\n"), "{name}, the end of it");
        let log = bench.take_log();
        assert_eq!(
            log.iter().any(|line| line.starts_with("* hold") && line.ends_with("false")),
            tells,
            "{name}: {log:?}"
        );
    }
}

#[test]
fn video_is_refused_in_its_place_and_a_stream_that_is_switched_off_refuses_the_offer() {
    let video = "m=video 6000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
    for (offer, order) in [
        (format!("{HEAD}{HERE}t=0 0\r\n{AUDIO}a=sendrecv\r\n{video}"), ["m=audio", "m=video 0 "]),
        (format!("{HEAD}{HERE}t=0 0\r\n{video}{AUDIO}a=sendrecv\r\n"), ["m=video 0 ", "m=audio"]),
        // RFC 3264 §8.2: a second audio stream, the first switched off.
        (format!("{HEAD}{HERE}t=0 0\r\nm=audio 0 RTP/AVP 0\r\n{AUDIO}"), ["m=audio 0 ", "m=audio 3"]),
    ] {
        let (mut bench, _, _) = talking();
        bench.peer_reinvites(ANN, &offer);
        let said = bench.peer_sdp(ANN);
        let places = order.map(|line| said.find(line).unwrap_or_else(|| panic!("no {line} in {said}")));
        assert!(places[0] < places[1], "{said}");
        assert_eq!(said.matches("m=").count(), 2, "as many lines as were offered: {said}");
    }
    let (mut bench, _, _) = talking();
    let before = bench.peer_sdp(ANN);
    bench.peer_reinvites(ANN, &format!("{HEAD}{HERE}t=0 0\r\n{}", AUDIO.replace("audio 4000", "audio 0")));
    assert!(bench.take_log().contains(&"ann < 488".to_owned()), "no audio is left: the old session stands");
    let _ = (before, CARRIER);
}
