//! A foreign client's metadata, updates, limits, and that what is written is what is read.

use proptest::prelude::*;

use super::*;

/// After the example of RFC 7865 §10.1 (appendix), with an extension and another vendor's prefix.
const EXAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rm:recording xmlns:rm='urn:ietf:params:xml:ns:recording:1' xmlns:x='urn:vendor'>
  <rm:datamode>complete</rm:datamode>
  <rm:group group_id="7+OTCyoxTmqmqyA/1weDAg=="><rm:associate-time>2010-12-16T23:41:07Z</rm:associate-time></rm:group>
  <rm:session session_id="hVpd7YQgRW2nD22h7q60JQ==">
    <rm:sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</rm:sipSessionID>
    <rm:group-ref>7+OTCyoxTmqmqyA/1weDAg==</rm:group-ref>
  </rm:session>
  <rm:participant participant_id="srfBElmCRp2QB23b7Mpk0w==">
    <rm:nameID aor="sip:bob@biloxi.com"><rm:name xml:lang="it">Bob &amp; Sons</rm:name></rm:nameID>
    <x:secret>not ours</x:secret>
  </rm:participant>
  <rm:participant participant_id="zSfPoSvdSDCmU3A3TRDxAw=="><rm:nameID aor="sip:Paul@biloxi.com"/></rm:participant>
  <rm:stream stream_id="UAAMm5GRQKSCMVvLyl4rFw==" session_id="hVpd7YQgRW2nD22h7q60JQ=="><rm:label>96</rm:label></rm:stream>
  <rm:sessionrecordingassoc session_id="hVpd7YQgRW2nD22h7q60JQ=="/>
  <rm:participantsessionassoc participant_id="srfBElmCRp2QB23b7Mpk0w==" session_id="hVpd7YQgRW2nD22h7q60JQ=="/>
  <rm:participantstreamassoc participant_id="srfBElmCRp2QB23b7Mpk0w=="><rm:send>UAAMm5GRQKSCMVvLyl4rFw==</rm:send></rm:participantstreamassoc>
</rm:recording>"#;

fn names(metadata: &Metadata) -> Vec<(&str, Option<&str>)> {
    metadata
        .present()
        .flat_map(|one| one.names.iter().map(|name| (name.aor.as_str(), name.display.as_deref())))
        .collect()
}

#[test]
fn a_foreign_clients_metadata_is_read() {
    let read = Metadata::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(names(&read), [("sip:bob@biloxi.com", Some("Bob & Sons")), ("sip:Paul@biloxi.com", None)]);
    assert_eq!(read.groups[0].span.since, Some(Millis(1_292_542_867_000)));
    assert_eq!(read.heard_on("96").map(|one| one.id.as_str()), Some("srfBElmCRp2QB23b7Mpk0w=="));
    assert_eq!(read.heard_on("97"), None);
    assert_eq!(Metadata::parse(read.write().as_bytes()), Ok(read));
}

#[test]
fn an_update_says_who_left_and_who_came() {
    let mut all = Metadata::parse(EXAMPLE.as_bytes()).unwrap();
    let session = all.sessions[0].id.clone();
    let left = |id: &str, until| Association {
        session: session.clone(),
        participant: Some(id.to_owned()),
        span: Span { since: None, until },
    };
    let came = Participant { id: "new".into(), names: vec![Name { aor: "sip:9@b".into(), display: None }] };
    let update = Metadata {
        partial: true,
        participants: vec![came],
        takes_part: vec![left("srfBElmCRp2QB23b7Mpk0w==", Some(Millis(1))), left("new", None)],
        ..Metadata::default()
    };
    let read = Metadata::parse(update.write().as_bytes()).unwrap();
    assert_eq!(read, update);
    assert!(all.update(read));
    assert_eq!(names(&all), [("sip:Paul@biloxi.com", None), ("sip:9@b", None)]);
    let whole = Metadata::default();
    assert!(all.update(whole.clone()));
    assert_eq!(all, whole);
}

#[test]
fn what_is_no_metadata_or_too_much_of_it_is_refused() {
    let check = |text: &str, expected: Error| assert_eq!(Metadata::parse(text.as_bytes()), Err(expected), "{text:.80}");
    let root = |inner: &str| format!("<recording xmlns='{NAMESPACE}'>{inner}</recording>");
    check("", Error::Xml);
    check("<recording/>", Error::Kind);
    check(&format!("<other xmlns='{NAMESPACE}'/>"), Error::Kind);
    check(&root("<participant/>"), Error::Identifier);
    check(&format!("<!DOCTYPE r [<!ENTITY a 'b'>]>{}", root("&a;")), Error::Xml);
    check(&format!("<!DOCTYPE r SYSTEM 'file:///etc/passwd'>{}", root("")), Error::Xml);
    check(&" ".repeat(BYTES_MAX + 1), Error::Limit);
    let stream = "<stream stream_id='s'/>";
    assert!(Metadata::parse(root(&stream.repeat(OBJECTS_MAX)).as_bytes()).is_ok());
    check(&root(&stream.repeat(OBJECTS_MAX + 1)), Error::Limit);
    let deep = |levels: usize| root(&format!("{}{}", "<x>".repeat(levels), "</x>".repeat(levels)));
    assert!(Metadata::parse(deep(DEPTH_MAX - 1).as_bytes()).is_ok());
    check(&deep(DEPTH_MAX), Error::Limit);
    check(&root(&"<x/>".repeat(NODES_MAX as usize)), Error::Limit);
    let long = format!("<participant participant_id='{}'/>", "x".repeat(1_000));
    let read = Metadata::parse(root(&long).as_bytes()).unwrap();
    assert_eq!(read.participants[0].id.len(), TEXT_MAX);
}

#[test]
fn an_update_beyond_the_limit_changes_nothing() {
    let participants = |from: usize, count: usize| -> Vec<Participant> {
        (from..from + count).map(|n| Participant { id: format!("p{n}"), names: Vec::new() }).collect()
    };
    let mut all = Metadata { participants: participants(0, OBJECTS_MAX), ..Metadata::default() };
    let before = all.clone();
    assert!(all.update(Metadata { partial: true, participants: participants(0, 1), ..Metadata::default() }));
    assert!(!all.update(Metadata { partial: true, participants: participants(900, 1), ..Metadata::default() }));
    assert_eq!(all, before);
}

#[test]
fn nobody_is_named_where_it_is_logged() {
    let shown = format!("{:?}", Metadata::parse(EXAMPLE.as_bytes()).unwrap());
    assert!(!shown.contains("bob") && !shown.contains("Paul"), "{shown}");
}

fn line() -> impl Strategy<Value = String> {
    "[^\\p{C}\\s]{1,8}( [^\\p{C}\\s]{1,8})?"
}

fn moment() -> impl Strategy<Value = Option<Millis>> {
    prop::option::of((0_i64..4_000_000_000_000).prop_map(Millis))
}

fn spans() -> impl Strategy<Value = Span> {
    (moment(), moment()).prop_map(|(since, until)| Span { since, until })
}

prop_compose! {
    fn associations(of_participant: bool)(session in line(), participant in line(), span in spans()) -> Association {
        Association { session, participant: of_participant.then_some(participant), span }
    }
}

prop_compose! {
    fn people()(id in line(), names in prop::collection::vec((line(), prop::option::of(line())), 0..3)) -> Participant {
        Participant { id, names: names.into_iter().map(|(aor, display)| Name { aor, display }).collect() }
    }
}

prop_compose! {
    fn sessions()(
        id in line(), sip_ids in prop::collection::vec(line(), 0..3), group in prop::option::of(line()),
        reason in prop::option::of(line()), start in moment(), stop in moment(),
    ) -> Session {
        Session { id, sip_ids, group, reason, start, stop }
    }
}

prop_compose! {
    fn documents()(
        partial in any::<bool>(),
        groups in prop::collection::vec((line(), spans()), 0..3),
        sessions in prop::collection::vec(sessions(), 0..3),
        participants in prop::collection::vec(people(), 0..4),
        streams in prop::collection::vec((line(), prop::option::of(line()), prop::option::of(line())), 0..4),
        recorded in prop::collection::vec(associations(false), 0..2),
        takes_part in prop::collection::vec(associations(true), 0..3),
        heard in prop::collection::vec((line(), prop::collection::vec(line(), 0..3), spans()), 0..3),
    ) -> Metadata {
        Metadata {
            partial,
            groups: groups.into_iter().map(|(id, span)| Group { id, span }).collect(),
            sessions,
            participants,
            streams: streams.into_iter().map(|(id, session, label)| Stream { id, session, label }).collect(),
            recorded,
            takes_part,
            heard: heard
                .into_iter()
                .map(|(participant, sends, span)| Heard { participant, receives: sends.clone(), sends, span })
                .collect(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(metadata in documents()) {
        let written = metadata.write();
        prop_assert_eq!(Metadata::parse(written.as_bytes()), Ok(metadata), "{}", written);
    }

    #[test]
    fn no_bytes_make_the_reader_fail(pieces in prop::collection::vec(prop_oneof![
        Just("<recording xmlns='urn:ietf:params:xml:ns:recording:1'>".to_owned()), Just("</recording>".to_owned()),
        Just("<participant participant_id='p'>".to_owned()), Just("</participant>".to_owned()),
        Just("<nameID aor='sip:a@b'/>".to_owned()), Just("<!DOCTYPE x>".to_owned()), Just("<![CDATA[".to_owned()),
        Just("]]>".to_owned()), Just("&#0;".to_owned()), Just("&lt;".to_owned()), "\\PC{0,6}",
    ], 0..30), cut in any::<prop::sample::Index>()) {
        let text = pieces.concat();
        let bytes = text.as_bytes();
        let _ = Metadata::parse(&bytes[..cut.index(bytes.len() + 1)]);
        if let Ok(metadata) = Metadata::parse(bytes) {
            prop_assert!(metadata.participants.len() <= OBJECTS_MAX);
            prop_assert_eq!(Metadata::parse(metadata.write().as_bytes()), Ok(metadata));
        }
    }
}
