//! RFC 4475: what the document says of each message, and our answer to it.

use super::*;
use crate::message::Method;

const VIA: &str = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw";

/// A request of the RFC's usual shape, some lines replaced (`To: …`) or added.
fn request(start: &str, lines: &[&str]) -> String {
    let cseq = format!("CSeq: 8 {}", start.split(' ').next().unwrap());
    let usual = [
        VIA,
        "To: sip:user@example.com",
        "From: sip:caller@example.net;tag=342",
        "Call-ID: torture.1",
        &cseq,
        "Max-Forwards: 6",
        "Content-Length: 0",
    ];
    let name = |line: &str| line.split(':').next().unwrap().trim().to_string();
    let kept = usual.iter().filter(|line| !lines.iter().any(|other| name(other) == name(line)));
    let lines: Vec<&str> = kept.chain(lines).copied().filter(|line| !line.ends_with("(none)")).collect();
    format!("{start}\r\n{}\r\n\r\n", lines.join("\r\n"))
}

fn open_text(text: &str) -> Opened {
    open(&Bytes::copy_from_slice(text.as_bytes()), Carrier::Datagram, 65_535)
}

/// The status of the refusal, 200 for a message let in, 0 for silence.
fn status(text: &str) -> u16 {
    match open_text(text) {
        Opened::Message(_) => 200,
        Opened::Refused(refusal) => refusal.status,
        Opened::Dropped { .. } | Opened::KeepAlive => 0,
    }
}

#[test]
fn torture_messages_get_the_answers_that_rfc_4475_names() {
    const INVITE: &str = "INVITE sip:user@example.com SIP/2.0";
    const OPTIONS: &str = "OPTIONS sip:user@example.com SIP/2.0";
    const REGISTER: &str = "REGISTER sip:example.com SIP/2.0";
    let table: &[(&str, &str, &[&str], u16)] = &[
        (
            "3.1.1.3 esc01",
            "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0",
            &[
                "To: sip:%75se%72@example.com",
                "From: <sip:I%20have%20spaces@example.net>;tag=938",
                "Contact:\r\n  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>",
            ],
            200,
        ),
        (
            "3.1.1.4 escnull",
            REGISTER,
            &["To: sip:null-%00-null@example.com", "Contact: <sip:%00@host5.example.com>"],
            200,
        ),
        (
            "3.1.1.5 esc02",
            "RE%47IST%45R sip:registrar.example.com SIP/2.0",
            &["To: \"%Z%45\" <sip:resource@example.com>"],
            501,
        ),
        ("3.1.1.6 lwsdisp", OPTIONS, &["From: caller<sip:caller@example.com>;tag=323"], 200),
        ("3.1.1.9 semiuri", "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0", &[], 200),
        ("3.1.1.10 transports", OPTIONS, &[VIA, "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en"], 200),
        (
            "3.1.2.1 badinv01",
            INVITE,
            &["Via: SIP/2.0/UDP 192.0.2.15;;,;,,", "Contact: \"Joe\" <sip:joe@example.org>;;;;"],
            400,
        ),
        ("3.1.2.2 clerr", INVITE, &["Content-Length: 9999"], 400),
        ("3.1.2.3 ncl", INVITE, &["Content-Length: -999"], 400),
        ("3.1.2.4 scalar02", REGISTER, &["CSeq: 36893488147419103232 REGISTER"], 400),
        ("3.1.2.4 scalar02", REGISTER, &["Max-Forwards: 300"], 400),
        ("3.1.2.6 quotbal", INVITE, &["To: \"Mr. J. User <sip:j.user@example.com>"], 400),
        ("3.1.2.7 ltgtruri", "INVITE <sip:user@example.com> SIP/2.0", &[], 400),
        ("3.1.2.8 lwsruri", "INVITE sip:user@example.com; lr SIP/2.0", &[], 400),
        ("3.1.2.9 lwsstart", "INVITE  sip:user@example.com  SIP/2.0", &["CSeq: 8 INVITE"], 400),
        ("3.1.2.10 trws", "OPTIONS sip:remote-target@example.com SIP/2.0  ", &[], 400),
        ("3.1.2.11 escruri", "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0", &[], 400),
        ("3.1.2.12 baddate", INVITE, &["Date: Fri, 01 Jan 2010 16:00:00 EST"], 200),
        ("3.1.2.13 regbadct", REGISTER, &["Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"], 400),
        ("3.1.2.14 badaspec", OPTIONS, &["To: \"Watson, Thomas\" < sip:t.watson@example.org >"], 400),
        ("3.1.2.15 baddn", OPTIONS, &["From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43"], 400),
        (
            "3.1.2.16 badvers",
            "OPTIONS sip:t.watson@example.org SIP/7.0",
            &["Via: SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw"],
            505,
        ),
        ("3.1.2.17 mismatch01", OPTIONS, &["CSeq: 8 INVITE"], 400),
        ("3.1.2.18 mismatch02", "NEWMETHOD sip:user@example.com SIP/2.0", &["CSeq: 8 INVITE"], 501),
        ("3.3.1 insuf", INVITE, &["To: (none)", "From: (none)", "Call-ID: (none)"], 400),
        ("3.3.4 unksm2", REGISTER, &["To: isbn:2983792873", "Contact: <name:John_Smith>"], 400),
        ("3.3.2 unkscm", "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", &[], 416),
        ("3.3.3 novelsc", "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", &[], 416),
        ("3.3.8 multi01", INVITE, &["CSeq: 5 INVITE", "CSeq: 59 INVITE", "To: sip:a@h", "To: sip:b@h"], 400),
        ("3.3.9 mcl01", OPTIONS, &["Content-Length: 13", "Content-Length: 5"], 400),
        ("3.3.12 cparam01", REGISTER, &["Contact: sip:+19725552222@gw1.example.net;unknownparam"], 200),
        ("3.3.14 regescrt", REGISTER, &["M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>"], 200),
    ];
    for (name, start, lines, expected) in table {
        assert_eq!(status(&request(start, lines)), *expected, "{name}");
    }
}

#[test]
fn torture_responses_are_read_or_dropped_in_silence() {
    let response = |start: &str, cseq: &str| {
        format!(
            "{start}\r\n{VIA}\r\nTo: <sip:a@h>\r\nFrom: <sip:b@h>;tag=1\r\nCall-ID: x\r\nCSeq: {cseq}\r\nl: 0\r\n\r\n"
        )
    };
    let check = |start, cseq, expected| assert_eq!(status(&response(start, cseq)), expected, "{start}");
    check("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое", "35 INVITE", 200); // 3.1.1.12 unreason
    check("SIP/2.0 100 ", "35 INVITE", 200); // 3.1.1.13 noreason
    check("SIP/2.0 4294967301 better not break the receiver", "353494 INVITE", 0); // 3.1.2.19 bigcode
    check("SIP/2.0 503 Service Unavailable", "9292394834772304023312 OPTIONS", 0); // 3.1.2.5 scalarlg
}

#[test]
fn the_short_tortuous_invite_is_read_as_its_authors_meant_it() {
    // RFC 4475 §3.1.1.1, less the missing quote of the printed Contact.
    let text = "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   \
        tag    = 1918181833n\r\nfrom   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n\
        MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 4\r\ncseq: 0009\r\n  INVITE\r\n\
        Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\nNewFangledHeader:   newfangled value\r\n \
        continued newfangled value\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\nRoute:\r\n \
        <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\nv:  SIP  / 2.0  / TCP     spindle.example.com   \
        ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n\
        m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\
        \r\nv=0\nAND MORE";
    let Opened::Message(message) = open_text(text) else { panic!("{:?}", open_text(text)) };
    let Message::Request(request) = *message else { panic!() };
    let head = &request.head;
    assert_eq!((head.cseq, head.method, head.max_forwards, head.via.len()), (9, Method::Invite, Some(68), 3));
    assert_eq!(head.from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!((head.from.tag(), head.to.tag()), (Some("98asjd8"), Some("1918181833n")));
    assert_eq!(head.contacts.first().unwrap().params.get("q"), Some("0.33"));
    assert_eq!(head.field("NewFangledHeader"), Some("newfangled value continued newfangled value"));
    assert_eq!(&request.body[..], b"v=0\n");
}

#[test]
fn control_characters_and_bare_line_ends_are_refused_and_never_echoed() {
    for bad in ["To: <sip:a@h>\0", "To: <sip:a@h>\rX: y", "To: <sip:a@h>\nX: y", "Subject: \x07", "Subject: \u{85}"] {
        let Opened::Refused(refusal) = open_text(&request("OPTIONS sip:u@h SIP/2.0", &[bad])) else {
            panic!("{bad:?}")
        };
        assert_eq!(refusal.status, 400);
        let (_, reply) = refusal.reply("192.0.2.1:5060".parse().unwrap(), "t", "Branchline").unwrap();
        let lines = String::from_utf8(reply.to_vec()).unwrap();
        assert!(lines.split("\r\n").all(|line| !line.contains(char::is_control)), "{lines:?}");
        assert!(!lines.contains("\r\nX:"), "{lines:?}");
    }
}

#[test]
fn a_quoted_pair_may_hold_control_characters_which_nobody_behind_the_door_meets() {
    // RFC 4475 §3.1.1.2, as an OPTIONS; folded within the quoted string.
    let name = "To: \"BEL:\\\x07\r\n NUL:\\\0 DEL:\\\x7f\" <sip:a@h>";
    let Opened::Message(message) = open_text(&request("OPTIONS sip:u@h SIP/2.0", &[name])) else { panic!() };
    let Message::Request(request_read) = *message else { panic!() };
    assert_eq!(request_read.head.to.display.as_deref(), Some("BEL:? NUL:? DEL:?"));
    for bad in
        ["To: \"\\\r\" <sip:a@h>", "To: \"\x07\" <sip:a@h>", "To: \\\x07 <sip:a@h>", "To: \"\\\u{85}\" <sip:a@h>"]
    {
        assert_eq!(status(&request("OPTIONS sip:u@h SIP/2.0", &[bad])), 400, "{bad:?}");
    }
}

#[test]
fn limits_on_the_number_and_length_of_headers_hold() {
    let headers = |n: usize| (0..n).map(|i| format!("X-{i}: y\r\n")).collect::<String>();
    let with = |extra: String| request("OPTIONS sip:u@h SIP/2.0", &[]).replacen("\r\n", &format!("\r\n{extra}"), 1);
    assert_eq!(status(&with(headers(HEADERS_MAX - 7))), 200);
    assert_eq!(status(&with(headers(HEADERS_MAX + 1))), 400);
    assert_eq!(status(&with(format!("X: {}\r\n", "y".repeat(HEADER_BYTES_MAX - 1)))), 200);
    assert_eq!(status(&with(format!("X: {}\r\n", "y".repeat(HEADER_BYTES_MAX + 1)))), 400);
    // Members of a list count as lines.
    let listed = |n: usize| format!("Contact: {}\r\n", vec!["<sip:a@h>"; n].join(","));
    assert_eq!(status(&with(listed(HEADERS_MAX - 7))), 200);
    assert_eq!(status(&with(listed(HEADERS_MAX - 6))), 400);
    let long = |n: usize| format!("Contact: <sip:a@h>;x={}\r\n", "y".repeat(n - "<sip:a@h>;x=".len()));
    assert_eq!(status(&with(long(MEMBER_BYTES_MAX))), 200);
    assert_eq!(status(&with(long(MEMBER_BYTES_MAX + 1))), 400);
    let big = Bytes::from(with(headers(3)));
    assert!(matches!(open(&big, Carrier::Datagram, big.len()), Opened::Message(_)));
    assert!(matches!(open(&big, Carrier::Datagram, big.len() - 1), Opened::Refused(r) if r.status == 513));
}

#[test]
fn a_refusal_goes_back_the_way_the_request_came() {
    let text = request(
        "OPTIONS sip:u@h SIP/2.0",
        &["Via: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1, SIP/2.0/UDP b.h", "To: <sip:a@h>", "CSeq: x"],
    );
    let Opened::Refused(refusal) = open_text(&text) else { panic!() };
    let (to, reply) = refusal.reply("192.0.2.1:1024".parse().unwrap(), "t1", "Branchline").unwrap();
    assert_eq!(to, "192.0.2.1:1024".parse().unwrap());
    let reply = String::from_utf8(reply.to_vec()).unwrap();
    assert!(
        reply.contains("Via: SIP/2.0/UDP 10.0.0.1;rport=1024;branch=z9hG4bK1;received=192.0.2.1, SIP/2.0/UDP b.h\r\n"),
        "{reply}"
    );
    assert!(reply.contains("To: <sip:a@h>;tag=t1\r\n"), "{reply}");
}

#[test]
fn what_is_not_sip_and_a_bad_ack_get_silence() {
    assert_eq!(open_text("\r\n\r\n"), Opened::KeepAlive);
    assert_eq!(open_text("\0\0\0\0"), Opened::KeepAlive);
    assert_eq!(open_text("GET / HTTP/1.1\r\n\r\n"), Opened::Dropped { cause: "not_sip" });
    assert_eq!(status(&request("ACK sip:u@h SIP/2.0", &["CSeq: 1 INVITE"])), 0);
}
