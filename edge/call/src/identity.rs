//! Whom a call out is shown as. A number that the trunk's list does not name never leaves the house; who asks not to be
//! shown is not, where that may be; an emergency call always shows whom to call back.

use std::collections::BTreeSet;

use model::Number;
use model::carrier::{Early, Forwarded, Show, Style};
use model::config::{Config, Trunk};
use model::fact::DivertedFor;
use sip::endpoint::{self, Shown};

use crate::leg::{self, Caller, Dial};
use crate::numbers::same;
use crate::plan;

/// What is known of the leg on whose behalf a call goes out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrived {
    /// The number that a trunk's caller called.
    pub called: Option<String>,
    /// The phone asked not to be shown.
    pub withheld: bool,
}

/// The caller as From says it, and what stands beside it.
pub(crate) fn shown(site: &Config, trunk: &Trunk, dial: &Dial, arrived: &Arrived, emergency: bool) -> (Caller, Shown) {
    let identity = &trunk.carrier.identity;
    let number = number(site, trunk, dial);
    let spelled = plan::spelled(&site.site.dialling, trunk.spelling, &number);
    let called = arrived.called.clone().or_else(|| forwarder(site, dial.forwarded.as_ref()?));
    let diverted = called.filter(|_| identity.forwarded != Forwarded::Nothing);
    let shown = Shown {
        style: match identity.style {
            Style::From => endpoint::Style::From,
            Style::Asserted => endpoint::Style::Asserted,
            Style::Preferred => endpoint::Style::Preferred,
            Style::RemoteParty => endpoint::Style::RemoteParty,
        },
        withheld: arrived.withheld && identity.may_withhold && !emergency,
        diverted: diverted.map(|called| plan::spelled(&site.site.dialling, trunk.spelling, &called)),
        diverted_for: dial.forwarded.as_ref().map(|forwarded| diverted_for(forwarded.why)).unwrap_or_default(),
        diverted_hops: dial.forwarded.as_ref().map_or(1, |forwarded| forwarded.hops),
        history: identity.forwarded == Forwarded::HistoryInfo,
        early_media: identity.early == Early::Authorised,
        referred_by: None,
    };
    (Caller { number: spelled, name: dial.caller.name.clone() }, shown)
}

/// By which number a phone that forwards is known outside.
fn forwarder(site: &Config, forwarded: &leg::Forwarded) -> Option<String> {
    let own = site.phones.get(&forwarded.by).and_then(|phone| phone.number.as_ref());
    own.or_else(|| site.numbers.keys().next()).map(Number::to_string)
}

pub(crate) fn diverted_for(why: DivertedFor) -> endpoint::DivertedFor {
    match why {
        DivertedFor::Always => endpoint::DivertedFor::Always,
        DivertedFor::Busy => endpoint::DivertedFor::Busy,
        DivertedFor::NoAnswer => endpoint::DivertedFor::NoAnswer,
        DivertedFor::Unavailable => endpoint::DivertedFor::Unavailable,
        DivertedFor::Deflection => endpoint::DivertedFor::Deflection,
        DivertedFor::Other => endpoint::DivertedFor::Other,
    }
}

/// The phone's own number, the main one, any that may be shown: the first that is allowed. A site that knows no number
/// of its own has nothing to compare with, and shows what was asked for.
fn number(site: &Config, trunk: &Trunk, dial: &Dial) -> String {
    let identity = &trunk.carrier.identity;
    let allowed = if identity.allowed.is_empty() { own_numbers(site) } else { identity.allowed.clone() };
    let of_phone = dial.on_behalf_of.as_ref().and_then(|phone| site.phones.get(phone)?.number.clone());
    let wish = Number::new(&dial.caller.number).ok();
    let wishes = [of_phone, wish].into_iter().flatten().filter(|_| identity.show == Show::Own);
    let main = identity.main.iter().chain(site.numbers.keys()).cloned();
    let is_allowed =
        |number: &Number| allowed.iter().any(|one| same(&site.site.dialling, one.as_str(), number.as_str()));
    let found = wishes.chain(main).find(is_allowed).or_else(|| allowed.first().cloned());
    found.map_or_else(|| dial.caller.number.clone(), |number| number.to_string())
}

fn own_numbers(site: &Config) -> BTreeSet<Number> {
    let phones = site.phones.values().filter_map(|phone| phone.number.clone());
    site.numbers.keys().cloned().chain(phones).collect()
}

/// Whether what the trunk sends before the answer is passed on. The endpoint tells `authorised` of trusted trunks and
/// of others alike: here it counts only from the trusted.
pub(crate) fn passes_early(trunk: &Trunk, authorised: bool) -> bool {
    match trunk.carrier.identity.early {
        Early::Always => true,
        Early::Authorised => authorised && trunk.carrier.identity.trusted,
        Early::Never => false,
    }
}

#[cfg(test)]
mod tests;
