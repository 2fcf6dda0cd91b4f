//! S-13: no shape of a message or of an SDP costs more than its length. Each is read at a quarter, half and all of the
//! longest that is taken; twice the bytes may cost twice the processor time, and the longest has a limit of its own.

use std::time::Duration;

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use sip::front::{self, Carrier};

/// RFC 3261 §18.1.1: the longest datagram.
const MESSAGE_MAX: usize = 60_000;
const SDP_MAX: usize = media::sdp::BYTES_MAX;
/// Of one message: THREATS.md S-13, for a build with optimisation. One without is some twenty times slower.
const RUN_MAX: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 5 });
/// What twice the bytes may cost, in percent; the clock has a grain.
const GROWTH_MAX: u128 = 250;
const GRAIN: Duration = Duration::from_micros(100);

/// A head whose one line, or whose many lines, are made of `piece` until `bytes` are full.
fn head(open: &str, piece: &str, close: &str, bytes: usize) -> Bytes {
    let start = "INVITE sip:100@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n\
                 From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
                 Contact: <sip:a@192.0.2.1>\r\n";
    let end = format!("{close}\r\nContent-Length: 0\r\n\r\n");
    let room = bytes.saturating_sub(start.len() + open.len() + end.len());
    Bytes::from(format!("{start}{open}{}{end}", piece.repeat(room / piece.len())))
}

/// What a careless reader goes over again and again: lists, quotes, escapes, parameters, folding, names, nesting.
const SHAPES: [(&str, &str, &str, &str); 24] = [
    ("one endless line", "Subject: ", "a", ""),
    ("lines", "X: 1", "\r\nX: 1", ""),
    ("empty lines' names", "X: 1", "\r\nabcdefghijklmnopqrstuvwxyz:", ""),
    ("compact names", "X: 1", "\r\ns: 1", ""),
    ("folded lines", "Subject: a", "\r\n a", ""),
    ("folds of nothing", "Subject: a", "\r\n ", "a"),
    ("spaces before the colon", "Subject", " ", ": a"),
    ("Vias", "Via: SIP/2.0/UDP a", "\r\nVia: SIP/2.0/UDP a", ""),
    ("Vias in one line", "Via: SIP/2.0/UDP a", ",SIP/2.0/UDP a", ""),
    ("parameters of a Via", "Via: SIP/2.0/UDP a", ";a=b", ""),
    ("Contacts in one line", "Contact: <sip:a@b>", ",<sip:a@b>", ""),
    ("parameters of a Contact", "Contact: <sip:a@b>", ";a", ""),
    ("parameters of a URI", "Contact: <sip:a@b", ";a", ">"),
    ("headers of a URI", "Contact: <sip:a@b?a=b", "&a=b", ">"),
    ("escapes of a user", "Contact: <sip:", "%41", "@b>"),
    ("quotes", "Subject: ", "\"", ""),
    ("escaped quotes", "Contact: \"", "\\\"", "\" <sip:a@b>"),
    ("brackets", "Contact: ", "<", "sip:a@b>"),
    ("commas", "Supported: a", ",", "a"),
    ("option tags", "Require: a", ",a", ""),
    ("Routes", "Route: <sip:a;lr>", ",<sip:a;lr>", ""),
    ("a proof of many parts", "Authorization: Digest a=b", ",a=\"b\"", ""),
    ("comments", "Subject: ", "(", ")"),
    ("a long host", "Contact: <sip:a@b", ".b", ">"),
];

const SDP_SHAPES: [(&str, &str); 8] = [
    ("attributes", "a=x:1\r\n"),
    ("formats", "a=fmtp:8 a=b;c=d;e=f;g=h;i=j;k=l;m=n\r\n"),
    ("maps", "a=rtpmap:96 opus/48000/2\r\n"),
    ("keys", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"),
    ("streams", "m=audio 9 RTP/AVP 0 8 101\r\n"),
    ("candidates", "a=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n"),
    ("spaces", "a=          x          \r\n"),
    ("lines of one letter", "b=\r\n"),
];

fn sdp(line: &str, bytes: usize) -> Bytes {
    let start =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8 101\r\n";
    Bytes::from(format!("{start}{}", line.repeat(bytes.saturating_sub(start.len()) / line.len())))
}

fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().expect("a time"), time.tv_nsec.try_into().expect("less than a second"))
}

/// The least of several runs: whatever else the machine did is none of ours.
fn cost(run: &dyn Fn(&Bytes), bytes: &Bytes) -> Duration {
    let timed = || {
        let began = spent();
        run(bytes);
        spent().saturating_sub(began)
    };
    (0..7).map(|_| timed()).min().unwrap_or_default()
}

/// What is wrong with this shape, after three tries; None: nothing.
fn judge(name: &str, run: &dyn Fn(&Bytes), sized: &dyn Fn(usize) -> Bytes, most: usize) -> Option<String> {
    let judged = || {
        let costs = [most / 4, most / 2, most].map(|bytes| cost(run, &sized(bytes)));
        let grows = costs.windows(2).any(|pair| {
            let [half, whole] = pair else { return false };
            whole.as_nanos() > half.as_nanos() * GROWTH_MAX / 100 + GRAIN.as_nanos()
        });
        let [.., whole] = costs;
        (grows || whole > RUN_MAX).then(|| format!("{name}: {costs:?} for a quarter, half and all of {most} bytes"))
    };
    (0..3).map(|_| judged()).reduce(|one, other| one.and(other)).flatten()
}

#[test]
fn no_shape_of_a_message_costs_more_than_its_length() {
    let read = |bytes: &Bytes| drop(front::open(bytes, Carrier::Datagram, 65_535));
    let of = |(name, open, piece, close): &(&str, &str, &str, &str)| {
        judge(name, &read, &|bytes| head(open, piece, close, bytes), MESSAGE_MAX)
    };
    let wrong: Vec<String> = SHAPES.iter().filter_map(of).collect();
    println!("{} shapes of a message", SHAPES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_shape_of_an_sdp_costs_more_than_its_length() {
    let read = |bytes: &Bytes| drop(media::sdp::parse(bytes).and_then(media::sdp::Session::audio));
    let of = |(name, line): &(&str, &str)| judge(name, &read, &|bytes| sdp(line, bytes), SDP_MAX);
    let wrong: Vec<String> = SDP_SHAPES.iter().filter_map(of).collect();
    println!("{} shapes of an SDP", SDP_SHAPES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
