//! The torture messages of RFC 4475 (49) and RFC 5118 (12), byte for byte, and what each document says of them.
//!
//! The bytes are those of RFC 4475's archive. Of RFC 5118 the lines are those printed; three messages announce a body
//! length that is not theirs there (§4.6, §4.8, §4.9) and stand here with the right one, and §4.10's two end with the
//! blank line that is missing in print. RFC 5118 names a reply for §4.2 alone (400); of §4.5 and §4.10 it says that what is
//! no grammar is to be read all the same. The other replies are RFC 3261's for such a request. Where our reply to a stranger is not the document's, it is 401: who speaks is
//! decided before what is wanted (S-04); the reply to a known sender then shows the document's verdict.

use Reply::{Silence, Status, Waits};
use Verdict::{Invalid, Valid};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    Invalid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// 100 stands for a call that was let in.
    Status(u16),
    Silence,
    /// The stream waits for the rest.
    Waits,
}

pub struct Case {
    pub name: &'static str,
    /// Of RFC 4475, or of RFC 5118 when it begins with 4.
    pub section: &'static str,
    pub verdict: Verdict,
    pub says: &'static str,
    pub bytes: &'static [u8],
    /// What a user agent server and registrar such as ours answers by the document.
    pub rfc: Reply,
    /// What ours answers to nobody in particular.
    pub stranger: Reply,
    /// What ours answers to a trunk, or to a phone that proved its password.
    pub known: Reply,
    /// What a stream changes, when the document says that it does.
    pub stream: Option<Reply>,
}

macro_rules! case {
    ($name:literal, $section:literal, $verdict:expr, $says:literal, $rfc:expr, $stranger:expr, $known:expr, $stream:expr) => {
        Case {
            name: $name,
            section: $section,
            verdict: $verdict,
            says: $says,
            bytes: include_bytes!(concat!("../torture/", $name, ".dat")),
            rfc: $rfc,
            stranger: $stranger,
            known: $known,
            stream: $stream,
        }
    };
}

#[rustfmt::skip]
pub const CASES: [Case; 61] = [
    case!("wsinv", "3.1.1.1", Valid, "a well-formed request, of a dialog nobody knows (RFC 3261 §12.2.2)", Status(481), Status(481), Status(481), None),
    case!("intmeth", "3.1.1.2", Valid, "well-formed; a method nobody knows", Status(501), Status(501), Status(501), None),
    case!("esc01", "3.1.1.3", Valid, "escapes are what they stand for; a call to another domain (RFC 3261 §8.2.2.1)", Status(404), Status(401), Status(404), None),
    case!("escnull", "3.1.1.4", Valid, "nulls in user parts are characters like others; nobody here is called so", Status(401), Status(401), Status(401), None),
    case!("esc02", "3.1.1.5", Valid, "no escape where none may be: not REGISTER, and no second Contact", Status(501), Status(501), Status(501), None),
    case!("lwsdisp", "3.1.1.6", Valid, "a display name may touch its bracket", Status(200), Status(200), Status(200), None),
    case!("longreq", "3.1.1.7", Valid, "long is not wrong", Status(100), Status(401), Status(100), None),
    case!("dblreq", "3.1.1.8", Valid, "what follows the body in a datagram is not read", Status(200), Status(401), Status(200), None),
    case!("semiuri", "3.1.1.9", Valid, "a user part with a semicolon has no parameters", Status(200), Status(200), Status(200), None),
    case!("transports", "3.1.1.10", Valid, "transports of other hops are not our business", Status(200), Status(200), Status(200), None),
    case!("mpart01", "3.1.1.11", Valid, "a body of several parts, one of them binary, is well-formed; no reply is named, and its domain is not ours (RFC 3261 §8.2.2.1)", Status(404), Status(401), Status(404), None),
    case!("unreason", "3.1.1.12", Valid, "a phrase may be any UTF-8; an answer to nobody (RFC 3261 §18.1.2)", Silence, Silence, Silence, None),
    case!("noreason", "3.1.1.13", Valid, "a phrase may be empty", Silence, Silence, Silence, None),
    case!("badinv01", "3.1.2.1", Invalid, "extraneous separators", Status(400), Status(400), Status(400), None),
    case!("clerr", "3.1.2.2", Invalid, "a body shorter than announced; on a stream there is only waiting", Status(400), Status(400), Status(400), Some(Waits)),
    case!("ncl", "3.1.2.3", Invalid, "a negative length", Status(400), Status(400), Status(400), None),
    case!("scalar02", "3.1.2.4", Invalid, "a CSeq beyond 32 bits", Status(400), Status(400), Status(400), None),
    case!("scalarlg", "3.1.2.5", Invalid, "a response with such a CSeq is discarded", Silence, Silence, Silence, None),
    case!("quotbal", "3.1.2.6", Invalid, "a quoted string that does not end", Status(400), Status(400), Status(400), None),
    case!("ltgtruri", "3.1.2.7", Invalid, "brackets about the Request-URI", Status(400), Status(400), Status(400), None),
    case!("lwsruri", "3.1.2.8", Invalid, "white space within the Request-URI", Status(400), Status(400), Status(400), None),
    case!("lwsstart", "3.1.2.9", Invalid, "two spaces where one is meant", Status(400), Status(400), Status(400), None),
    case!("trws", "3.1.2.10", Invalid, "spaces after the version", Status(400), Status(400), Status(400), None),
    case!("escruri", "3.1.2.11", Invalid, "headers in a Request-URI", Status(400), Status(400), Status(400), None),
    case!("baddate", "3.1.2.12", Invalid, "a Date nobody needs is better ignored than refused", Status(100), Status(401), Status(100), None),
    case!("regbadct", "3.1.2.13", Invalid, "a URI with headers wants brackets", Status(400), Status(400), Status(400), None),
    case!("badaspec", "3.1.2.14", Invalid, "spaces within brackets", Status(400), Status(400), Status(400), None),
    case!("baddn", "3.1.2.15", Invalid, "a comma in an unquoted display name", Status(400), Status(400), Status(400), None),
    case!("badvers", "3.1.2.16", Invalid, "an unknown version", Status(505), Status(505), Status(505), None),
    case!("mismatch01", "3.1.2.17", Invalid, "start-line and CSeq disagree", Status(400), Status(400), Status(400), None),
    case!("mismatch02", "3.1.2.18", Invalid, "so they do, and the method is unknown: that counts more", Status(501), Status(501), Status(501), None),
    case!("bigcode", "3.1.2.19", Invalid, "a status no integer holds: discarded", Silence, Silence, Silence, None),
    case!("badbranch", "3.2.1", Invalid, "a cookie without anything: 400, or taken as a branch of RFC 2543", Status(200), Status(200), Status(200), None),
    case!("insuf", "3.3.1", Invalid, "no Call-ID, From or To", Status(400), Status(400), Status(400), None),
    case!("unkscm", "3.3.2", Valid, "a scheme nobody knows", Status(416), Status(416), Status(416), None),
    case!("novelsc", "3.3.3", Valid, "a scheme we never take", Status(416), Status(416), Status(416), None),
    case!("unksm2", "3.3.4", Valid, "an address-of-record is a SIP URI", Status(400), Status(400), Status(400), None),
    case!("bext01", "3.3.5", Valid, "required extensions nobody supports", Status(420), Status(420), Status(420), None),
    case!("invut", "3.3.6", Valid, "a body nobody reads", Status(415), Status(401), Status(415), None),
    case!("regaut01", "3.3.7", Valid, "credentials of an unknown scheme are none", Status(401), Status(401), Status(401), None),
    case!("multi01", "3.3.8", Invalid, "two of what there is one of", Status(400), Status(400), Status(400), None),
    case!("mcl01", "3.3.9", Invalid, "two lengths", Status(400), Status(400), Status(400), None),
    case!("bcast", "3.3.10", Valid, "a response with somebody else's Via is discarded", Silence, Silence, Silence, None),
    case!("zeromf", "3.3.11", Valid, "an endpoint does not count hops", Status(200), Status(200), Status(200), None),
    case!("cparam01", "3.3.12", Valid, "without brackets the parameter is the contact's", Status(200), Status(401), Status(200), None),
    case!("cparam02", "3.3.13", Valid, "within them it is the URI's", Status(200), Status(401), Status(200), None),
    case!("regescrt", "3.3.14", Valid, "a contact may have headers, and its owner sees them again", Status(200), Status(401), Status(200), None),
    case!("sdp01", "3.3.15", Valid, "an answer without SDP is none: 406, or 400", Status(406), Status(401), Status(406), None),
    case!("inv2543", "3.4.1", Valid, "RFC 2543: no tag, branch, Contact or length; a stream needs a length (RFC 3261 §20.14)", Status(100), Status(401), Status(100), Some(Status(400))),
    case!("ipv6-good", "4.1", Valid, "a reference to an IPv6 address", Status(200), Status(401), Status(200), None),
    case!("ipv6-bad", "4.2", Invalid, "an address without brackets", Status(400), Status(400), Status(400), None),
    case!("port-ambiguous", "4.3", Valid, "well-formed, but not what was meant: within brackets all is address, so another host, which keeps no bindings here (RFC 3261 §10.3)", Status(404), Status(401), Status(404), None),
    case!("port-unambiguous", "4.4", Valid, "after them is the port", Status(200), Status(401), Status(200), None),
    case!("via-received-param-with-delim", "4.5", Invalid, "brackets about received are outside of the grammar, and read all the same; the dialog is unknown", Status(481), Status(481), Status(481), None),
    case!("via-received-param-no-delim", "4.5", Valid, "without them it is as the grammar wants it", Status(200), Status(200), Status(200), None),
    case!("ipv6-in-sdp", "4.6", Valid, "IPv6 in the body", Status(100), Status(401), Status(100), None),
    case!("mult-ip-in-header", "4.7", Valid, "both families in Via; the dialog is unknown", Status(481), Status(481), Status(481), None),
    case!("mult-ip-in-sdp", "4.8", Valid, "both families in the body", Status(100), Status(401), Status(100), None),
    case!("ipv4-mapped-ipv6", "4.9", Valid, "a mapped address is an address", Status(100), Status(401), Status(100), None),
    case!("ipv6-bug-abnf-3-colons", "4.10", Invalid, "RFC 3261's ABNF allows a third colon, no IPv6 address has one: it may be ignored, and is", Status(200), Status(200), Status(200), None),
    case!("ipv6-correct-abnf-2-colons", "4.10", Valid, "two are right", Status(200), Status(200), Status(200), None),
];
