//! One call to the device: an [`Attempt`] that rings, and the [`Call`] it becomes.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::message::{Address, Method, Response};

use crate::draft::{Draft, address_of};
use crate::ear::Ear;
use crate::line::{Acked, Dialog, What};
use crate::plan::{Kind, Link, Socket};
use crate::said;
use crate::sdp::{PCMA, Sdp, Written};
use crate::speaker::Speaker;
use crate::ua::{PATIENCE, Reply, Ua};
use crate::verdict::{Text, Verdict};

/// What an INVITE carries.
#[derive(Debug, Clone)]
pub struct Invite {
    /// None: a delayed offer.
    pub offer: Option<Written>,
    pub headers: Vec<(String, String)>,
}

impl Invite {
    pub fn early(ua: &Ua) -> Self {
        let rtp = ua.plan(|plan| plan.media(Socket::Rtp));
        Self { offer: Some(Written::offer(rtp)), headers: Vec::new() }
    }

    pub fn delayed() -> Self {
        Self { offer: None, headers: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_string(), value.into()));
        self
    }
}

/// Why there is no call.
#[derive(Debug, Clone)]
pub enum NoCall {
    Silence,
    Unanswered,
    Refused(Box<Response>),
}

impl NoCall {
    pub fn text(&self) -> Text {
        match self {
            NoCall::Silence => said!("the INVITE was not answered at all", "INVITE 没有得到任何应答"),
            NoCall::Unanswered => {
                said!("it rang, and nobody answered in time", "已振铃，但无人在规定时间内接听")
            }
            NoCall::Refused(response) => {
                let (status, reason) = (response.status, &response.reason);
                said!("the call was refused: {status} {reason}", "呼叫被拒绝：{status} {reason}")
            }
        }
    }

    pub fn verdict(&self) -> Verdict {
        Verdict::fail(self.text())
    }
}

#[derive(Debug)]
pub enum Step {
    Provisional(Box<Response>),
    Final(Box<Response>),
}

/// An INVITE under way.
pub struct Attempt {
    ua: Ua,
    pub asked: Draft,
    pub sent: Instant,
    proved: bool,
    pub provisional: Vec<(Duration, Response)>,
    pub done: Option<(Duration, Response)>,
}

impl Attempt {
    pub fn start(ua: &Ua, invite: Invite) -> Option<Self> {
        let uri = ua.plan(|plan| plan.call.clone())?;
        Some(Self::to(ua, &uri.to_string(), invite))
    }

    pub fn to(ua: &Ua, uri: &str, invite: Invite) -> Self {
        let kind = ua.plan(|plan| plan.kind);
        let mut draft = ua.draft("INVITE", uri).with("Contact", ua.contact(Link::Udp));
        draft = draft.with("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY");
        if kind == Kind::Phone {
            // What the common makes take for "answer by yourself".
            draft = draft
                .with("Call-Info", "<sip:lab>;answer-after=0")
                .with("Alert-Info", "<http://lab>;info=alert-autoanswer;delay=0");
        }
        for (name, value) in invite.headers {
            draft = draft.set(&name, value);
        }
        if let Some(offer) = &invite.offer {
            draft = draft.body("application/sdp", offer.render());
        }
        let sent = ua.now();
        ua.line(|line| line.send_surely(draft.link, draft.to, &draft.branch, draft.render()));
        Self { ua: ua.clone(), asked: draft, sent, proved: false, provisional: Vec::new(), done: None }
    }

    /// The next response; None when `until` comes first. Challenges are answered, refusals acknowledged.
    pub async fn step(&mut self, until: Instant) -> Option<Step> {
        while let Some(happened) = self.ua.next(until).await {
            let What::Response(response) = &happened.what else {
                self.ua.be_polite(&happened);
                continue;
            };
            let ours = response.head.call_id.as_str() == self.asked.call_id
                && response.head.cseq == self.asked.cseq
                && response.head.method == Method::Invite;
            if !ours {
                continue;
            }
            let took = happened.at.saturating_duration_since(self.sent);
            if response.status < 200 {
                self.provisional.push((took, response.as_ref().clone()));
                return Some(Step::Provisional(response.clone()));
            }
            if response.status >= 300 {
                self.refused(response);
                let again = if self.proved { None } else { self.ua.proof_with(&self.asked, response, None) };
                if let Some(again) = again {
                    self.proved = true;
                    self.asked = again;
                    self.sent = self.ua.now();
                    let bytes = self.asked.render();
                    let (link, to) = (self.asked.link, self.asked.to);
                    self.ua.line(|line| line.send_surely(link, to, &self.asked.branch, bytes));
                    continue;
                }
            }
            self.done = Some((took, response.as_ref().clone()));
            return Some(Step::Final(response.clone()));
        }
        None
    }

    /// RFC 3261 §17.1.1.3: the ACK of a refusal has the INVITE's branch.
    fn refused(&self, response: &Response) {
        let mut ack = self.asked.clone();
        ack.method = "ACK".into();
        ack.body.clear();
        ack.headers.retain(|(name, _)| matches!(name.as_str(), "Via" | "Max-Forwards" | "From" | "Call-ID"));
        let cseq = self.asked.cseq;
        let ack = ack.with("To", response.head.to.to_string()).with("CSeq", format!("{cseq} ACK"));
        self.ua.send(&ack);
    }

    /// RFC 3261 §9.1.
    pub fn cancel(&self) -> Draft {
        let mut cancel = self.asked.clone();
        cancel.method = "CANCEL".into();
        cancel.body.clear();
        cancel.headers.retain(|(name, _)| matches!(name.as_str(), "Via" | "Max-Forwards" | "From" | "To" | "Call-ID"));
        cancel.with("CSeq", format!("{} CANCEL", self.asked.cseq))
    }

    /// PRACK for a reliable provisional response (RFC 3262 §4), with the numbers to tell.
    pub fn prack(&self, response: &Response, rack: &str, cseq: u32) -> Draft {
        let dialog = dialog(&self.asked, response);
        let mut draft = self.ua.within_call("PRACK", &Dialog { cseq: cseq.saturating_sub(1), ..dialog });
        draft = draft.with("RAck", rack);
        draft
    }

    /// Waits for the end of ringing; what is reliable is acknowledged on the way.
    pub async fn answered(mut self) -> Result<Call, NoCall> {
        let until = self.ua.plan(|plan| plan.answer);
        let until = self.ua.after(until);
        let mut cseq = self.asked.cseq;
        let mut silent_until = self.ua.after(PATIENCE.saturating_mul(2)).min(until);
        loop {
            match self.step(silent_until).await {
                None if self.provisional.is_empty() => return Err(NoCall::Silence),
                None => {
                    let cancel = self.cancel();
                    let _ = self.ua.ask(cancel).await;
                    let last = self.ua.after(Duration::from_secs(1));
                    if let Some(Step::Final(response)) = self.step(last).await
                        && response.status < 300
                    {
                        return Ok(self.accept(&response));
                    }
                    return Err(NoCall::Unanswered);
                }
                Some(Step::Provisional(response)) => {
                    silent_until = until;
                    if let Some(rseq) = reliable(&response) {
                        cseq = cseq.saturating_add(1);
                        let rack = format!("{rseq} {} INVITE", self.asked.cseq);
                        let prack = self.prack(&response, &rack, cseq);
                        let _ = self.ua.ask(prack).await;
                    }
                }
                Some(Step::Final(response)) if response.status < 300 => {
                    let mut call = self.accept(&response);
                    call.raise(cseq);
                    return Ok(call);
                }
                Some(Step::Final(response)) => return Err(NoCall::Refused(response)),
            }
        }
    }

    /// The ACK, with our answer when theirs was the offer (RFC 3261 §13.2.2.4).
    pub fn accept(self, response: &Response) -> Call {
        let dialog = dialog(&self.asked, response);
        let sdp = Sdp::read(&response.body);
        let we_offered = !self.asked.body.is_empty();
        let mut call = Call {
            ua: self.ua.clone(),
            id: self.asked.call_id.clone(),
            sdp,
            provisional: self.provisional,
            took: self.done.map_or(Duration::ZERO, |(took, _)| took),
            response: response.clone(),
            version: 1,
        };
        let answer = match (&call.sdp, we_offered) {
            (Some(theirs), false) => {
                let rtp = self.ua.plan(|plan| plan.media(Socket::Rtp));
                Some(Written::answer(theirs, rtp).render())
            }
            _ => None,
        };
        self.ua.line(|line| line.calls.insert(call.id.clone(), dialog));
        call.ack(self.asked.cseq, answer);
        call.listen_for_keys();
        call
    }
}

/// RSeq of a provisional response that wants a PRACK.
pub fn reliable(response: &Response) -> Option<u32> {
    let required = response.head.list("Require").iter().any(|tag| tag.eq_ignore_ascii_case("100rel"));
    response.head.field("RSeq").filter(|_| required)?.trim().parse().ok()
}

fn dialog(asked: &Draft, response: &Response) -> Dialog {
    let uri = response.head.contacts.first().map_or(asked.uri.clone(), |contact| contact.uri.to_string());
    // RFC 3261 §12.1.2: the route set is Record-Route in reverse.
    let route: Vec<&Address> = response.head.record_route.iter().rev().collect();
    let next = route.first().map(|first| &first.uri).or(response.head.contacts.first().map(|contact| &contact.uri));
    Dialog {
        call_id: asked.call_id.clone(),
        from: asked.header("From").unwrap_or_default().to_string(),
        to: response.head.to.to_string(),
        address: next.map_or(asked.to, |uri| address_of(uri, asked.to)),
        uri,
        route: route.into_iter().map(ToString::to_string).collect(),
        cseq: asked.cseq,
        link: asked.link,
    }
}

/// A call that was answered.
pub struct Call {
    pub ua: Ua,
    pub id: String,
    /// Their latest description.
    pub sdp: Option<Sdp>,
    pub provisional: Vec<(Duration, Response)>,
    pub took: Duration,
    pub response: Response,
    version: u32,
}

impl Call {
    /// An ordinary call: offer, ringing, answer.
    pub async fn place(ua: &Ua) -> Result<Self, NoCall> {
        Self::place_with(ua, Invite::early(ua)).await
    }

    pub async fn place_with(ua: &Ua, invite: Invite) -> Result<Self, NoCall> {
        match Attempt::start(ua, invite) {
            Some(attempt) => attempt.answered().await,
            None => Err(NoCall::Silence),
        }
    }

    pub fn dialog(&self) -> Option<Dialog> {
        self.ua.line(|line| line.calls.get(&self.id).cloned())
    }

    fn raise(&mut self, cseq: u32) {
        self.ua.line(|line| {
            if let Some(dialog) = line.calls.get_mut(&self.id) {
                dialog.cseq = dialog.cseq.max(cseq);
            }
        });
    }

    /// The next request of this call. A call that ended still writes one: some probes want exactly that.
    pub fn draft(&mut self, method: &str) -> Draft {
        let dialog = self.dialog().unwrap_or_else(|| Dialog {
            call_id: self.id.clone(),
            from: self.response.head.from.to_string(),
            to: self.response.head.to.to_string(),
            uri: self.ua.plan(|plan| plan.target.to_string()),
            route: Vec::new(),
            cseq: self.response.head.cseq.saturating_add(50),
            link: Link::Udp,
            address: self.ua.plan(|plan| plan.address),
        });
        let draft = self.ua.within_call(method, &dialog);
        self.raise(draft.cseq);
        draft
    }

    pub async fn ask(&mut self, draft: Draft) -> Reply {
        let reply = self.ua.prove(draft).await;
        self.raise(reply.asked.cseq);
        reply
    }

    /// A new offer (RFC 3261 §14); a 2xx is acknowledged and its answer is the call's from then on.
    pub async fn reinvite(&mut self, offer: Written, headers: &[(&str, &str)]) -> Reply {
        self.version = self.version.saturating_add(1);
        let body = offer.version(self.version).render();
        let mut draft = self.draft("INVITE").with("Contact", self.ua.contact(Link::Udp)).body("application/sdp", body);
        for (name, value) in headers {
            draft = draft.with(name, *value);
        }
        let mut reply = self.ua.ask(draft).await;
        if let Some(again) = self.ua.proof(&reply) {
            self.refused(&reply);
            reply = self.ua.ask(again).await;
            self.raise(reply.asked.cseq);
        }
        if reply.is_ok() {
            self.ack(reply.asked.cseq, None);
            self.sdp = reply.response().and_then(|response| Sdp::read(&response.body)).or(self.sdp.take());
        } else if reply.last.is_some() {
            self.refused(&reply);
        }
        reply
    }

    fn refused(&self, reply: &Reply) {
        let mut ack = reply.asked.clone();
        ack.method = "ACK".into();
        ack.body.clear();
        ack.headers.retain(|(name, _)| !matches!(name.as_str(), "Content-Type" | "CSeq"));
        self.ua.send(&ack.with("CSeq", format!("{} ACK", reply.asked.cseq)));
    }

    fn ack(&mut self, cseq: u32, answer: Option<String>) {
        let Some(dialog) = self.dialog() else { return };
        let mut draft = self.ua.within_call("ACK", &dialog).set("CSeq", format!("{cseq} ACK"));
        if let Some(answer) = answer {
            draft = draft.body("application/sdp", answer);
        }
        let acked = Acked {
            call_id: self.id.clone(),
            cseq,
            bytes: draft.render(),
            link: draft.link,
            to: draft.to,
            repeats: 0,
            last: None,
        };
        self.ua.send(&draft);
        self.ua.line(|line| line.acked.push(acked));
    }

    /// How often a 2xx came again after its ACK, and when last.
    pub fn repeats(&self) -> (u32, Option<Instant>) {
        self.ua.line(|line| {
            let ours = line.acked.iter().filter(|acked| acked.call_id == self.id);
            ours.fold((0, None), |(sum, last), acked| (acked.repeats.saturating_add(sum), acked.last.max(last)))
        })
    }

    pub async fn bye(&mut self) -> Reply {
        let bye = self.draft("BYE");
        let reply = self.ask(bye).await;
        self.ua.line(|line| {
            line.speaker = None;
            line.calls.remove(&self.id)
        });
        reply
    }

    pub fn ear(&self, socket: Socket) -> Ear {
        self.ua.line(|line| line.ears.get(&socket).cloned().unwrap_or_default())
    }

    /// Forgets what was heard so far.
    pub fn fresh_ears(&self) {
        self.ua.line(|line| line.ears.clear());
    }

    /// Where their description wants audio.
    pub fn target(&self) -> Option<SocketAddr> {
        self.sdp.as_ref().and_then(Sdp::target)
    }

    /// The payload type for our voice: the first G.711 they name.
    pub fn voice(&self) -> u8 {
        let audio = self.sdp.as_ref().and_then(Sdp::audio);
        let law = |payload: &u8| matches!(*payload, 0 | 8);
        audio.and_then(|audio| audio.formats.iter().map(|one| one.payload).find(law)).unwrap_or(PCMA)
    }

    pub fn event_payload(&self) -> Option<u8> {
        self.sdp.as_ref().and_then(Sdp::audio).and_then(|audio| audio.payload_of("telephone-event"))
    }

    pub fn speak(&self, socket: Socket, ssrc: u32) {
        let Some(to) = self.target() else { return };
        let voice = self.voice();
        self.ua.line(|line| line.speaker = Some(Speaker::new(line.now, socket, to, voice, ssrc)));
    }

    pub fn press(&self, key: char) -> bool {
        let Some(payload) = self.event_payload() else { return false };
        self.ua.line(|line| line.speaker.as_mut().map(|speaker| speaker.press(payload, key))).is_some()
    }

    /// Both talk for a while.
    pub async fn talk(&self, wait: Duration) {
        if self.ua.line(|line| line.speaker.is_none()) {
            self.speak(Socket::Rtp, 0x1ab0_0001);
        }
        self.ua.listen(wait).await;
    }

    fn listen_for_keys(&self) {
        // We offered 101 and hear what comes under that number; their offer's number holds for both.
        let events: BTreeSet<u8> = self.event_payload().into_iter().chain([crate::sdp::TELEPHONE_EVENT]).collect();
        self.ua.line(|line| line.events = events);
    }
}
