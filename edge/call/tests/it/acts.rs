//! What happens to a box under test: what its peers do, what media says of its own accord, and what its owner asks.

use bytes::Bytes;
use call::Secrets;
use call::leg::{Caller, Dial, Event, Input, Party};
use media::plane;
use model::{Extension, LegId};
use sip::endpoint;

use crate::bench::{Bench, CARRIER};
use crate::setup::{carrier, offer};

impl Bench {
    // What peers do.

    /// A peer calls; returns the incoming leg, if there was one.
    pub fn call(&mut self, from: usize, to: &str, sdp: Option<&str>) -> Option<LegId> {
        let peer = &mut self.peers[from];
        let from_user = if from == CARRIER { "13800000000" } else { ["", "201", "202"][from] };
        let invite = endpoint::Invite {
            to: endpoint::Target::Trunk { trunk: "box".into(), user: to.into() },
            from_user: from_user.into(),
            from_name: None,
            sdp: Bytes::from(sdp.map_or_else(|| offer(from), str::to_owned)),
            sdp_to_browsers: None,
            emergency: None,
            patience: None,
            shown: Default::default(),
            recording: None,
        };
        peer.dialog = Some(peer.endpoint.invite(self.now, invite));
        let before = self.events.len();
        self.run();
        self.events[before..].iter().find_map(|event| match event {
            Event::Incoming { leg, .. } => Some(*leg),
            _ => None,
        })
    }

    pub fn peer_rings(&mut self, peer: usize, sdp: Option<String>) {
        let dialog = self.peers[peer].dialog.unwrap();
        let status = if sdp.is_some() { 183 } else { 180 };
        self.peers[peer].endpoint.provisional(self.now, dialog, status, sdp.map(Bytes::from));
        self.run();
    }

    pub fn peer_answers(&mut self, peer: usize) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.accept(self.now, dialog, Bytes::from(offer(peer)));
        self.run();
    }

    pub fn peer_answers_with(&mut self, peer: usize, sdp: &str) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.accept(self.now, dialog, Bytes::from(sdp.to_owned()));
        self.run();
    }

    /// Answers our re-INVITE.
    pub fn peer_answers_reoffer(&mut self, peer: usize, direction: &str) {
        let answer = offer(peer).replace("sendrecv", direction);
        self.peer_answers_with(peer, &answer);
    }

    pub fn peer_rejects(&mut self, peer: usize, status: u16) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.reject(self.now, dialog, status);
        self.run();
    }

    pub fn peer_reinvites(&mut self, peer: usize, sdp: &str) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.reinvite(self.now, dialog, Bytes::from(sdp.to_owned()));
        self.run();
    }

    /// BYE or CANCEL.
    pub fn peer_ends(&mut self, peer: usize) {
        if let Some(dialog) = self.peers[peer].dialog {
            self.peers[peer].endpoint.end(self.now, dialog);
        }
        self.run();
    }

    /// The SDP of the last answer or offer that a peer got.
    pub fn peer_sdp(&self, peer: usize) -> String {
        let sdp = self.peers[peer].events.iter().rev().find_map(|event| match event {
            endpoint::Event::Answered { sdp, .. } => Some(sdp.clone()),
            endpoint::Event::Reoffer { sdp, .. } | endpoint::Event::Reanswered { sdp, .. } => sdp.clone(),
            endpoint::Event::Progress { sdp, .. } => sdp.clone(),
            endpoint::Event::Invited { invited, .. } => invited.sdp.clone(),
            _ => None,
        });
        String::from_utf8(sdp.expect("some SDP").to_vec()).unwrap()
    }

    // What media says of its own accord.

    pub fn media_digit(&mut self, leg: LegId, digit: char) {
        let port = self.port_of(leg);
        self.to_media.push_back(plane::Event::Digit { port, digit });
        self.run();
    }

    pub fn media_silent(&mut self, leg: LegId, silent: bool) {
        let port = self.port_of(leg);
        self.to_media.push_back(plane::Event::Silent { port, silent });
        self.run();
    }

    pub fn media_prompt_fails(&mut self, leg: LegId) {
        self.run();
        let port = self.port_of(leg);
        self.to_media.push_back(plane::Event::Failed { port, why: plane::Failure::Prompt });
        self.run();
    }

    /// The bench names legs A, B and ports p1, p2 in the same order.
    fn port_of(&mut self, leg: LegId) -> plane::PortId {
        let index = usize::try_from(u32::from(self.name(leg)) - u32::from('A')).unwrap();
        *self.media.open.keys().nth(index).unwrap()
    }

    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    // What the owner does, with the bench's clock.

    pub fn dial_phone(&mut self, extension: &str, ringback_to: Option<LegId>) -> LegId {
        self.dial(Party::Phone(Extension::new(extension).unwrap()), ringback_to)
    }

    pub fn dial_out(&mut self, user: &str, ringback_to: Option<LegId>) -> LegId {
        self.dial(Party::Trunk { trunk: carrier(), user: user.into() }, ringback_to)
    }

    fn dial(&mut self, party: Party, ringback_to: Option<LegId>) -> LegId {
        let caller = Caller { number: "4001".into(), name: None };
        let leg = self.calls.dial(
            self.now,
            Dial { party, caller, ringback_to, meets: ringback_to, on_behalf_of: None, forwarded: None },
        );
        self.begun.insert(leg);
        self.run();
        leg
    }

    /// What the box runs on, to be changed.
    pub fn configured(&self) -> (model::config::Config, Secrets) {
        (self.site.clone(), self.secrets.clone())
    }

    pub fn media_restarts(&mut self) {
        self.media.die();
        self.to_media.clear();
        self.calls.handle_input(self.now, Input::MediaRestarted);
        self.run();
    }
}
