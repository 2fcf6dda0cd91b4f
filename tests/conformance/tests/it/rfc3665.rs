//! The basic call flows of RFC 3665, each by its section: §2 with the box as registrar, §3 with the box in the place of
//! the proxies. It is a B2BUA, so that each side sees a call of its own, offers and answers are the box's, and the
//! caller is challenged once (401, as by a user agent server, where the RFC's proxies say 407).
//!
//! §3.4 (a proxy fails, the next is tried) is the trunk groups' business and tested there; §3.5 (a firewall's gateway)
//! and §3.6 (a redirect server) are roles that the box does not play.

use conformance::ladder::check;
use conformance::net::Net;

use crate::hand::{Hand, Say, header, status};
use crate::stage::{BOX, PHONE, box_config};
use crate::town::*;

fn registrar() -> (Net, usize, Hand) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let bob = Hand::new(&mut net, "100", PHONE);
    (net, hub, bob)
}

fn contacts(reply: &str) -> Vec<&str> {
    reply.split("\r\n").filter(|line| line.starts_with("Contact")).collect()
}

fn register<'a>(more: &'a str) -> Say<'a> {
    Say { method: "REGISTER", to: "100", more, body: "" }
}

#[test]
fn section_2_1_successful_new_registration() {
    let (mut net, hub, mut bob) = registrar();
    let reply = bob.ask(&mut net, hub, register("Expires: 3600\r\n"));
    check(
        &net.story(),
        "  0 box     <- 100     REGISTER
           10 box     -> 100     401
           20 box     <- 100     REGISTER
           30 box      * Registered 100
           30 box     -> 100     200",
    );
    assert_eq!(contacts(&reply), ["Contact: <sip:100@192.0.2.10:5070>;expires=3600"]);
}

#[test]
fn section_2_2_update_of_contact_list() {
    let (mut net, hub, mut bob) = registrar();
    bob.register(&mut net, hub);
    let proof = bob.proof(&mut net, hub, "REGISTER");
    let text = bob.text(register("Expires: 3600\r\n"), &proof);
    let second = text.replace("Contact: <sip:100@192.0.2.10:5070>", "Contact: <sip:100@elsewhere.example>");
    net.story();
    let reply = bob.put(&mut net, hub, &second);
    check(
        &net.story(),
        " 60 box     <- 100     REGISTER
          70 box      * Registered 100
          70 box     -> 100     200",
    );
    assert_eq!(
        contacts(&reply),
        ["Contact: <sip:100@192.0.2.10:5070>;expires=3599", "Contact: <sip:100@elsewhere.example>;expires=3600"]
    );
}

#[test]
fn section_2_3_request_for_current_contact_list() {
    let (mut net, hub, mut bob) = registrar();
    bob.register(&mut net, hub);
    let proof = bob.proof(&mut net, hub, "REGISTER");
    let text = bob.text(register(""), &proof).replace("Contact: <sip:100@192.0.2.10:5070>\r\n", "");
    net.story();
    let reply = bob.put(&mut net, hub, &text);
    check(
        &net.story(),
        " 60 box     <- 100     REGISTER
          70 box     -> 100     200",
    );
    assert_eq!(contacts(&reply), ["Contact: <sip:100@192.0.2.10:5070>;expires=3599"]);
}

#[test]
fn section_2_4_cancellation_of_registration() {
    let (mut net, hub, mut bob) = registrar();
    bob.register(&mut net, hub);
    let proof = bob.proof(&mut net, hub, "REGISTER");
    let text = bob.text(register("Expires: 0\r\n"), &proof).replace("<sip:100@192.0.2.10:5070>", "*");
    net.story();
    let reply = bob.put(&mut net, hub, &text);
    check(
        &net.story(),
        " 60 box     <- 100     REGISTER
          70 box      * Unregistered 100
          70 box     -> 100     200",
    );
    assert!(contacts(&reply).is_empty(), "{reply}");
}

#[test]
fn section_2_5_unsuccessful_registration() {
    let (mut net, hub, mut bob) = registrar();
    let proof = bob.proof(&mut net, hub, "REGISTER").replace("response=\"", "response=\"0");
    let text = bob.text(register("Expires: 3600\r\n"), &proof);
    let reply = bob.put(&mut net, hub, &text);
    check(
        &net.story(),
        "  0 box     <- 100     REGISTER
           10 box     -> 100     401
           20 box     <- 100     REGISTER
           30 box     -> 100     401",
    );
    assert_eq!(status(&reply), "401");
    assert!(!header(&reply, "WWW-Authenticate").contains("stale"), "{reply}");
}

#[test]
fn section_3_1_to_3_3_successful_session_establishment() {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.rings(BOB);
    town.answers(BOB);
    town.ends(ALICE);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -> bob     INVITE
         bob     -> box     100
         bob     -> box     180
         box     -> alice   180
         bob     -> box     200
         box     -> bob     ACK
         box      * join alice and bob
         box     -> alice   200
         alice   -> box     ACK
         alice   -> box     BYE
         box      * part bob
         box     -> alice   200
         box     -> bob     BYE
         bob     -> box     200",
    );
    assert_eq!(town.legs(), 0);
}

#[test]
fn section_3_1_over_a_trunk_with_early_media() {
    let mut town = Town::new();
    town.calls(ALICE, "01709876543");
    town.early(CARRIER);
    town.answers(CARRIER);
    town.ends(CARRIER);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -> carrier INVITE
         box     -> alice   183
         carrier -> box     100
         alice   -> box     PRACK
         box     -> alice   200
         carrier -> box     183
         box      * join alice and carrier
         box     -> carrier PRACK
         carrier -> box     200
         carrier -> box     200
         box     -> carrier ACK
         box     -> alice   200
         alice   -> box     ACK
         carrier -> box     BYE
         box      * part alice
         box     -> carrier 200
         box     -> alice   BYE
         alice   -> box     200",
    );
    assert_eq!(town.legs(), 0);
}

#[test]
fn section_3_7_session_with_re_invite() {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.answers(BOB);
    town.story();
    town.offers(BOB, "sendrecv");
    town.ends(BOB);
    check(
        &town.story(),
        "bob     -> box     INVITE
         box     -> bob     100
         box     -> bob     200
         bob     -> box     ACK
         bob     -> box     BYE
         box      * part alice
         box     -> bob     200
         box     -> alice   BYE
         alice   -> box     200",
    );
}

#[test]
fn section_3_8_unsuccessful_no_answer() {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.rings(BOB);
    town.ends(ALICE);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -> bob     INVITE
         bob     -> box     100
         bob     -> box     180
         box     -> alice   180
         alice   -> box     CANCEL
         box     -> alice   200
         box     -> alice   487
         box     -> bob     CANCEL
         alice   -> box     ACK
         bob     -> box     200
         bob     -> box     487
         box     -> bob     ACK",
    );
    assert_eq!(town.legs(), 0);
}

#[test]
fn section_3_9_unsuccessful_busy() {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.refuses(BOB, 486);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -> bob     INVITE
         bob     -> box     100
         bob     -> box     486
         box     -> bob     ACK
         box     -> alice   486
         alice   -> box     ACK",
    );
    assert_eq!(town.legs(), 0);
}

#[test]
fn section_3_10_unsuccessful_no_response_from_user_agent() {
    let mut town = Town::new();
    town.unplug(BOB);
    town.calls(ALICE, "202");
    town.advance(33);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -x bob     INVITE
         box     -x bob     INVITE
         box     -x bob     INVITE
         box     -x bob     INVITE
         box     -x bob     INVITE
         box     -x bob     INVITE
         box     -x bob     INVITE
         box     -> alice   480
         alice   -> box     ACK",
    );
    assert_eq!(town.legs(), 0);
}

#[test]
fn section_3_11_unsuccessful_temporarily_unavailable() {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.rings(BOB);
    town.refuses(BOB, 480);
    check(
        &town.story(),
        "alice   -> box     INVITE
         box     -> alice   401
         alice   -> box     ACK
         alice   -> box     INVITE
         box     -> alice   100
         box     -> bob     INVITE
         bob     -> box     100
         bob     -> box     180
         box     -> alice   180
         bob     -> box     480
         box     -> bob     ACK
         box     -> alice   480
         alice   -> box     ACK",
    );
    assert_eq!(town.legs(), 0);
}
