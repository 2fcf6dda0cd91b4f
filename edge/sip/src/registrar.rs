//! Who is where (RFC 3261 §10.3): the bindings of every phone, their order, their end. Whose password was proved is
//! known before a request comes here; that the AOR is the prover's own is checked here (S-03).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::endpoint::{Binding, Event, Flow, Outbound, Transport};
use crate::lent::Lent;
use crate::message::{Address, Contacts, Request, Response};
use crate::timers::Timers;
use crate::uri::Uri;

/// Below this a phone would do nothing but register (RFC 3261 §10.3 step 7, 423).
const EXPIRES_S_MIN: u32 = 60;
const EXPIRES_S_MAX: u32 = 3_600;
const EXPIRES_S_DEFAULT: u32 = 3_600;
/// Characters kept of a User-Agent.
const USER_AGENT_MAX: usize = 120;
/// RFC 5626 §5.4: a phone that asked for outbound says something this often, and is given as much again as the network
/// may need. A browser is not asked: its WebSocket is pinged below.
const FLOW_TIMER_S: u32 = 120;
const FLOW_GRACE_S: u32 = 30;
/// Characters of a `+sip.instance` (a URN of a UUID has 47).
const INSTANCE_MAX: usize = 200;

#[derive(Default)]
pub struct Registrar {
    users: BTreeMap<String, Bindings>,
    timers: Timers<Key>,
    /// Flows whose phones promised keep-alives.
    silences: Timers<Flow>,
}

/// One binding: two flows of one device may give the same contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    user: String,
    contact: String,
    reg_id: u32,
}

/// One phone's contacts: `shown` and `kept` belong together, place by place, the most wanted first.
#[derive(Default)]
struct Bindings {
    shown: Vec<Binding>,
    kept: Vec<Kept>,
}

#[derive(Clone)]
struct Kept {
    uri: Uri,
    call_id: String,
    cseq: u32,
    /// Thousandths (RFC 3261 §20.10).
    q: u16,
    expires_at: Instant,
    /// The lent name that registered it.
    lent: Option<String>,
}

/// Who registers: a phone, perhaps by a name that it was lent.
#[derive(Clone, Copy)]
pub struct Who<'a> {
    pub user: &'a str,
    pub lent: Option<&'a str>,
}

/// One contact of a REGISTER, read.
struct Wish {
    uri: Uri,
    expires_s: u32,
    q: u16,
    outbound: Option<Outbound>,
}

impl Registrar {
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.users.get(user).map_or(&[], |bindings| &bindings.shown)
    }

    /// RFC 3261 §10.3 steps 5 to 8, for a proved user.
    pub fn register(
        &mut self,
        cx: &mut Context<'_>,
        who: &Who<'_>,
        request: &Request,
        flow: Flow,
        tag: &str,
    ) -> Response {
        let Who { user, lent } = *who;
        let aor = &request.head.to.uri;
        let name = lent.unwrap_or(user);
        if aor.user().as_deref() != Some(name) || request.head.from.uri.user().as_deref() != Some(name) {
            return cx.response(request, 403, tag);
        }
        if !aor.host().is_some_and(|host| cx.is_us(host, flow)) {
            return cx.response(request, 404, tag);
        }
        let refused = match &request.head.contacts {
            Contacts::None => None,
            Contacts::Star if request.head.field("Expires") == Some("0") => self.remove_all(cx, who, request),
            Contacts::Star => Some(400),
            Contacts::List(list) => self.bind(cx, who, request, list, flow),
        };
        match refused {
            None => self.listing(cx, user, request, tag),
            Some(423) => cx.response(request, 423, tag).with("Min-Expires", EXPIRES_S_MIN.to_string()),
            Some(status) => cx.response(request, status, tag),
        }
    }

    /// Something came by a flow: its phone lives.
    pub fn heard(&mut self, now: Instant, flow: Flow) {
        if self.silences.has(&flow) {
            self.listen(now, flow);
        }
    }

    fn listen(&mut self, now: Instant, flow: Flow) {
        let patience = Duration::from_secs(u64::from(FLOW_TIMER_S.saturating_add(FLOW_GRACE_S)));
        if let Some(at) = now.checked_add(patience) {
            self.silences.set(flow, at);
        }
    }

    /// From before a restart. A connection of then is gone, and its phone knows: it registers anew.
    pub fn restore(&mut self, cx: &mut Context<'_>, user: &str, binding: Binding) {
        let known = cx.config.phones.contains_key(user) && binding.flow.transport == Transport::Udp;
        let Ok(uri) = Uri::parse(&binding.contact) else { return };
        let left = Duration::from_secs(binding.expires_s.min(EXPIRES_S_MAX).into());
        let Some(expires_at) = cx.now.checked_add(left) else { return };
        if known {
            let kept = Kept { uri, call_id: String::new(), cseq: 0, q: 1_000, expires_at, lent: None };
            self.put(cx, user, binding, kept);
        }
    }

    pub fn closed(&mut self, cx: &mut Context<'_>, flow: Flow) {
        self.silences.clear(&flow);
        let on_it = |binding: &Binding| binding.flow.transport.is_connection() && binding.flow == flow;
        self.drop_where(cx, |_, binding| on_it(binding));
    }

    /// Phones that are configured no more lose their bindings; one that has no password of its own may have been lent.
    pub fn configured(&mut self, cx: &mut Context<'_>, lent: &Lent) {
        let config = cx.config;
        self.drop_where(cx, |user, _| !config.phones.contains_key(user) && !lent.is_of(user));
    }

    /// What a lent name registered ends with it.
    pub fn taken_back(&mut self, cx: &mut Context<'_>, name: &str) {
        let all = self.users.iter().flat_map(|(user, bindings)| {
            let both = bindings.shown.iter().zip(&bindings.kept);
            both.filter(|(_, kept)| kept.lent.as_deref() == Some(name)).map(|(shown, _)| key_of(user, shown))
        });
        let gone: Vec<Key> = all.collect();
        self.drop_where(cx, |user, binding| gone.contains(&key_of(user, binding)));
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next().into_iter().chain(self.silences.next()).min()
    }

    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some(key) = self.timers.due(cx.now) {
            self.drop_where(cx, |user, binding| key_of(user, binding) == key);
        }
        while let Some(flow) = self.silences.due(cx.now) {
            self.drop_where(cx, |_, binding| binding.flow == flow && binding.outbound.is_some());
        }
    }

    fn bind(
        &mut self,
        cx: &mut Context<'_>,
        who: &Who<'_>,
        request: &Request,
        list: &[Address],
        flow: Flow,
    ) -> Option<u16> {
        let user = who.user;
        let flows = list.iter().filter(|contact| contact.params.has("reg-id") && !is_removal(request, contact)).count();
        if flows > 1 {
            // RFC 5626 §6: a flow is one REGISTER's.
            return Some(400);
        }
        let wishes = match list.iter().map(|contact| wish(request, contact)).collect::<Result<Vec<_>, u16>>() {
            Ok(wishes) if wishes.len() <= cx.config.limits.bindings_per_user => wishes,
            Ok(_) => return Some(403),
            Err(status) => return Some(status),
        };
        let call_id = request.head.call_id.as_str();
        let stale = wishes.iter().any(|wish| self.is_out_of_order(user, wish, call_id, request.head.cseq));
        if stale {
            // RFC 3261 §10.3 step 7: all or nothing.
            return Some(500);
        }
        for wish in wishes {
            if wish.expires_s == 0 {
                self.drop_where(cx, |other, binding| other == user && is_of(binding, &wish));
                continue;
            }
            let keeps_alive = wish.outbound.is_some() && !flow.transport.is_websocket();
            if keeps_alive {
                self.listen(cx.now, flow);
            }
            let user_agent = request.head.field("User-Agent").map(|text| text.chars().take(USER_AGENT_MAX).collect());
            let contact = wish.uri.to_string();
            let binding = Binding { contact, flow, expires_s: wish.expires_s, user_agent, outbound: wish.outbound };
            let Some(expires_at) = cx.now.checked_add(Duration::from_secs(wish.expires_s.into())) else { continue };
            let (call_id, cseq) = (call_id.to_string(), request.head.cseq);
            let lent = who.lent.map(str::to_owned);
            self.put(cx, user, binding, Kept { uri: wish.uri, call_id, cseq, q: wish.q, expires_at, lent });
        }
        None
    }

    /// A lent name removes what is its own.
    fn remove_all(&mut self, cx: &mut Context<'_>, who: &Who<'_>, request: &Request) -> Option<u16> {
        let user = who.user;
        if let Some(name) = who.lent {
            self.taken_back(cx, name);
            return None;
        }
        let call_id = request.head.call_id.as_str();
        let kept = self.users.get(user).map(|bindings| bindings.kept.as_slice()).unwrap_or_default();
        if kept.iter().any(|kept| kept.call_id == call_id && request.head.cseq <= kept.cseq) {
            return Some(500);
        }
        self.drop_where(cx, |other, _| other == user);
        None
    }

    fn is_out_of_order(&self, user: &str, wish: &Wish, call_id: &str, cseq: u32) -> bool {
        let Some(bindings) = self.users.get(user) else { return false };
        let mut both = bindings.shown.iter().zip(&bindings.kept);
        both.any(|(shown, kept)| is_of(shown, wish) && kept.call_id == call_id && cseq <= kept.cseq)
    }

    /// Adds or renews; over the limit the one that ends soonest gives way: it is the phone's former self.
    fn put(&mut self, cx: &mut Context<'_>, user: &str, binding: Binding, kept: Kept) {
        let bindings = self.users.entry(user.to_string()).or_default();
        let before = bindings.take(|old, other| match (&old.outbound, &binding.outbound) {
            // RFC 5626 §6: device and flow make the binding, whatever its contact.
            (Some(old), Some(new)) => old == new,
            _ => other.uri.same_target(&kept.uri),
        });
        let mut gone = before.clone().filter(|old| old.contact != binding.contact);
        if before.is_none() && bindings.shown.len() >= cx.config.limits.bindings_per_user {
            let soonest = bindings.kept.iter().map(|kept| kept.expires_at).min();
            gone = bindings.take(|_, other| Some(other.expires_at) == soonest);
        }
        for old in before.iter().chain(&gone) {
            self.timers.clear(&key_of(user, old));
        }
        self.timers.set(key_of(user, &binding), kept.expires_at);
        let place = bindings.kept.iter().position(|other| other.q < kept.q).unwrap_or(bindings.kept.len());
        bindings.kept.insert(place, kept);
        bindings.shown.insert(place, binding.clone());
        if let Some(old) = gone {
            cx.event(Event::Unregistered { user: user.to_string(), contact: old.contact });
        }
        cx.event(Event::Registered { user: user.to_string(), binding });
    }

    fn drop_where(&mut self, cx: &mut Context<'_>, gone: impl Fn(&str, &Binding) -> bool) {
        let mut dropped = Vec::new();
        for (user, bindings) in &mut self.users {
            let (shown, kept) = (std::mem::take(&mut bindings.shown), std::mem::take(&mut bindings.kept));
            for (binding, kept) in shown.into_iter().zip(kept) {
                if gone(user, &binding) {
                    dropped.push((user.clone(), binding));
                } else {
                    bindings.shown.push(binding);
                    bindings.kept.push(kept);
                }
            }
        }
        self.users.retain(|_, bindings| !bindings.shown.is_empty());
        for (user, binding) in dropped {
            self.timers.clear(&key_of(&user, &binding));
            // Another flow of the same device may still stand under this contact.
            if !self.bindings(&user).iter().any(|other| other.contact == binding.contact) {
                cx.event(Event::Unregistered { user, contact: binding.contact });
            }
        }
    }

    /// RFC 3261 §10.3 step 8: every binding with the seconds it has left.
    fn listing(&self, cx: &Context<'_>, user: &str, request: &Request, tag: &str) -> Response {
        let mut response = cx.response(request, 200, tag);
        let Some(bindings) = self.users.get(user) else { return response };
        let asked = request.head.contacts.first().is_some_and(|contact| contact.params.has("reg-id"));
        if asked && bindings.shown.iter().any(|binding| binding.outbound.is_some()) {
            // RFC 5626 §6.
            response.head.set("Require", "outbound");
            if self.silences.next().is_some() {
                response.head.set("Flow-Timer", FLOW_TIMER_S.to_string());
            }
        }
        let contacts = bindings.shown.iter().zip(&bindings.kept).map(|(binding, kept)| {
            let left = kept.expires_at.saturating_duration_since(cx.now).as_secs();
            let mut contact = Address::new(kept.uri.clone());
            contact.params.set("expires", Some(&left.to_string()));
            if let Some(Outbound { instance, reg_id }) = &binding.outbound {
                contact.params.set("+sip.instance", Some(&crate::lex::quote(instance)));
                contact.params.set("reg-id", Some(&reg_id.to_string()));
            }
            contact
        });
        response.head.contacts = Contacts::List(contacts.collect());
        response
    }
}

impl Bindings {
    fn take(&mut self, which: impl Fn(&Binding, &Kept) -> bool) -> Option<Binding> {
        let at = self.shown.iter().zip(&self.kept).position(|(shown, kept)| which(shown, kept))?;
        self.kept.remove(at);
        Some(self.shown.remove(at))
    }
}

/// Whether a wish is about this binding.
fn is_of(binding: &Binding, wish: &Wish) -> bool {
    match (&binding.outbound, &wish.outbound) {
        (Some(old), Some(new)) => old == new,
        _ => Uri::parse(&binding.contact).is_ok_and(|own| own.same_target(&wish.uri)),
    }
}

fn key_of(user: &str, binding: &Binding) -> Key {
    let reg_id = binding.outbound.as_ref().map_or(0, |outbound| outbound.reg_id);
    Key { user: user.to_string(), contact: binding.contact.clone(), reg_id }
}

/// RFC 5626 §6: what a contact says of its flow counts when the phone knows outbound and stands right before us.
fn outbound(request: &Request, contact: &Address) -> Result<Option<Outbound>, u16> {
    let known = request.head.list("Supported").iter().any(|tag| tag.eq_ignore_ascii_case("outbound"));
    let (Some(instance), Some(reg_id)) = (contact.params.get("+sip.instance"), contact.params.get("reg-id")) else {
        return Ok(None);
    };
    if !known || request.head.via.len() > 1 {
        return Ok(None);
    }
    let instance = crate::lex::unquote(instance).filter(|text| text.len() <= INSTANCE_MAX).ok_or(400_u16)?;
    // RFC 5626 §4.2: 1 to 2^31 - 1.
    let reg_id = crate::lex::number(reg_id).filter(|id| (1..=0x7fff_ffff).contains(id)).ok_or(400_u16)?;
    Ok(Some(Outbound { instance, reg_id }))
}

fn is_removal(request: &Request, contact: &Address) -> bool {
    contact.params.get("expires").or_else(|| request.head.field("Expires")) == Some("0")
}

/// Err is the status to refuse the whole REGISTER with.
fn wish(request: &Request, contact: &Address) -> Result<Wish, u16> {
    if contact.uri.as_sip().is_none_or(|uri| uri.secure) {
        return Err(400);
    }
    // RFC 3261 §10.2.1.1: the parameter before the header; what is no number counts as the default (§20.19).
    let asked = contact.params.get("expires").or_else(|| request.head.field("Expires"));
    let expires_s = asked.map_or(EXPIRES_S_DEFAULT, |text| crate::lex::number(text).unwrap_or(EXPIRES_S_DEFAULT));
    if (1..EXPIRES_S_MIN).contains(&expires_s) {
        return Err(423);
    }
    let q = contact.params.get("q").map_or(Some(1_000), thousandths).ok_or(400_u16)?;
    let outbound = outbound(request, contact)?;
    Ok(Wish { uri: contact.uri.clone(), expires_s: expires_s.min(EXPIRES_S_MAX), q, outbound })
}

/// RFC 3261 §25.1: qvalue, `0` to `1` with up to three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let fits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    let part = format!("{decimals:0<3}").parse::<u16>().ok().filter(|_| fits)?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1_000),
        _ => None,
    }
}
