//! The services of RFC 5359, each by its section, as a branch's phones live them. The box is a B2BUA, not a proxy: each
//! side has a dialog of its own, music comes from the box, and a transfer is done by the box once it has agreed.
//!
//! Not in the product, and so not here: transfer by instant message (§2.6); forwarding by the box, unconditional, on
//! busy or without an answer (§2.7 to §2.9): a phone that answers 302 itself is refused, as the test says; conferences
//! (§2.10, §2.11); screening of incoming calls by the called person (§2.13); park (§2.15). The fork of find-me (§2.12) is
//! a phone's several contacts, in `calls`.

use conformance::ladder::check;
use floor::board::Ask;

use crate::hand::{body, header};
use crate::town::*;

/// Alice has called Bob and they talk.
fn talking() -> Town {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.rings(BOB);
    town.answers(BOB);
    town.story();
    town
}

#[test]
fn section_2_1_and_2_3_call_hold_with_music() {
    let mut town = talking();
    town.offers(ALICE, "sendonly");
    check(
        &town.story(),
        "alice   -> box     INVITE
         box      * mute alice
         box     -> alice   100
         box     -> alice   200
         box      * play music to bob again and again
         alice   -> box     ACK",
    );
    town.offers(ALICE, "sendrecv");
    check(
        &town.story(),
        "alice   -> box     INVITE
         box      * unmute alice
         box     -> alice   100
         box     -> alice   200
         box      * silence for bob
         alice   -> box     ACK",
    );
}

#[test]
fn section_2_2_consultation_hold() {
    let mut town = talking();
    town.offers(ALICE, "sendonly");
    town.story();
    town.calls(ALICE, "203");
    town.answers(CAROL);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -> carol   INVITE
         carol   -> box     100
         carol   -> box     200
         box     -> carol   ACK
         box      * join alice and carol
         box     -> alice   200
         alice   -> box     ACK",
    );
    town.ends(CAROL);
    town.offers(ALICE, "sendrecv");
    check(
        &town.story(),
        "carol   -> box     BYE
         box      * part alice
         box     -> carol   200
         box     -> alice   BYE
         alice   -> box     200
         alice   -> box     INVITE
         box      * unmute alice
         box     -> alice   100
         box     -> alice   200
         box      * silence for bob
         alice   -> box     ACK",
    );
}

#[test]
fn section_2_4_transfer_unattended() {
    let mut town = talking();
    town.says(BOB, 0, "REFER", "Refer-To: <sip:203@north.example>\r\nReferred-By: <sip:202@north.example>\r\n");
    town.rings(CAROL);
    town.answers(CAROL);
    check(
        &town.story(),
        "bob     -> box     REFER
         box     -> bob     202
         box     -> bob     NOTIFY 100 Trying
         bob     -> box     200
         box      * part alice
         box     -> carol   INVITE
         carol   -> box     100
         carol   -> box     180
         box      * play ringback to alice again and again
         carol   -> box     200
         box      * silence for alice
         box     -> carol   ACK
         box      * join alice and carol
         box     -> bob     NOTIFY 200 OK
         bob     -> box     200
         box     -> bob     BYE
         bob     -> box     200",
    );
    // S-09: who referred is not told to whom it is referred by a header of the referrer's.
    assert!(town.legs() == 2);
}

#[test]
fn section_2_4_transfer_unattended_that_nobody_takes() {
    let mut town = talking();
    town.says(BOB, 0, "REFER", "Refer-To: <sip:203@north.example>\r\n");
    town.refuses(CAROL, 486);
    check(
        &town.story(),
        "bob     -> box     REFER
         box     -> bob     202
         box     -> bob     NOTIFY 100 Trying
         bob     -> box     200
         box      * part alice
         box     -> carol   INVITE
         carol   -> box     100
         carol   -> box     486
         box     -> carol   ACK
         box     -> bob     NOTIFY 486 Busy Here
         bob     -> box     200
         box      * join alice and bob",
    );
}

#[test]
fn section_2_4_the_referrer_hears_each_outcome_as_a_status_line() {
    // RFC 3515 §2.4.5. What the target said is told as its cause, not word for word.
    for (refusal, told) in [
        (486, "486 Busy Here"),
        (600, "486 Busy Here"),
        (603, "486 Busy Here"),
        (404, "404 Not Found"),
        (480, "480 Temporarily Unavailable"),
        (488, "488 Not Acceptable Here"),
        (302, "403 Forbidden"),
        (500, "480 Temporarily Unavailable"),
    ] {
        let mut town = talking();
        town.says(BOB, 0, "REFER", "Refer-To: <sip:203@north.example>\r\n");
        town.refuses(CAROL, refusal);
        let story = town.story();
        assert!(story.contains(&format!("box -> bob NOTIFY {told}")), "{refusal}: {story}");
        assert!(story.ends_with("box * join alice and bob"), "{refusal}: the old talk goes on: {story}");
    }
    // Nobody takes it: the box gives up after half a minute.
    let mut town = talking();
    town.says(BOB, 0, "REFER", "Refer-To: <sip:203@north.example>\r\n");
    town.rings(CAROL);
    town.advance(31);
    assert!(town.story().contains("box -> bob NOTIFY 480 Temporarily Unavailable"));
    // RFC 4488: who wants no NOTIFY gets none.
    let mut town = talking();
    town.says(BOB, 0, "REFER", "Refer-To: <sip:203@north.example>\r\nRefer-Sub: false\r\nRequire: norefersub\r\n");
    let accepted = town.peers[BOB].heard.iter().find(|text| text.starts_with("SIP/2.0 202")).cloned();
    assert_eq!(accepted.as_deref().map(|text| header(text, "Refer-Sub")), Some("false"));
    town.answers(CAROL);
    let story = town.story();
    assert!(!story.contains("NOTIFY") && story.contains("box * join alice and carol"), "{story}");
}

#[test]
fn section_2_4_a_referrer_that_hangs_up_at_once_has_still_transferred() {
    let mut town = talking();
    town.says(BOB, 0, "REFER", "Refer-To: <sip:203@north.example>\r\n");
    town.says(BOB, 0, "BYE", "");
    town.answers(CAROL);
    let story = town.story();
    assert!(story.contains("box * join alice and carol") && town.legs() == 2, "{story}");
}

#[test]
fn section_2_5_transfer_attended() {
    let mut town = talking();
    town.offers(BOB, "sendonly");
    town.calls(BOB, "203");
    town.answers(CAROL);
    town.story();
    let Names { own, remote, call_id } = town.peers[BOB].names.last().cloned().unwrap();
    let tag = |value: &str| value.split("tag=").nth(1).unwrap().to_string();
    let replaces = format!("{call_id}%3Bto-tag%3D{}%3Bfrom-tag%3D{}", tag(&remote), tag(&own));
    town.says(BOB, 0, "REFER", &format!("Refer-To: <sip:203@north.example?Replaces={replaces}>\r\n"));
    check(
        &town.story(),
        "bob     -> box     REFER
         box     -> bob     202
         box     -> bob     NOTIFY 100 Trying
         bob     -> box     200
         box      * silence for alice
         box      * part carol
         box     -> bob     BYE
         box      * part alice
         box      * join alice and carol
         box     -> bob     NOTIFY 200 OK
         bob     -> box     200
         box     -> bob     BYE
         bob     -> box     200
         bob     -> box     200",
    );
}

#[test]
fn section_2_7_to_2_9_a_phone_that_forwards_by_itself_leads_nowhere() {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.refuses(BOB, 302);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -> bob     INVITE
         bob     -> box     100
         bob     -> box     302
         box     -> bob     ACK
         box     -> alice   403
         alice   -> box     ACK",
    );
}

#[test]
fn section_2_14_outgoing_call_screening() {
    let mut town = Town::new();
    town.calls(ALICE, "00881612345678");
    town.prompts_end();
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box      * play not-allowed to alice
         box     -> alice   183
         alice   -> box     PRACK
         box     -> alice   200
         box     -> alice   403
         alice   -> box     ACK",
    );
}

#[test]
fn section_2_16_call_pickup() {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.rings(BOB);
    town.story();
    town.calls(CAROL, "*8202");
    check(
        &town.story(),
        "carol   -> box     INVITE
         box     -> carol   401
         carol   -> box     ACK
         carol   -> box     INVITE
         box     -> carol   100
         box     -> bob     CANCEL
         box     -> carol   200
         bob     -> box     200
         bob     -> box     487
         carol   -> box     ACK
         box     -> bob     ACK
         box      * join alice and carol
         box     -> alice   200
         alice   -> box     ACK",
    );
}

#[test]
fn section_2_17_automatic_redial() {
    let mut town = talking();
    town.calls(CAROL, "202");
    check(
        &town.story(),
        "carol   -> box     INVITE
         box     -> carol   401
         carol   -> box     ACK
         carol   -> box     INVITE
         box     -> carol   100
         box     -> carol   486
         carol   -> box     ACK",
    );
    town.asks(CAROL, "SUBSCRIBE", "202", "Event: dialog\r\nExpires: 600\r\n");
    check(
        &town.story(),
        "carol   -> box     SUBSCRIBE
         box     -> carol   401
         carol   -> box     SUBSCRIBE
         box     -> carol   200
         box     -> carol   NOTIFY confirmed
         carol   -> box     200",
    );
    town.ends(ALICE);
    town.advance(1);
    check(
        &town.story(),
        "alice   -> box     BYE
         box      * part bob
         box     -> alice   200
         box     -> bob     BYE
         bob     -> box     200
         box     -> carol   NOTIFY terminated
         carol   -> box     200",
    );
    town.calls(CAROL, "202");
    town.rings(BOB);
    assert!(town.story().contains("bob -> box 180"));
}

#[test]
fn section_2_18_click_to_dial() {
    let mut town = Town::new();
    town.desk(Ask::SignIn);
    town.story();
    town.desk(Ask::Dial { number: "202".into() });
    town.answers(ALICE);
    town.rings(BOB);
    town.answers(BOB);
    check(
        &town.story(),
        "box     -> alice   INVITE
         alice   -> box     100
         alice   -> box     200
         box     -> alice   ACK
         box     -> bob     INVITE
         bob     -> box     100
         bob     -> box     180
         bob     -> box     200
         box     -> bob     ACK
         box      * join alice and bob",
    );
    let invite = town.peers[BOB].heard.iter().find(|text| text.starts_with("INVITE"));
    assert!(invite.is_none_or(|invite| !body(invite).is_empty() && header(invite, "From").contains("201")));
}
