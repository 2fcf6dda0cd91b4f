//! RFC 3261 §12: what makes a dialog with one peer, and the requests built from it.

use super::SDP;
use crate::body::{self, Recording};
use crate::context::{Context, Parties, SUPPORTED_RECORDING};
use crate::endpoint::Flow;
use crate::message::{self, Address, Contacts, Head, Method, Request, Response, SIPREC, Value};
use crate::uri::Uri;

/// An end of a recording session (RFC 7866 §6.1, §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// We send what is recorded.
    Client,
    /// We record.
    Server,
}

impl End {
    /// RFC 7866 §11.2: what our Contact says of us.
    fn feature(self) -> &'static str {
        match self {
            End::Client => "+sip.src",
            End::Server => "+sip.srs",
        }
    }

    /// Says in a head that has our Contact which end we are.
    pub fn mark(self, head: &mut Head) {
        if let Contacts::List(list) = &mut head.contacts {
            list.iter_mut().for_each(|contact| contact.params.set(self.feature(), None));
        }
        head.set("Supported", SUPPORTED_RECORDING);
    }
}

#[derive(Debug, Clone)]
pub struct Peer {
    pub call_id: Value,
    /// With our tag.
    pub(super) local: Address,
    /// With theirs.
    pub(super) remote: Address,
    pub(super) target: Uri,
    pub(super) routes: Vec<Address>,
    pub(super) cseq: u32,
    pub(super) remote_cseq: Option<u32>,
    /// Their Allow names UPDATE.
    pub takes_update: bool,
    /// Which end of a recording session we are; None: it is a call.
    pub records: Option<End>,
    /// Requests go back the way the peer came: through NAT there is no other, and a trunk has one signalling address.
    pub flow: Flow,
}

impl Peer {
    /// §12.1.1: from an INVITE received; None when its Contact is missing or not `sip:`. A caller of RFC 2543, known by
    /// a From without tag, needs none: it is where its From says (RFC 4475 §3.4.1).
    pub fn of_invite(invite: &Request, local_tag: &str, flow: Flow) -> Option<Self> {
        let head = &invite.head;
        let mut local = head.to.clone();
        local.set_tag(local_tag);
        let old = head.from.tag().is_none() && head.contacts == Contacts::None;
        let target = if old { &head.from } else { head.contacts.first()? };
        Some(Self {
            call_id: head.call_id.clone(),
            local,
            remote: head.from.clone(),
            target: target.uri.as_sip().map(|uri| Uri::Sip(uri.clone()))?,
            routes: head.record_route.clone(),
            cseq: 0,
            remote_cseq: Some(head.cseq),
            takes_update: takes_update(head),
            records: message::is_recording(head).then_some(End::Server),
            flow,
        })
    }

    /// §12.1.2: from our INVITE and a response to it. A response without Contact leaves the target where it was.
    pub fn of_response(invite: &Request, response: &Response, flow: Flow) -> Self {
        let head = &response.head;
        let contact = head.contacts.first().filter(|contact| contact.uri.as_sip().is_some());
        Self {
            call_id: invite.head.call_id.clone(),
            local: invite.head.from.clone(),
            remote: head.to.clone(),
            target: contact.map_or_else(|| invite.uri.clone(), |contact| contact.uri.clone()),
            routes: head.record_route.iter().rev().cloned().collect(),
            cseq: invite.head.cseq,
            remote_cseq: None,
            takes_update: takes_update(head),
            records: message::is_recording(&invite.head).then_some(End::Client),
            flow,
        }
    }

    /// From the answer alone to an INVITE that is not known any more; None without a Contact.
    pub fn of_stray(response: &Response, flow: Flow) -> Option<Self> {
        let head = &response.head;
        let contact = head.contacts.first()?;
        Some(Self {
            call_id: head.call_id.clone(),
            local: head.from.clone(),
            remote: head.to.clone(),
            target: contact.uri.as_sip().map(|uri| Uri::Sip(uri.clone()))?,
            routes: head.record_route.iter().rev().cloned().collect(),
            cseq: head.cseq,
            remote_cseq: None,
            takes_update: false,
            records: None,
            flow,
        })
    }

    /// RFC 3261 §13.2.2.4: a 2xx makes an early dialog a whole one, with the route set of its own.
    pub fn confirmed(&mut self, response: &Response) {
        self.routes = response.head.record_route.iter().rev().cloned().collect();
        self.refresh(&response.head);
    }

    pub fn local_tag(&self) -> &str {
        self.local.tag().unwrap_or_default()
    }

    pub fn remote_tag(&self) -> Option<&str> {
        self.remote.tag()
    }

    /// §12.2.2: a request whose number is not above the last is out of order.
    pub fn takes(&mut self, cseq: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| cseq > last);
        if in_order {
            self.remote_cseq = Some(cseq);
        }
        in_order
    }

    /// §12.2: re-INVITE and UPDATE move the target, whichever side sent them.
    pub fn refresh(&mut self, head: &Head) {
        if let Some(contact) = head.contacts.first().filter(|contact| contact.uri.as_sip().is_some()) {
            self.target = contact.uri.clone();
        }
        if head.field("Allow").is_some() {
            self.takes_update = takes_update(head);
        }
    }

    /// §12.2.1.1.
    pub fn request(&mut self, cx: &mut Context<'_>, method: Method) -> Request {
        self.cseq = self.cseq.saturating_add(1);
        self.build(cx, method, self.cseq)
    }

    /// §13.2.2.4: the ACK of a 2xx has the INVITE's number and a branch of its own.
    pub fn ack(&self, cx: &mut Context<'_>, cseq: u32) -> Request {
        self.build(cx, Method::Ack, cseq)
    }

    /// What a message of ours tells of us.
    pub fn introduce(&self, cx: &Context<'_>, head: &mut Head) {
        cx.introduce(head, self.flow);
        if let Some(end) = self.records {
            end.mark(head);
        }
    }

    /// What a request of theirs carries; Err is the status to refuse with.
    pub fn carried(&self, request: &Request) -> Result<Recording, u16> {
        if self.records.is_some() {
            return body::recording(&request.head, &request.body).map_err(body::Error::status);
        }
        if !request.body.is_empty() && message::media_type(&request.head) != SDP {
            return Err(415);
        }
        Ok(Recording { sdp: message::sdp(&request.head, &request.body), metadata: None })
    }

    fn build(&self, cx: &mut Context<'_>, method: Method, cseq: u32) -> Request {
        let mut routes = self.routes.clone();
        let mut uri = self.target.clone();
        if routes.first().is_some_and(|first| first.uri.param("lr").is_none()) {
            // §12.2.1.1: a strict router gets itself as Request-URI and the target as the last Route.
            let first = routes.remove(0);
            routes.push(Address::new(std::mem::replace(&mut uri, first.uri)));
        }
        let (from, to) = (self.local.clone(), self.remote.clone());
        let parties = Parties { uri, from, to, call_id: self.call_id.clone(), cseq };
        let mut request = cx.request(method, self.flow, parties);
        request.head.route = routes;
        if matches!(method, Method::Invite | Method::Update | Method::Notify) {
            self.introduce(cx, &mut request.head);
        }
        if self.records == Some(End::Client) && method == Method::Invite {
            request.head.set("Require", SIPREC);
        }
        request
    }
}

fn takes_update(head: &Head) -> bool {
    head.list("Allow").contains(&"UPDATE")
}
