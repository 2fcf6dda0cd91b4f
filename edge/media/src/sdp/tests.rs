//! Bodies as phones and carriers write them, and as attackers do.

use proptest::prelude::*;

use super::*;

fn body(lines: &[&str]) -> String {
    lines.join("\r\n") + "\r\n"
}

fn audio_of(lines: &[&str]) -> Result<Audio, Error> {
    parse(body(lines).as_bytes())?.audio()
}

const HEAD: [&str; 4] = ["v=0", "o=x 1 1 IN IP4 192.0.2.1", "s=-", "t=0 0"];

fn with(rest: &[&str]) -> Vec<&'static str> {
    HEAD.iter().copied().chain(rest.iter().map(|line| &*Box::leak((*line).to_owned().into_boxed_str()))).collect()
}

#[test]
fn the_first_codec_that_we_speak_is_taken_with_its_telephone_event() {
    let audio =
        audio_of(&with(&["c=IN IP4 192.0.2.7", "m=audio 4000 RTP/AVP 9 8 0 96", "a=rtpmap:96 telephone-event/8000"]))
            .expect("good");
    let remote = audio.remote(false, false, Security::Clear).expect("an address");
    assert_eq!(remote.codec, Codec::Pcma);
    assert_eq!(remote.addr, "192.0.2.7:4000".parse().expect("address"));
    assert_eq!(remote.telephone_event, Some(96));
}

#[test]
fn a_list_of_codecs_is_obeyed_in_its_order() {
    let lines = with(&["c=IN IP4 192.0.2.7", "m=audio 4000 RTP/AVP 8 0"]);
    let of = |codecs: &[Codec], lines: &[&str]| {
        parse(body(lines).as_bytes()).and_then(|session| session.audio_of(codecs)).map(|audio| audio.codec())
    };
    assert_eq!(of(&[], &lines), Ok(Codec::Pcma));
    assert_eq!(of(&[Codec::Pcmu, Codec::Pcma], &lines), Ok(Codec::Pcmu));
    assert_eq!(of(&[Codec::Pcmu], &with(&["c=IN IP4 192.0.2.7", "m=audio 4000 RTP/AVP 8"])), Err(Error::NoCommonCodec));
    let ours = offer(&Ours {
        codecs: &[Codec::Pcmu],
        ..Ours::clear("192.0.2.9:4000".parse().expect("address"), Direction::SendRecv, 1, 1)
    });
    assert!(ours.contains("m=audio 4000 RTP/AVP 0 101\r\n"), "{ours}");
}

#[test]
fn g711_is_taken_before_what_must_be_decoded_and_that_by_the_number_they_gave_it() {
    let opus = ["a=rtpmap:109 opus/48000/2", "a=rtpmap:101 telephone-event/8000"];
    let of = |formats: &str| {
        let audio = format!("m=audio 4000 RTP/AVP {formats}");
        audio_of(&with(&["c=IN IP4 192.0.2.7", &audio, opus[0], opus[1]]))
            .map(|audio| (audio.codec(), audio.payload_type()))
    };
    assert_eq!(of("109 9 8 0 101"), Ok((Codec::Pcma, 8)));
    assert_eq!(of("109 9 101"), Ok((Codec::Opus, 109)));
    assert_eq!(of("9 109"), Ok((Codec::G722, 9)));
    assert_eq!(of("111 101"), Err(Error::NoCommonCodec), "a number without a name");
    let lines = with(&["c=IN IP4 192.0.2.7", "m=audio 4000 RTP/AVP 109 101", opus[0], opus[1]]);
    let theirs = audio_of(&lines).expect("good");
    let ours = Ours::clear("192.0.2.9:4000".parse().expect("address"), Direction::SendRecv, 1, 1);
    let answer = answer(&theirs, &ours);
    assert!(answer.contains("m=audio 4000 RTP/AVP 109 101\r\na=rtpmap:109 opus/48000/2\r\na=fmtp:109 "), "{answer}");
    let offer = offer(&ours);
    assert!(offer.contains("m=audio 4000 RTP/AVP 8 0 9 111 101\r\n"), "{offer}");
    for line in ["a=rtpmap:9 G722/8000\r\n", "a=rtpmap:111 opus/48000/2\r\n", "useinbandfec=1\r\n"] {
        assert!(offer.contains(line), "{line} is not in {offer}");
    }
}

#[test]
fn every_spelling_of_hold_is_understood() {
    let line = "m=audio 4000 RTP/AVP 8";
    for (lines, wanted) in [
        (vec!["c=IN IP4 192.0.2.7", line, "a=sendonly"], Direction::SendOnly),
        (vec!["c=IN IP4 192.0.2.7", line, "a=inactive"], Direction::Inactive),
        (vec!["c=IN IP4 0.0.0.0", line], Direction::SendOnly),
        (vec!["c=IN IP4 192.0.2.7", "a=sendonly", line], Direction::SendOnly),
    ] {
        assert_eq!(audio_of(&with(&lines)).expect("good").direction, wanted, "{lines:?}");
    }
}

#[test]
fn audio_is_never_sent_to_a_forbidden_target() {
    for ip in ["224.0.0.5", "255.255.255.255", "169.254.169.254"] {
        let connection = format!("c=IN IP4 {ip}");
        let refused = audio_of(&with(&[&connection, "m=audio 4000 RTP/AVP 8"]));
        assert!(matches!(refused, Err(Error::ForbiddenTarget(_))), "{ip}: {refused:?}");
    }
    let name = audio_of(&with(&["c=IN IP4 evil.example", "m=audio 4000 RTP/AVP 8"]));
    assert!(matches!(name, Err(Error::Syntax { .. })), "host names are not looked up");
}

#[test]
fn no_control_character_comes_back_in_a_refused_stream() {
    for word in ["RTP/AVP\0", "RTP\u{1}/AVP", "RTP/AVP\u{7f}", "RTP/AVP\u{e9}"] {
        let other = format!("m=video 4002 {word} 31");
        let read = audio_of(&with(&["c=IN IP4 192.0.2.7", "m=audio 4000 RTP/AVP 8", &other]));
        assert!(matches!(read, Err(Error::Syntax { line: 7 })), "{word:?}: {read:?}");
    }
}

#[test]
fn what_we_cannot_speak_is_refused_by_name() {
    let refused = |lines: &[&str]| audio_of(&with(lines)).expect_err("refused");
    assert_eq!(refused(&["c=IN IP4 192.0.2.7", "m=audio 4000 RTP/AVP 3 18"]), Error::NoCommonCodec);
    assert_eq!(refused(&["c=IN IP4 192.0.2.7", "m=audio 4000 TCP/RTP/AVP 8"]), Error::Profile);
    assert_eq!(refused(&["c=IN IP4 192.0.2.7", "m=video 4000 RTP/AVP 96"]), Error::NoAudio);
    assert_eq!(refused(&["m=audio 4000 RTP/AVP 8"]), Error::NoAddress);
    let many: Vec<String> = (0..20).map(|port| format!("m=audio {port} RTP/AVP 8")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(&many), Error::TooLarge);
}

#[test]
fn an_answer_refuses_other_streams_in_their_places() {
    let offer = with(&["c=IN IP4 192.0.2.7", "m=video 5000 RTP/AVP 96", "m=audio 4000 RTP/AVP 0"]);
    let theirs = audio_of(&offer).expect("good");
    let text = answer(&theirs, &Ours::clear("198.51.100.1:20000".parse().expect("address"), Direction::SendRecv, 7, 1));
    let media: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(media, ["m=video 0 RTP/AVP 96", "m=audio 20000 RTP/AVP 0"]);
}

#[test]
fn keys_are_read_in_their_order_without_those_that_may_not_be_used_and_written_back() {
    let key = "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    let weak = "a=crypto:2 NULL_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    let second = "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    let audio = audio_of(&with(&["c=IN IP4 192.0.2.7", "m=audio 4000 RTP/SAVP 8", key, weak, second, "a=rtcp-mux"]))
        .expect("good");
    assert_eq!(audio.cryptos.iter().map(|crypto| crypto.tag).collect::<Vec<_>>(), [1, 3]);
    assert!(audio.mux && audio.profile == Profile::Savp);
    let local = "198.51.100.1:20000".parse().expect("address");
    let ours = Ours { cryptos: &audio.cryptos[1..], mux: true, ..Ours::clear(local, Direction::SendRecv, 7, 1) };
    let answered = parse(answer(&audio, &ours).as_bytes()).expect("ours").audio().expect("ours");
    assert_eq!((answered.profile, &answered.cryptos[..], answered.mux), (Profile::Savp, &audio.cryptos[1..], true));
}

proptest! {
    #[test]
    fn what_we_write_is_read_back(port in 1024_u16..65535, hold in any::<bool>(), id in any::<u64>()) {
        let local = SocketAddr::new("192.0.2.9".parse().expect("address"), port);
        let direction = if hold { Direction::SendOnly } else { Direction::SendRecv };
        let offered = parse(offer(&Ours::clear(local, direction, id, 1)).as_bytes()).expect("ours").audio().expect("ours");
        prop_assert_eq!(offered.direction, direction);
        let remote = offered.remote(false, false, Security::Clear).expect("an address");
        prop_assert_eq!((remote.addr, remote.codec, remote.telephone_event), (local, Codec::Pcma, Some(101)));
        let answered = answer(&offered, &Ours::clear(local, Direction::SendRecv, id, 2));
        prop_assert_eq!(parse(answered.as_bytes()).expect("ours").audio().expect("ours").codec(), Codec::Pcma);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes).and_then(Session::audio);
    }

    #[test]
    fn no_lines_make_the_reader_panic(lines in proptest::collection::vec("[vcma]=[ -~]{0,40}", 0..30)) {
        let _ = parse(lines.join("\n").as_bytes()).and_then(Session::audio);
    }
}

#[test]
fn who_asks_how_it_sounds_is_heard() {
    for (asked, asks) in [
        ("a=ptime:20", false),
        ("a=rtcp-xr:", false),
        ("a=rtcp-xr:rcvr-rtt=all stat-summary=loss,dup", false),
        ("a=rtcp-xr:pkt-loss-rle voip-metrics", true),
    ] {
        let lines =
            ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4000 RTP/AVP 8", asked];
        let remote = audio_of(&lines).expect("audio").remote(false, false, Security::Clear).expect("somewhere");
        assert_eq!(remote.wants_xr, asks, "{asked}");
    }
}
