//! Our INVITE, before its answer: one branch per contact, folded into one outcome (RFC 3261 §13.2, §16.7).

use std::time::Duration;

use bytes::Bytes;

use super::early::EarlyDialogs;
use super::flows::Flows;
use super::lease;
use super::peer::{End, Peer};
use super::respond;
use super::session::Theirs;
use crate::auth::client;
use crate::body;
use crate::context::{self, Context, Parties};
use crate::endpoint::{Binding, Flow, Invite, Target, TrunkRegistration};
use crate::identity;
use crate::message::{Address, Method, Release, Request, Response, SIPREC, Value};
use crate::transaction::TxId;
use crate::uri::{Host, Uri};

/// One INVITE on its way to one contact.
#[derive(Debug)]
pub struct Branch {
    pub tx: TxId,
    pub request: Request,
    pub flow: Flow,
    pub stage: Stage,
    /// The last SDP of a provisional response: the answer, should the 2xx bring none.
    pub early_sdp: Option<Bytes>,
    pub early: EarlyDialogs,
    /// Their interval was longer than ours: what we asked for instead (RFC 4028 §7.3).
    min_se_s: u32,
    challenges: u8,
    /// What its CANCEL says.
    pub why: Option<Release>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Silent,
    /// A provisional response came: CANCEL may be sent (RFC 3261 §9.1).
    Proceeding,
    /// Above 100: the called side is talking, and its challenges are not the trunk's.
    Ringing,
}

/// An INVITE that is all but sent.
pub struct Draft {
    pub flow: Flow,
    pub request: Request,
}

#[derive(Debug)]
pub struct Outgoing {
    pub branches: Vec<Branch>,
    pub target: Target,
    /// Our offer.
    pub sdp: Bytes,
    /// Other ways to the devices that ring, or to the trunk.
    pub flows: Flows,
    /// How long each way has for its first word.
    pub patience: Option<Duration>,
    /// The best refusal so far, and what was said with it.
    worst: Option<(u16, Option<Release>)>,
}

/// RFC 3261 §22.2: a second challenge is for a stale nonce, a third is a no.
const CHALLENGES_MAX: u8 = 2;

impl Outgoing {
    pub fn new(target: Target, sdp: Bytes) -> Self {
        Self { branches: Vec::new(), target, sdp, flows: Flows::default(), patience: None, worst: None }
    }

    pub fn branch(&mut self, tx: TxId) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.tx == tx)
    }

    pub fn take(&mut self, tx: TxId) -> Option<Branch> {
        let at = self.branches.iter().position(|branch| branch.tx == tx)?;
        Some(self.branches.remove(at))
    }

    /// The early dialog with this tag of theirs.
    pub fn early_mut(&mut self, tag: Option<&str>) -> Option<&mut super::early::Early> {
        self.branches.iter_mut().find_map(|branch| branch.early.of_mut(tag))
    }

    pub fn early(&self, tag: Option<&str>) -> Option<&super::early::Early> {
        self.branches.iter().find_map(|branch| branch.early.of(tag))
    }

    /// The first of the contacts that ring.
    pub fn first_ringing(&self) -> Option<&Peer> {
        self.branches.iter().find_map(|branch| branch.early.first()).map(|early| &early.peer)
    }

    /// The INVITE by another way, when it went to a trunk whose address stays silent.
    pub fn next_way(&mut self, cx: &mut Context<'_>, silent: &[Branch]) -> Option<Draft> {
        let ([branch], Target::Trunk { .. }) = (silent, &self.target) else { return None };
        cx.reach.failed(cx.now, (branch.flow.transport, branch.flow.remote));
        self.flows.next(cx, branch, 408)
    }

    pub fn answer_theirs(&mut self, cx: &mut Context<'_>, sdp: Bytes) {
        let offered = self.branches.iter_mut().find_map(|branch| branch.early.offered());
        if let Some(early) = offered
            && let Some(theirs) = early.theirs.take()
        {
            theirs.answer(cx, early.peer.flow, sdp);
        }
    }

    pub fn refuse_theirs(&mut self, cx: &mut Context<'_>, status: u16) {
        let offered = self.branches.iter_mut().find_map(|branch| branch.early.offered());
        if let Some(Theirs { tx, request }) = offered.and_then(|early| early.theirs.take()) {
            respond(cx, tx, &request, status);
        }
    }

    /// Notes a refusal; the best one when no branch is left to hope for.
    pub fn refused(&mut self, status: u16, why: Option<Release>) -> Option<(u16, Option<Release>)> {
        let best = match self.worst {
            Some(before) if rank(before.0) <= rank(status) => before,
            _ => (status, why),
        };
        self.worst = Some(best);
        self.branches.is_empty().then_some(best)
    }
}

/// RFC 3261 §16.7 step 6: a 6xx settles it, then the lowest class; within 4xx a phone that says something (busy,
/// declined) beats one that is merely unreachable.
pub(crate) fn rank(status: u16) -> u16 {
    match status {
        600.. => 0,
        408 | 480 | 481 | 487 => 499,
        _ => status,
    }
}

impl Branch {
    pub fn new(tx: TxId, request: Request, flow: Flow) -> Self {
        Self {
            tx,
            request,
            flow,
            stage: Stage::Silent,
            early_sdp: None,
            early: EarlyDialogs::default(),
            min_se_s: 0,
            challenges: 0,
            why: None,
        }
    }

    /// False: it was heard before, or comes out of order.
    pub fn progressed(&mut self, cx: &mut Context<'_>, response: &Response) -> bool {
        // Whatever it says, the INVITE has arrived and may be cancelled (RFC 3261 §9.1).
        if self.stage == Stage::Silent {
            self.stage = Stage::Proceeding;
        }
        if response.status > 100 && !self.early.heard(cx, &self.request, response, self.flow) {
            return false;
        }
        if self.stage != Stage::Ringing {
            self.stage = if response.status > 100 { Stage::Ringing } else { Stage::Proceeding };
        }
        if let Some(sdp) = response.sdp() {
            self.early_sdp = Some(sdp);
        }
        true
    }

    /// A final response to the INVITE ends its early dialogs (RFC 3261 §12.3): what is sent again begins others.
    pub fn over(&mut self, cx: &mut Context<'_>) {
        if let Some(Theirs { tx, request }) = self.early.offered().and_then(|early| early.theirs.take()) {
            respond(cx, tx, &request, 481);
        }
        (self.early, self.early_sdp) = (EarlyDialogs::default(), None);
    }

    /// The INVITE again with the interval that a 422 asks for, once more than before.
    pub fn with_interval(&mut self, cx: &mut Context<'_>, response: &Response) -> Option<Draft> {
        let offered_s = if self.min_se_s == 0 { lease::ASK_S } else { self.min_se_s };
        self.min_se_s = lease::asked_for(response, offered_s).filter(|_| self.min_se_s == 0)?;
        let mut request = self.again(cx);
        lease::ask(&mut request.head, self.min_se_s, self.min_se_s, None);
        Some(Draft { flow: self.flow, request })
    }

    /// The INVITE again without the place that the other side could not read; once.
    pub fn without_location(&mut self, cx: &mut Context<'_>, sdp: Bytes) -> Option<Draft> {
        self.request.head.field("Geolocation")?;
        let mut request = self.again(cx);
        request.head.fields.retain(|(name, _)| !name.starts_with("Geolocation"));
        Some(Draft { flow: self.flow, request: request.with_body("application/sdp", sdp) })
    }

    /// RFC 3261 §22.2: same Call-ID, From and To, the next number; a new transaction has a new branch.
    fn again(&self, cx: &mut Context<'_>) -> Request {
        let mut request = self.request.clone();
        request.head.cseq = request.head.cseq.saturating_add(1);
        let branch = cx.ids.branch();
        request.head.via.iter_mut().for_each(|via| via.params.set("branch", Some(&branch)));
        request
    }

    /// The INVITE again, with our proof, when the trunk itself asked for it.
    pub fn proved(
        &mut self,
        cx: &mut Context<'_>,
        response: &Response,
        account: &TrunkRegistration,
        realm_fits: impl Fn(&str) -> bool,
    ) -> Option<Draft> {
        let challenge = client::challenge(response, realm_fits)?;
        let again = self.challenges == 0 || (challenge.stale && self.challenges < CHALLENGES_MAX);
        if self.stage == Stage::Ringing || !again {
            return None;
        }
        self.challenges = self.challenges.saturating_add(1);
        let uri = self.request.uri.to_string();
        let proof = client::answer(&challenge, account, "INVITE", &uri, cx.ids)?;
        let mut request = self.again(cx);
        request.head.set(challenge.answer_in, proof.as_str());
        Some(Draft { flow: self.flow, request })
    }

    /// The dialog that a 2xx makes, its ACK sent.
    pub fn acknowledge(&mut self, cx: &mut Context<'_>, response: &Response) -> (Peer, Bytes) {
        let peer = match self.early.take(response.head.to.tag()) {
            Some(early) => {
                if let Some(Theirs { tx, request }) = &early.theirs {
                    respond(cx, *tx, request, 491);
                }
                let mut peer = early.peer;
                peer.confirmed(response);
                peer
            }
            None => Peer::of_response(&self.request, response, self.flow),
        };
        let ack = peer.ack(cx, self.request.head.cseq).to_bytes();
        cx.tx.send(self.flow, ack.clone());
        (peer, ack)
    }

    /// RFC 3261 §9.1: the INVITE's head, less what it asked for.
    pub fn cancel(&self, product: &str) -> Request {
        let mut cancel = self.request.clone();
        cancel.head.method = Method::Cancel;
        cancel.head.contacts = Default::default();
        cancel.head.content_type = None;
        cancel.head.fields.clear();
        cancel.head.set("User-Agent", product);
        self.why.into_iter().for_each(|why| why.write(&mut cancel.head));
        cancel.body = Bytes::new();
        cancel
    }
}

/// To every contact of a phone.
pub fn to_phone(cx: &mut Context<'_>, invite: &Invite, user: &str, bindings: &[Binding]) -> Vec<Draft> {
    let home = context::domain(cx.config);
    let to = Address::new(Uri::sip(Some(user), home.clone(), None));
    // RFC 3261 §19.1.5: headers that a contact asks for are dangerous to honour; they are kept for its owner alone.
    let uri = |binding: &Binding| Uri::parse(&binding.contact).ok().map(Uri::without_headers);
    let contacts: Vec<(Flow, Uri)> = bindings.iter().filter_map(|one| Some((one.flow, uri(one)?))).collect();
    let mut drafts = Vec::new();
    for (flow, uri) in contacts {
        let mut draft = draft(cx, invite, flow, uri, to.clone(), home.clone());
        identity::refer(&mut draft.request, invite, &home);
        drafts.push(draft);
    }
    drafts
}

/// To a trunk's peer, and its other ways; None when there is no such trunk, or nobody knows where it is.
pub fn to_trunk(cx: &mut Context<'_>, invite: &Invite, trunk: &str, user: &str) -> Option<(Draft, Flows)> {
    let ways = cx.reach.ways(cx.config, trunk, cx.now, cx.ids);
    let wish = cx.config.names.get(trunk);
    let trunk = cx.config.trunks.get(trunk)?;
    let flow = crate::trunk::flow(cx, *ways.first()?);
    let registered = trunk.registration.as_ref().and_then(|account| Host::parse(&account.domain).ok());
    let (host, port) = match (&registered, wish) {
        (Some(domain), _) => (domain.clone(), None),
        (None, Some(wish)) => (Host::Name(wish.host.clone()), wish.port),
        (None, None) => (trunk.peer.into(), Some(trunk.peer.port())),
    };
    let uri = Uri::sip(Some(user), host, port);
    let ours = registered.unwrap_or_else(|| context::domain(cx.config));
    let flows = Flows::of_trunk(ways.into_iter().map(|way| (crate::trunk::flow(cx, way), uri.clone())));
    let mut draft = draft(cx, invite, flow, uri.clone(), Address::new(uri), ours.clone());
    identity::show(&mut draft.request, invite, &ours);
    Some((draft, flows))
}

fn draft(cx: &mut Context<'_>, invite: &Invite, flow: Flow, uri: Uri, to: Address, home: Host) -> Draft {
    let mut from = Address::new(Uri::sip(Some(&invite.from_user), home, None));
    let name = invite.from_name.as_deref().map(|name| Value::cleaned(name).as_str().to_string());
    from.display = name.filter(|name| !name.is_empty());
    from.set_tag(&cx.ids.tag());
    let call_id = Value::cleaned(&cx.ids.call_id());
    let mut request = cx.request(Method::Invite, flow, Parties { uri, from, to, call_id, cseq: 1 });
    cx.introduce(&mut request.head, flow);
    lease::ask(&mut request.head, lease::ASK_S, lease::MIN_S, None);
    let located = invite.emergency.as_ref().and_then(|emergency| {
        request.head.set("Priority", "emergency");
        emergency.location.as_ref()
    });
    let to_browser = invite.sdp_to_browsers.as_ref().filter(|_| flow.transport.is_websocket());
    let sdp = to_browser.unwrap_or(&invite.sdp);
    let request = match (located, &invite.recording) {
        (Some(location), _) => located_body(cx, request, sdp, location),
        (None, Some(metadata)) => {
            // RFC 7866 §6.1.1.
            End::Client.mark(&mut request.head);
            request.head.set("Require", SIPREC);
            request.head.set("Accept", "application/sdp, application/rs-metadata-request");
            recording_body(cx, request, sdp, metadata)
        }
        (None, None) => request.with_body("application/sdp", sdp.clone()),
    };
    Draft { flow, request }
}

/// RFC 7866 §9.1.
pub fn recording_body(cx: &mut Context<'_>, request: Request, sdp: &[u8], metadata: &[u8]) -> Request {
    let (content_type, body) = body::write_recording(&cx.ids.tag(), sdp, metadata);
    request.with_body(&content_type, body)
}

/// RFC 6442 §4.1, RFC 5621 §8: the place beside the SDP, named by a Content-ID.
fn located_body(cx: &mut Context<'_>, mut request: Request, sdp: &Bytes, location: &Bytes) -> Request {
    let boundary = cx.ids.tag();
    let id = format!("{}@{}", cx.ids.tag(), context::domain(cx.config));
    request.head.set("Geolocation", format!("<cid:{id}>"));
    request.head.set("Geolocation-Routing", "no");
    let name = format!("Content-ID: <{id}>");
    let of_location = ["Content-Type: application/pidf+xml", name.as_str()];
    let parts: [(&[&str], &[u8]); 2] = [(&["Content-Type: application/sdp"], sdp), (&of_location, location)];
    let (content_type, body) = body::write(&boundary, &parts);
    request.with_body(&content_type, body)
}
