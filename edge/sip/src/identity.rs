//! Who calls, and by which way the call came: P-Asserted-Identity (RFC 3325), Remote-Party-ID (its forerunner), Privacy
//! (RFC 3323), Diversion (RFC 5806), History-Info (RFC 7044), P-Early-Media (RFC 5009). What a peer asserts is believed
//! when the peer is trusted, and otherwise is as if it were not written; nothing is copied from one leg to another.

use crate::endpoint::{Diverted, DivertedFor, Invite, Style};
use crate::lex;
use crate::message::{Address, Head, Request, Value};
use crate::uri::{Host, Uri};

/// Members of one of these headers that are looked at.
const MEMBERS_MAX: usize = 20;
/// RFC 3323 §4.1.1.3, RFC 3325: who is nobody.
const ANONYMOUS: &str = "anonymous";

/// The caller as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user: String,
    pub name: Option<String>,
    /// The caller asked not to be shown: `user` is `anonymous`, and there is no name.
    pub withheld: bool,
}

/// `trusted`: the peer may speak for others. A wish for privacy is honoured whoever utters it.
pub fn caller(head: &Head, trusted: bool) -> Caller {
    let remote_party = trusted.then(|| remote_party(head)).flatten();
    let asserted = trusted.then(|| first(head, "P-Asserted-Identity")).flatten();
    let withheld = wants_privacy(head) || remote_party.as_ref().is_some_and(is_private);
    let speaks = asserted.or(remote_party);
    let address = speaks.as_ref().unwrap_or(&head.from);
    let user = address.uri.user().filter(|user| !user.eq_ignore_ascii_case(ANONYMOUS));
    match user {
        Some(user) if !withheld => {
            let name = address.display.clone().filter(|name| !name.is_empty() && lex::is_clean(name));
            Caller { user, name, withheld }
        }
        _ => Caller { user: ANONYMOUS.to_string(), name: None, withheld },
    }
}

/// A phone is shown as whom it proved to be, and says with Privacy that others are not to see it.
pub fn of_phone(head: &Head) -> Caller {
    let user = head.from.uri.user().unwrap_or_else(|| ANONYMOUS.to_string());
    let name = head.from.display.clone().filter(|name| !name.is_empty() && lex::is_clean(name));
    Caller { user, name, withheld: wants_privacy(head) }
}

fn first(head: &Head, name: &'static str) -> Option<Address> {
    let addresses = head.list(name).into_iter().take(MEMBERS_MAX);
    // RFC 3325 §9.1: one sip: and one tel: at most; either says the number.
    addresses.filter_map(|text| Address::parse(name, text).ok()).find(|address| address.uri.user().is_some())
}

/// The member that means the caller; `party` is left out by many who mean it.
fn remote_party(head: &Head) -> Option<Address> {
    let name = "Remote-Party-ID";
    let read = head.list(name).into_iter().take(MEMBERS_MAX).filter_map(|text| Address::parse(name, text).ok());
    let mut callers = read.filter(|a| a.params.get("party").is_none_or(|party| party.eq_ignore_ascii_case("calling")));
    callers.find(|address| address.uri.user().is_some())
}

fn is_private(party: &Address) -> bool {
    party.params.get("privacy").is_some_and(|of| ["full", "uri"].iter().any(|all| of.eq_ignore_ascii_case(all)))
}

/// RFC 3323 §4.2, RFC 3325 §9.3: `id`, and `user` and `header`, which ask for more. Members are parted by semicolons,
/// and by commas where a peer does not know better.
pub fn wants_privacy(head: &Head) -> bool {
    let mut members = head.all("Privacy").flat_map(|line| line.split([';', ',']));
    members.any(|member| ["id", "user", "header"].iter().any(|wish| member.trim().eq_ignore_ascii_case(wish)))
}

/// What a trusted peer says of the way that the call came; None when it came straight.
pub fn diverted(head: &Head) -> Option<Diverted> {
    by_diversion(head).or_else(|| by_history(head))
}

/// RFC 5806 §4.1: the newest stands first, the number that was called at the beginning last.
fn by_diversion(head: &Head) -> Option<Diverted> {
    let name = "Diversion";
    let members = head.list(name);
    let read = members.iter().take(MEMBERS_MAX).filter_map(|text| Address::parse(name, text).ok());
    let all: Vec<Address> = read.collect();
    let last = all.last()?;
    let why = last.params.get("reason").map(|reason| reason.trim_matches('"').to_ascii_lowercase());
    let counted = all.iter().map(|one| one.params.get("counter").and_then(lex::number).unwrap_or(1));
    let hops = counted.fold(0_u32, u32::saturating_add);
    Some(Diverted { from: last.uri.user()?, why: of_word(why.as_deref().unwrap_or_default()), hops: narrow(hops) })
}

/// RFC 7044 §4.1: the oldest stands first; RFC 4458 §5 numbers the reasons.
fn by_history(head: &Head) -> Option<Diverted> {
    let name = "History-Info";
    let members = head.list(name);
    let read = members.iter().take(MEMBERS_MAX).filter_map(|text| Address::parse(name, text).ok());
    let all: Vec<Address> = read.collect();
    let (first, next) = (all.first()?, all.get(1)?);
    let cause = next.uri.param("cause").and_then(lex::number);
    let hops = u32::try_from(all.len()).unwrap_or(u32::MAX).saturating_sub(1);
    Some(Diverted { from: first.uri.user()?, why: of_cause(cause.unwrap_or(0)), hops: narrow(hops) })
}

fn narrow(hops: u32) -> u8 {
    u8::try_from(hops).unwrap_or(u8::MAX)
}

fn of_word(word: &str) -> DivertedFor {
    match word {
        "unconditional" => DivertedFor::Always,
        "user-busy" => DivertedFor::Busy,
        "no-answer" => DivertedFor::NoAnswer,
        "unavailable" | "out-of-service" => DivertedFor::Unavailable,
        "deflection" => DivertedFor::Deflection,
        _ => DivertedFor::Other,
    }
}

fn of_cause(cause: u32) -> DivertedFor {
    match cause {
        302 => DivertedFor::Always,
        486 => DivertedFor::Busy,
        408 => DivertedFor::NoAnswer,
        503 => DivertedFor::Unavailable,
        480 | 487 => DivertedFor::Deflection,
        _ => DivertedFor::Other,
    }
}

fn to_word(why: DivertedFor) -> &'static str {
    match why {
        DivertedFor::Always => "unconditional",
        DivertedFor::Busy => "user-busy",
        DivertedFor::NoAnswer => "no-answer",
        DivertedFor::Unavailable => "unavailable",
        DivertedFor::Deflection => "deflection",
        DivertedFor::Other => "unknown",
    }
}

/// RFC 4458 §5; 404 is its word for what is not known.
fn to_cause(why: DivertedFor) -> u32 {
    match why {
        DivertedFor::Always => 302,
        DivertedFor::Busy => 486,
        DivertedFor::NoAnswer => 408,
        DivertedFor::Unavailable => 503,
        DivertedFor::Deflection => 480,
        DivertedFor::Other => 404,
    }
}

/// RFC 5009 §8: the other side may be heard before it answers.
pub fn lets_early_media(head: &Head) -> bool {
    let mut said = head.list("P-Early-Media").into_iter();
    said.any(|word| word.eq_ignore_ascii_case("sendrecv") || word.eq_ignore_ascii_case("sendonly"))
}

/// Says in our INVITE to a trunk who calls, as the trunk's rules want it.
pub fn show(request: &mut Request, invite: &Invite, home: &Host) {
    let shown = &invite.shown;
    let identity = || {
        let mut address = Address::new(Uri::sip(Some(&invite.from_user), home.clone(), None));
        address.display.clone_from(&request.head.from.display);
        address
    };
    let written = match shown.style {
        Style::From => None,
        Style::Asserted => Some(("P-Asserted-Identity", identity().to_string())),
        Style::Preferred => Some(("P-Preferred-Identity", identity().to_string())),
        Style::RemoteParty => {
            let privacy = if shown.withheld { "full" } else { "off" };
            Some(("Remote-Party-ID", format!("{};party=calling;privacy={privacy};screen=yes", identity())))
        }
    };
    if shown.withheld {
        // RFC 3323 §4.1: From says nothing; whom we trust may read the other header, and tell nobody.
        request.head.from.display = Some("Anonymous".to_string());
        request.head.from.uri = Uri::sip(Some(ANONYMOUS), Host::Name("anonymous.invalid".to_string()), None);
        request.head.set("Privacy", "id");
    }
    if let Some((name, value)) = written {
        request.head.set(name, value);
    }
    divert(request, invite, home);
    if shown.early_media {
        request.head.set("P-Early-Media", "supported");
    }
}

/// Says in our INVITE which number was called first, and why the call went on.
fn divert(request: &mut Request, invite: &Invite, home: &Host) {
    let shown = &invite.shown;
    let Some(from) = shown.diverted.as_deref().filter(|from| Value::new(*from).is_ok()) else { return };
    let diverting = Address::new(Uri::sip(Some(from), home.clone(), None));
    if shown.history {
        let cause = format!("cause={}", to_cause(shown.diverted_for));
        let target = Address::new(request.uri.clone().with_param(&cause));
        request.head.set("History-Info", format!("{diverting};index=1, {target};index=1.1"));
    } else {
        let (reason, hops) = (to_word(shown.diverted_for), shown.diverted_hops.max(1));
        request.head.set("Diversion", format!("{diverting};reason={reason};counter={hops}"));
    }
}

/// Says in our INVITE to a phone who of the house sent the caller on (RFC 3892 §4.1), or whose forward did.
pub fn refer(request: &mut Request, invite: &Invite, home: &Host) {
    divert(request, invite, home);
    if let Some(by) = invite.shown.referred_by.as_deref().filter(|by| Value::new(*by).is_ok()) {
        request.head.set("Referred-By", Address::new(Uri::sip(Some(by), home.clone(), None)).to_string());
    }
}

#[cfg(test)]
mod tests;
