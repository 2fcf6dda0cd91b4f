//! Session timers (RFC 4028): how long a session stands without a word, who gives it, and what each side says of it.

use std::time::Duration;

use crate::lex;
use crate::message::{Head, Request, Response};

/// The option tag.
pub const TAG: &str = "timer";
/// What we ask for, in seconds (RFC 4028 §4 recommends it).
pub const ASK_S: u32 = 1_800;
/// The shortest that we take part in, in seconds (RFC 4028 §4).
pub const MIN_S: u32 = 90;
/// The longest that is believed.
const MAX_S: u32 = 24 * 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    interval_s: u32,
    pub we_refresh: bool,
}

impl Lease {
    pub fn on(interval_s: u32, we_refresh: bool) -> Self {
        Self { interval_s: interval_s.clamp(MIN_S, MAX_S), we_refresh }
    }

    /// Its interval in seconds, and whether we refresh.
    pub fn terms(self) -> (u32, bool) {
        (self.interval_s, self.we_refresh)
    }

    /// RFC 4028 §10: half the interval, for who refreshes.
    pub fn refresh_after(self) -> Duration {
        Duration::from_secs(u64::from(self.interval_s / 2))
    }

    /// RFC 4028 §10: who waits sends BYE before the end, by a third of the interval or 32 s.
    pub fn over_after(self) -> Duration {
        let early = if self.we_refresh { 0 } else { (self.interval_s / 3).min(32) };
        Duration::from_secs(u64::from(self.interval_s.saturating_sub(early)))
    }

    /// What a request of ours within the session says: the roles stay as they are.
    pub fn renew(self, head: &mut Head, min_s: u32) {
        let refresher = if self.we_refresh { "uac" } else { "uas" };
        ask(head, self.interval_s.max(min_s), min_s, Some(refresher));
    }
}

/// Asks for a timer in a request of ours.
pub fn ask(head: &mut Head, interval_s: u32, min_s: u32, refresher: Option<&str>) {
    let role = refresher.map(|role| format!(";refresher={role}")).unwrap_or_default();
    head.set("Session-Expires", format!("{interval_s}{role}"));
    head.set("Min-SE", min_s.max(MIN_S).to_string());
}

/// RFC 4028 §9: an interval below ours is refused with 422, when whoever asks can read that.
pub fn is_too_small(request: &Request) -> bool {
    let asked = session_expires(&request.head);
    supports(&request.head) && asked.is_some_and(|(interval_s, _)| interval_s < MIN_S)
}

/// RFC 4028 §9: our answer to their request, and what holds from here on. Who does not know timers gets none.
pub fn grant(request: &Request, response: &mut Response) -> Option<Lease> {
    if !supports(&request.head) {
        return None;
    }
    let lease = match session_expires(&request.head) {
        Some((interval_s, refresher)) => {
            Lease { interval_s: interval_s.clamp(MIN_S, MAX_S), we_refresh: refresher == Some("uas") }
        }
        None => Lease { interval_s: ASK_S, we_refresh: true },
    };
    let refresher = if lease.we_refresh { "uas" } else { "uac" };
    response.head.set("Session-Expires", format!("{};refresher={refresher}", lease.interval_s));
    if !lease.we_refresh {
        response.head.set("Require", TAG);
    }
    Some(lease)
}

/// RFC 4028 §7.2: what their 2xx to our request says; without the header there is no timer.
pub fn granted(response: &Head) -> Option<Lease> {
    let (interval_s, refresher) = session_expires(response)?;
    Some(Lease { interval_s: interval_s.clamp(MIN_S, MAX_S), we_refresh: refresher != Some("uas") })
}

/// The Min-SE of a 422, when it asks for more than was offered (RFC 4028 §7.3).
pub fn asked_for(response: &Response, offered_s: u32) -> Option<u32> {
    let min_s = response.head.field("Min-SE").and_then(|value| lex::number(value.split(';').next()?.trim()))?;
    (offered_s < min_s && min_s <= MAX_S).then_some(min_s)
}

fn supports(head: &Head) -> bool {
    ["Supported", "Require"].iter().any(|name| head.list(name).iter().any(|tag| tag.eq_ignore_ascii_case(TAG)))
}

fn session_expires(head: &Head) -> Option<(u32, Option<&'static str>)> {
    let mut pieces = head.field("Session-Expires")?.split(';').map(str::trim);
    let interval_s = lex::number(pieces.next()?)?;
    let refresher = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case("refresher").then(|| value.trim().to_ascii_lowercase())
    });
    let role = match refresher.as_deref() {
        Some("uac") => Some("uac"),
        Some("uas") => Some("uas"),
        _ => None,
    };
    Some((interval_s, role))
}
