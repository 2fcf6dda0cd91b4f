//! The endpoint itself: one message, command or timer in, messages and events out.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::{Binding, Config, DialogId, Event, Input, Invite, Output};

pub struct Endpoint {
    config: Config,
    out: VecDeque<Output>,
    dialog_last: u64,
}

impl Endpoint {
    pub fn new(config: Config, _seed: [u8; 32]) -> Self {
        Self { config, out: VecDeque::new(), dialog_last: 0 }
    }

    pub fn handle_input(&mut self, _now: Instant, input: Input) {
        if let Input::Configure(config) = input {
            self.config = *config;
        }
    }

    pub fn handle_timeout(&mut self, _now: Instant) {}

    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Calls; the outcome comes as events of the returned dialog, never sooner than the next `poll_output`.
    pub fn invite(&mut self, _now: Instant, _invite: Invite) -> DialogId {
        self.dialog_last += 1;
        let dialog = DialogId(self.dialog_last);
        self.out.push_back(Output::Event(Event::Failed { dialog, status: 503 }));
        dialog
    }

    /// 101–199 to their INVITE, with SDP for early media.
    pub fn provisional(&mut self, _now: Instant, _dialog: DialogId, _status: u16, _sdp: Option<Bytes>) {}

    /// 2xx to the pending INVITE, re-INVITE or UPDATE; our offer when the INVITE had none.
    pub fn accept(&mut self, _now: Instant, _dialog: DialogId, _sdp: Bytes) {}

    /// 3xx–6xx to the pending INVITE, re-INVITE or UPDATE.
    pub fn reject(&mut self, _now: Instant, _dialog: DialogId, _status: u16) {}

    /// Our re-INVITE; answered by `Event::Reanswered`.
    pub fn reinvite(&mut self, _now: Instant, _dialog: DialogId, _sdp: Bytes) {}

    /// 202 to their REFER, and a first NOTIFY.
    pub fn refer_accept(&mut self, _now: Instant, _dialog: DialogId) {}

    /// 603 to their REFER.
    pub fn refer_reject(&mut self, _now: Instant, _dialog: DialogId) {}

    /// The last NOTIFY of an accepted REFER: how the transfer ended.
    pub fn refer_outcome(&mut self, _now: Instant, _dialog: DialogId, _status: u16) {}

    /// CANCEL, BYE or a final refusal, whichever fits. Idempotent.
    pub fn end(&mut self, _now: Instant, _dialog: DialogId) {}

    pub fn bindings(&self, _user: &str) -> &[Binding] {
        &[]
    }

    pub fn trunk_up(&self, name: &str) -> bool {
        self.config.trunks.get(name).is_some_and(|trunk| trunk.registration.is_none())
    }
}
