//! What becomes of a request that passed the front door: who speaks is decided first, what they want second. Until a
//! password is proved or a trunk is recognised, nothing is remembered and every answer is stateless (S-04, S-06).

use std::time::Instant;

use super::engine::{Endpoint, context};
use super::{Flow, Invited, Source};
use crate::arrivals::retry_after_s;
use crate::auth::{Claim, Verdict};
use crate::body;
use crate::context::{Context, SUPPORTED, SUPPORTED_RECORDING, is_us};
use crate::front::ALLOW;
use crate::help::AT_ONCE_MAX;
use crate::identity;
use crate::message::{self, Method, Request, Response};
use crate::registrar;
use crate::subscription::ALLOW_EVENTS;
use crate::transaction::{Arrival, OWED_PER_DIALOG, Room, TxId};
use crate::trunk;

impl Endpoint {
    pub(super) fn request(&mut self, now: Instant, mut request: Request, flow: Flow) {
        if let Some(top) = request.head.via.first_mut() {
            top.stamp(flow.remote);
        }
        match self.tx.arrive(now, &request, flow) {
            Arrival::Absorbed => {}
            Arrival::Merged => self.deny(&request, flow, 482, "merged"),
            Arrival::Looped => self.deny(&request, flow, 482, "loop"),
            Arrival::New => match request.method() {
                Method::Ack => self.ack(now, &request, flow),
                Method::Cancel => self.cancel(now, &request, flow),
                _ if request.head.to.tag().is_some() => self.within(now, request, flow),
                _ => self.outside(now, request, flow),
            },
        }
    }

    /// An ACK cannot be challenged (RFC 3261 §22.1): it counts only from where its dialog's peer is.
    fn ack(&mut self, now: Instant, request: &Request, flow: Flow) {
        if let Some(place) = self.dialogs.find(request).filter(|place| place.flow.remote.ip() == flow.remote.ip()) {
            self.dialogs.ack(context!(self, now), place.dialog, request);
        }
    }

    fn cancel(&mut self, now: Instant, request: &Request, flow: Flow) {
        let Some(invite) = self.tx.cancelled_by(request, flow) else { return self.deny(request, flow, 481, "cancel") };
        let tag = self.tag(request);
        let response = self.response(request, 200, &tag);
        self.answer(now, request, flow, response);
        let why = message::Release::of(&request.head);
        self.dialogs.cancelled(context!(self, now), invite, why);
    }

    fn within(&mut self, now: Instant, request: Request, flow: Flow) {
        if request.method() == Method::Subscribe
            && let Some(place) = self.subscriptions.find(&request)
        {
            return self.resubscribe(now, request, flow, place);
        }
        // RFC 3261 §12.2.2.
        let Some(place) = self.dialogs.find(&request) else { return self.deny(&request, flow, 481, "dialog") };
        match &place.source {
            Source::Trunk(name) if trunk::speaks(&self.config, &self.reach, flow, name) => {}
            Source::Trunk(_) => return self.deny(&request, flow, 403, "foreign"),
            Source::Phone(_) | Source::Unproved if same_way(place.flow, flow) => {}
            Source::Unproved => return self.deny(&request, flow, 403, "foreign"),
            Source::Phone(user) => match self.prove(now, &request, flow) {
                Some(proved) if proved == *user => self.dialogs.moved(place.dialog, flow),
                Some(_) => return self.deny(&request, flow, 403, "foreign"),
                None => return,
            },
        }
        if let Some(response) = self.unsupported(&request, Some(&place.source)) {
            return self.answer(now, &request, flow, response);
        }
        match self.open(&request, flow) {
            Some(tx) => self.dialogs.request(context!(self, now), place.dialog, tx, request),
            None => self.overloaded(&request, flow),
        }
    }

    fn outside(&mut self, now: Instant, request: Request, flow: Flow) {
        // RFC 4475 §3.3.11: only who passes a request on counts its hops; of all requests we pass on calls alone.
        if request.head.max_forwards == Some(0) && request.method() == Method::Invite {
            return self.deny(&request, flow, 483, "hops");
        }
        if request.method() == Method::Options {
            return self.options(&request, flow);
        }
        // Before a password is looked at: a flood is refused at the least cost.
        if !self.has_room(self.room(&request, flow)) {
            return self.overloaded(&request, flow);
        }
        let records = request.method() == Method::Invite && message::is_recording(&request.head);
        let recorder = || trunk::recorder(&self.config, &self.reach, flow).filter(|_| records);
        let source = match recorder().or_else(|| trunk::source(&self.config, &self.reach, flow)) {
            Some(name) => Source::Trunk(name.to_string()),
            None => match self.proof(now, &request, flow) {
                Ok(user) => Source::Phone(user),
                Err(challenge) if self.helps(now, &request, flow, &challenge) => Source::Unproved,
                Err(challenge) => return self.challenge(&request, flow, &challenge),
            },
        };
        // A phone speaks as itself (S-03, S-04), a page for the phone it was lent.
        let from = request.head.from.uri.user();
        if matches!(&source, Source::Phone(user) if from.as_deref().map(|from| self.lent.phone(from)) != Some(user)) {
            return self.answer_status(now, &request, flow, 403);
        }
        // RFC 3261 §8.2.2.1, §10.3: nobody of another domain is here.
        let to_us = request.uri.host().is_some_and(|host| is_us(&self.config, host, flow));
        let for_phones = matches!(request.method(), Method::Register | Method::Subscribe | Method::Message);
        if for_phones && !to_us {
            return self.answer_status(now, &request, flow, 404);
        }
        if let Some(response) = self.unsupported(&request, Some(&source)) {
            return self.answer(now, &request, flow, response);
        }
        match (request.method(), source) {
            (Method::Invite, source) => self.invited(now, request, flow, source),
            // Who proved nothing may call for help, and nothing else.
            (_, Source::Unproved) => self.answer_status(now, &request, flow, 403),
            (Method::Register, Source::Phone(user)) => {
                let tag = self.tag(&request);
                // As whom it proved itself: by the phone's own name, or by one that was lent.
                let name =
                    request.head.to.uri.user().filter(|name| self.lent.phone(name) == user && self.lent.has(name));
                let who = registrar::Who { user: &user, lent: name.as_deref() };
                let response = self.registrar.register(context!(self, now), &who, &request, flow, &tag);
                if response.status == 200 {
                    self.dialogs.reached(&user, flow);
                }
                self.answer(now, &request, flow, response);
            }
            (Method::Subscribe, Source::Phone(user)) => self.subscribe(now, request, flow, &user),
            (Method::Message, Source::Phone(user)) => self.page(now, request, flow, &user),
            // What a phone may, a trunk may not (S-03); and nobody sends us elsewhere from outside a call (S-11).
            (Method::Register | Method::Subscribe | Method::Message, Source::Trunk(_)) | (Method::Refer, _) => {
                self.answer_status(now, &request, flow, 403);
            }
            (Method::Bye | Method::Update | Method::Info | Method::PRack | Method::Notify, _) => {
                self.answer_status(now, &request, flow, 481);
            }
            // ACK, CANCEL and OPTIONS were dealt with before.
            (Method::Publish | Method::Ack | Method::Cancel | Method::Options, _) => {
                self.answer_status(now, &request, flow, 405);
            }
        }
    }

    fn invited(&mut self, now: Instant, request: Request, flow: Flow, source: Source) {
        if self.dialogs.len() >= self.config.limits.dialogs {
            return self.overloaded(&request, flow);
        }
        if self.records(&source) && !message::is_recording(&request.head) {
            // It was declared for recording sessions, and is no way in for calls (RFC 3261 §21.4.16).
            return self.answer_status(now, &request, flow, 421);
        }
        let replaces = match (self.refusal_of_invite(&request, flow, &source), &source) {
            (Some(status), _) => return self.answer_status(now, &request, flow, status),
            (None, Source::Trunk(_) | Source::Unproved) => Ok(None),
            (None, Source::Phone(_)) => self.dialogs.to_replace(&request),
        };
        let invited = match (replaces, self.introduction(&request, flow.transport, source)) {
            (Ok(replaces), Some(invited)) => Invited { replaces, ..invited },
            (Err(status), _) => return self.answer_status(now, &request, flow, status),
            (_, None) => return self.answer_status(now, &request, flow, 404),
        };
        let Some(tx) = self.open(&request, flow) else { return self.overloaded(&request, flow) };
        let backup = request.clone();
        let began = self.dialogs.invited(context!(self, now), tx, request, flow, invited);
        if began.is_none() {
            // RFC 3261 §8.1.1.8: an INVITE has a Contact, one that we can send requests to.
            self.refused("contact", Some(400));
            let tag = self.tag(&backup);
            let response = self.response(&backup, 400, &tag);
            self.tx.respond(now, tx, &response);
        }
    }

    fn refusal_of_invite(&self, request: &Request, flow: Flow, source: &Source) -> Option<u16> {
        let head = &request.head;
        // A service of help is nobody's host.
        let of_help = self.config.help.service(&request.uri).is_some();
        let to_us = of_help || request.uri.host().is_some_and(|host| is_us(&self.config, host, flow));
        let accepts = head.list("Accept");
        let accepts_sdp = accepts.iter().any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            matches!(range.as_str(), "application/sdp" | "application/*" | "*/*")
        });
        let encoded = head.field("Content-Encoding").is_some_and(|e| !e.eq_ignore_ascii_case("identity"));
        let records = self.records(source);
        let unread = records.then(|| body::recording(head, &request.body).err()).flatten().map(body::Error::status);
        match source {
            // Nobody outside takes over a call of ours (RFC 3891 §3).
            Source::Trunk(_) | Source::Unproved if head.field("Replaces").is_some() => Some(403),
            // RFC 3911 §4: there is no call here that could be joined.
            _ if head.field("Join").is_some() => Some(if head.field("Replaces").is_some() { 400 } else { 481 }),
            _ if !to_us => Some(404),
            _ if unread.is_some() => unread,
            _ if !records && !request.body.is_empty() && message::media_type(head) != "application/sdp" => Some(415),
            _ if encoded => Some(415),
            // RFC 4028 §9.
            _ if crate::dialog::is_too_short(request) => Some(422),
            _ if !accepts.is_empty() && !accepts_sdp => Some(406),
            _ => None,
        }
    }

    /// What a Request-URI dials: its user part, or the number of the service of help that it names (RFC 5031).
    fn dialled(&self, request: &Request) -> Option<String> {
        let service = self.config.help.service(&request.uri).map(str::to_owned);
        service.or_else(|| request.uri.user())
    }

    /// None when the Request-URI names nobody.
    fn introduction(&self, request: &Request, transport: super::Transport, source: Source) -> Option<Invited> {
        let records = self.records(&source);
        // A recording server has no extensions: it may be called by its host alone.
        let to = self.dialled(request).or_else(|| records.then(String::new))?;
        // RFC 3325 §9: an asserted identity is believed from a trusted trunk only.
        let trusted = trunk::is_trusted(&self.config, &source);
        let mut caller = match source {
            // A phone is who it proved to be; whether others see it is its own to say.
            Source::Phone(_) | Source::Unproved => identity::of_phone(&request.head),
            Source::Trunk(_) => identity::caller(&request.head, trusted),
        };
        if let Source::Phone(_) = source {
            // A lent name is nobody's to see.
            caller.user = self.lent.phone(&caller.user).to_owned();
        }
        let diverted = trusted.then(|| identity::diverted(&request.head)).flatten();
        let carried = records.then(|| body::recording(&request.head, &request.body).unwrap_or_default());
        let (sdp, recording) = match carried {
            Some(carried) => (carried.sdp, Some(carried.metadata.unwrap_or_default())),
            None => (message::sdp(&request.head, &request.body), None),
        };
        let (from, from_name, withheld) = (caller.user, caller.name, caller.withheld);
        let reliable = crate::dialog::acknowledges_progress(request);
        let replaces = None;
        Some(Invited { source, transport, to, from, from_name, withheld, diverted, sdp, reliable, replaces, recording })
    }

    /// Whether it is one end of recording sessions.
    fn records(&self, source: &Source) -> bool {
        matches!(source, Source::Trunk(name) if self.config.recording.contains_key(name))
    }

    fn options(&mut self, request: &Request, flow: Flow) {
        let recorder = trunk::recorder(&self.config, &self.reach, flow).map(|name| Source::Trunk(name.to_string()));
        let response = self.unsupported(request, recorder.as_ref()).unwrap_or_else(|| {
            let tag = self.tag(request);
            let response = self.response(request, 200, &tag);
            response
                .with("Allow", ALLOW)
                .with("Accept", "application/sdp")
                .with("Supported", supported(recorder.is_some()))
                .with("Allow-Events", ALLOW_EVENTS)
        });
        self.reply(request, flow, &response);
    }

    /// The user who proved a password; None after a challenge was sent.
    pub(super) fn prove(&mut self, now: Instant, request: &Request, flow: Flow) -> Option<String> {
        self.proof(now, request, flow).map_err(|challenge| self.challenge(request, flow, &challenge)).ok()
    }

    /// The user who proved a password, or what to ask.
    fn proof(&mut self, now: Instant, request: &Request, flow: Flow) -> Result<String, String> {
        let head = &request.head;
        let claimed = if head.method == Method::Register { head.to.uri.user() } else { head.from.uri.user() };
        let config = &self.config;
        let is_us = |host: &crate::uri::Host| is_us(config, host, flow);
        let lent = flow.transport.is_websocket().then_some(&self.lent);
        let claim = Claim { config, claimed: claimed.as_deref(), lent, is_us: &is_us };
        match self.doorman.check(now, &mut self.ids, request, &claim) {
            Verdict::Proved(user) => {
                self.is_neighbour(now, flow);
                Ok(self.lent.phone(&user).to_owned())
            }
            Verdict::Challenge(challenge) => Err(challenge.as_str().to_owned()),
        }
    }

    fn challenge(&mut self, request: &Request, flow: Flow, challenge: &str) {
        if request.head.field("Authorization").is_some() && !is_stale(challenge) {
            self.refused("proof", Some(401));
        }
        let tag = self.tag(request);
        let response = self.response(request, 401, &tag).with("WWW-Authenticate", challenge);
        self.reply(request, flow, &response);
    }

    /// Who calls for help need not prove anything on our own networks, within a limit. A phone of ours is asked first:
    /// who calls, and from where, is worth the moment.
    fn helps(&mut self, now: Instant, request: &Request, flow: Flow, challenge: &str) -> bool {
        let head = &request.head;
        let is_ours = |user: &str| self.config.phones.contains_key(user) || self.lent.has(user);
        let is_ours = head.from.uri.user().is_some_and(|user| is_ours(&user));
        let may_prove = is_ours && (head.field("Authorization").is_none() || is_stale(challenge));
        let dialled = self.dialled(request).filter(|_| request.method() == Method::Invite && !may_prove);
        let source = flow.remote.ip();
        let wanted = dialled.is_some_and(|dialled| self.config.help.is_for(&dialled, source));
        let helps = wanted && self.dialogs.unproved() < AT_ONCE_MAX && self.helped.take(now, source);
        if wanted && !helps {
            self.refused("help_limit", Some(401));
        }
        helps
    }

    /// RFC 3261 §8.2.2.3: 420 names what we do not know.
    fn unsupported(&mut self, request: &Request, source: Option<&Source>) -> Option<Response> {
        let known = supported(source.is_some_and(|source| self.records(source)));
        let unknown: Vec<&str> = request
            .head
            .list("Require")
            .into_iter()
            .filter(|tag| !known.split(", ").any(|known| known.eq_ignore_ascii_case(tag)))
            .collect();
        if unknown.is_empty() {
            return None;
        }
        let unsupported = unknown.join(", ");
        let tag = self.tag(request);
        Some(self.response(request, 420, &tag).with("Unsupported", unsupported))
    }

    pub(super) fn open(&mut self, request: &Request, flow: Flow) -> Option<TxId> {
        let room = self.room(request, flow);
        self.tx.open(request, flow, way_back(request, flow), room).ok()
    }

    /// What would be taken from others to serve it.
    fn room(&self, request: &Request, flow: Flow) -> Room {
        let method = request.method();
        if method == Method::Cancel || request.head.to.tag().is_some() {
            return Room::of_ours(request);
        }
        if trunk::source(&self.config, &self.reach, flow).is_some() {
            return Room::Trunk;
        }
        let help = || self.dialled(request).is_some_and(|user| self.config.help.is_dialled(&user));
        if method == Method::Invite && help() { Room::Emergency } else { Room::Phone }
    }

    /// Whether something of this kind may begin, so that it and all that has begun can also be ended.
    pub(super) fn has_room(&self, room: Room) -> bool {
        let owed = self.dialogs.len().saturating_mul(OWED_PER_DIALOG);
        !self.tx.is_full(room, owed)
    }

    /// A final answer that is repeated when the request is.
    fn answer(&mut self, now: Instant, request: &Request, flow: Flow, response: Response) {
        match self.open(request, flow) {
            Some(tx) => self.tx.respond(now, tx, &response),
            None => self.overloaded(request, flow),
        }
    }

    pub(super) fn answer_status(&mut self, now: Instant, request: &Request, flow: Flow, status: u16) {
        let tag = self.tag(request);
        let mut response = self.response(request, status, &tag);
        match status {
            405 => response.head.set("Allow", ALLOW),
            415 => response.head.set("Accept", "application/sdp"),
            421 => response.head.set("Require", message::SIPREC),
            422 => response.head.set("Min-SE", crate::dialog::MIN_SE_S.to_string()),
            _ => {}
        }
        self.answer(now, request, flow, response);
    }

    /// A refusal of which nothing is remembered.
    pub(super) fn deny(&mut self, request: &Request, flow: Flow, status: u16, cause: &'static str) {
        self.refused(cause, Some(status));
        let tag = self.tag(request);
        let response = self.response(request, status, &tag);
        self.reply(request, flow, &response);
    }

    pub(super) fn overloaded(&mut self, request: &Request, flow: Flow) {
        self.refused("overload", Some(503));
        let tag = self.tag(request);
        // The tag is a keyed digest, in hex.
        let draw = tag.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let response = self.response(request, 503, &tag).with("Retry-After", retry_after_s(draw).to_string());
        self.reply(request, flow, &response);
    }

    fn reply(&mut self, request: &Request, flow: Flow, response: &Response) {
        self.tx.send(way_back(request, flow), response.to_bytes());
    }

    fn response(&self, request: &Request, status: u16, tag: &str) -> Response {
        request.response(status, tag).with("Server", &self.config.product)
    }

    fn tag(&self, request: &Request) -> String {
        let head = &request.head;
        self.doorman.stateless_tag(head.call_id.as_str(), head.from.tag().unwrap_or_default(), head.cseq)
    }
}

/// Option tags that we know; towards an end of recording sessions theirs too (RFC 7866 §11.1).
fn supported(records: bool) -> &'static str {
    if records { SUPPORTED_RECORDING } else { SUPPORTED }
}

/// RFC 7616 §3.3: the proof was right once, and its nonce is old.
fn is_stale(challenge: &str) -> bool {
    challenge.ends_with("stale=true")
}

/// RFC 3261 §18.2.2: on the connection it came by, or to the address that Via and the source give.
fn way_back(request: &Request, flow: Flow) -> Flow {
    let top = request.head.via.first();
    if flow.transport.is_connection() {
        return flow;
    }
    Flow { remote: top.map_or(flow.remote, |via| via.reply_to(flow.remote)), ..flow }
}

pub(super) fn same_way(known: Flow, flow: Flow) -> bool {
    let same_connection = !known.transport.is_connection() || known.connection == flow.connection;
    known.transport == flow.transport && known.remote == flow.remote && same_connection
}
