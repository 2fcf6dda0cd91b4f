//! What the box does for its phones beside calls: messages between them, and subscriptions. Who speaks was proved before
//! a request comes here.

use std::time::Instant;

use super::admission::same_way;
use super::engine::{Endpoint, context};
use super::{Flow, Summary};
use crate::context::{Context, is_us};
use crate::message::Request;
use crate::subscription::Place;

impl Endpoint {
    /// What a phone's mailbox holds; it hears so when it has subscribed to `message-summary`.
    pub fn set_mailbox(&mut self, now: Instant, user: &str, summary: Summary) {
        self.subscriptions.set_summary(context!(self, now), user, summary);
        self.settle(now);
    }

    pub(super) fn page(&mut self, now: Instant, request: Request, flow: Flow, sender: &str) {
        let to_us = request.uri.host().is_some_and(|host| is_us(&self.config, host, flow));
        let Some(to) = request.uri.user().filter(|_| to_us) else {
            return self.answer_status(now, &request, flow, 404);
        };
        let Some(tx) = self.open(&request, flow) else { return self.overloaded(&request, flow) };
        let bindings = self.registrar.bindings(&to);
        self.pages.send(context!(self, now), tx, request, sender, (&to, bindings));
    }

    pub(super) fn subscribe(&mut self, now: Instant, request: Request, flow: Flow, subscriber: &str) {
        let Some(tx) = self.open(&request, flow) else { return self.overloaded(&request, flow) };
        self.subscriptions.subscribe(context!(self, now), &self.dialogs, tx, (request, flow), subscriber);
    }

    pub(super) fn resubscribe(&mut self, now: Instant, request: Request, flow: Flow, place: Place) {
        if !same_way(place.flow, flow) {
            match self.prove(now, &request, flow) {
                Some(proved) if proved == place.subscriber => {}
                Some(_) => return self.deny(&request, flow, 403, "foreign"),
                None => return,
            }
        }
        let Some(tx) = self.open(&request, flow) else { return self.overloaded(&request, flow) };
        self.subscriptions.resubscribe(context!(self, now), place.subscription, tx, &request, flow);
    }
}
