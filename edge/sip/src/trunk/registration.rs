//! Our registration with a trunk's peer (RFC 3261 §10.2): kept fresh, answered when challenged, tried again with
//! growing patience when it fails.

use std::time::{Duration, Instant};

use crate::auth::client::{self, Challenge};
use crate::context::{Context, Parties};
use crate::endpoint::{Flow, TrunkRegistration};
use crate::ids::Ids;
use crate::lex;
use crate::message::{Address, Contacts, Method, Request, Response, Value};
use crate::uri::{Host, Uri};

/// The first wait after a failure; it doubles.
pub const RETRY_MIN: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(120);
/// Never more often than this, whatever the peer grants.
const REFRESH_MIN: Duration = Duration::from_secs(15);
/// Proofs for nonces that were stale each time.
const TRIES_MAX: u8 = 3;

pub struct Registration {
    call_id: Value,
    tag: String,
    cseq: u32,
    state: State,
    failures: u32,
    /// What a 423 asked for.
    min_expires_s: u32,
}

enum State {
    Out,
    /// Challenged: the next REGISTER carries the proof.
    Challenged {
        challenge: Challenge,
        registered: bool,
        tries: u8,
    },
    Registered,
}

/// When to send the next REGISTER.
pub enum Next {
    Now,
    At(Instant),
}

impl Registration {
    pub fn new(ids: &mut Ids) -> Self {
        let call_id = Value::cleaned(&ids.call_id());
        Self { call_id, tag: ids.tag(), cseq: 0, state: State::Out, failures: 0, min_expires_s: 0 }
    }

    pub fn is_registered(&self) -> bool {
        matches!(self.state, State::Registered | State::Challenged { registered: true, .. })
    }

    pub fn request(&mut self, cx: &mut Context<'_>, flow: Flow, account: &TrunkRegistration) -> Request {
        self.build(cx, flow, account, account.expires_s.max(self.min_expires_s))
    }

    /// A REGISTER that ends it, if there is something to end.
    pub fn farewell(&mut self, cx: &mut Context<'_>, flow: Flow, account: &TrunkRegistration) -> Option<Request> {
        self.is_registered().then(|| self.build(cx, flow, account, 0))
    }

    fn build(&mut self, cx: &mut Context<'_>, flow: Flow, account: &TrunkRegistration, expires_s: u32) -> Request {
        self.cseq = self.cseq.saturating_add(1);
        let host = Host::parse(&account.domain).unwrap_or_else(|_| flow.remote.into());
        let aor = Address::new(Uri::sip(Some(&account.user), host.clone(), None));
        let mut from = aor.clone();
        from.set_tag(&self.tag);
        let uri = Uri::sip(None, host, None);
        let parties = Parties { uri: uri.clone(), from, to: aor, call_id: self.call_id.clone(), cseq: self.cseq };
        let mut request = cx.request(Method::Register, flow, parties);
        request.head.contacts = Contacts::List(vec![cx.contact(flow, Some(&account.user))]);
        request.head.set("Expires", expires_s.to_string());
        if let State::Challenged { challenge, .. } = &self.state
            && let Some(proof) = client::answer(challenge, account, "REGISTER", &uri.to_string(), cx.ids)
        {
            request.head.set(challenge.answer_in, proof.as_str());
        }
        request
    }

    /// A final answer from the peer itself, or None for silence.
    pub fn heard(
        &mut self,
        cx: &mut Context<'_>,
        name: &str,
        account: &TrunkRegistration,
        answer: Option<&Response>,
    ) -> Next {
        let Some(response) = answer else { return self.failed(cx, false) };
        match response.status {
            200..300 => {
                self.failures = 0;
                self.state = State::Registered;
                Next::At(self.refresh_at(cx, account, response))
            }
            401 | 407 => {
                // Whoever answers at the peer's address to our REGISTER is the registrar: its realm is the trunk's.
                let Some(challenge) = client::challenge(response, |_| true) else { return self.failed(cx, true) };
                let tries = match self.state {
                    State::Challenged { tries, .. } if !challenge.stale || tries >= TRIES_MAX => {
                        return self.failed(cx, true);
                    }
                    State::Challenged { tries, .. } => tries.saturating_add(1),
                    State::Out | State::Registered => 1,
                };
                cx.realms.insert(name.to_string(), challenge.realm.clone());
                let registered = self.is_registered();
                self.state = State::Challenged { challenge, registered, tries };
                Next::Now
            }
            423 => {
                // RFC 3261 §10.2.8.
                let asked = response.head.field("Min-Expires").and_then(lex::number).unwrap_or(0);
                if asked <= account.expires_s.max(self.min_expires_s) {
                    return self.failed(cx, true);
                }
                self.min_expires_s = asked;
                Next::Now
            }
            _ => self.failed(cx, true),
        }
    }

    /// Half the time granted to us is left when we ask again.
    fn refresh_at(&self, cx: &Context<'_>, account: &TrunkRegistration, response: &Response) -> Instant {
        let of_contact = response.head.contacts.first().and_then(|contact| contact.params.get("expires"));
        let granted = of_contact.or_else(|| response.head.field("Expires")).and_then(lex::number);
        let wait = Duration::from_secs(u64::from(granted.unwrap_or(account.expires_s)) / 2).max(REFRESH_MIN);
        cx.now.checked_add(wait).unwrap_or(cx.now)
    }

    /// Full jitter: many boxes that lost one carrier do not come back as one.
    fn failed(&mut self, cx: &mut Context<'_>, refused: bool) -> Next {
        self.failures = self.failures.saturating_add(1);
        let doublings = self.failures.saturating_sub(1).min(6);
        let cap = RETRY_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(RETRY_MAX);
        let spread = u64::try_from(cap.as_millis()).unwrap_or(u64::MAX);
        let wait = RETRY_MIN.saturating_add(Duration::from_millis(cx.ids.below(spread)));
        // One silence may be a lost packet; a refusal is a word.
        let keeps = self.is_registered() && !refused && self.failures == 1;
        self.state = if keeps { State::Registered } else { State::Out };
        Next::At(cx.now.checked_add(wait).unwrap_or(cx.now))
    }
}
