//! What the box does for its phones beside calls: messages between them, and subscriptions. Who speaks was proved before
//! a request comes here.

use std::time::Instant;

use super::admission::same_way;
use super::engine::{Endpoint, context};
use super::{Flow, Summary};
use crate::context::{Context, Parties, domain, is_us};
use crate::message::{Address, Method, Request, Value};
use crate::subscription::Place;
use crate::uri::Uri;

impl Endpoint {
    /// What a phone's mailbox holds; it hears so when it has subscribed to `message-summary`.
    pub fn set_mailbox(&mut self, now: Instant, user: &str, summary: Summary) {
        self.subscriptions.set_summary(context!(self, now), user, summary);
        self.settle(now);
    }

    /// A NOTIFY of `check-sync` to every contact of a phone. It belongs to no subscription: phones of all makes take it
    /// so from the server they are registered at. `reboot=false` is Snom's and Grandstream's word for settings alone.
    pub(super) fn resync(&mut self, now: Instant, user: &str) {
        let contacts = self.registrar.bindings(user);
        let contacts: Vec<_> =
            contacts.iter().filter_map(|one| Some((one.flow, Uri::parse(&one.contact).ok()?))).collect();
        let cx = context!(self, now);
        let home = Uri::sip(Some(user), domain(cx.config), None);
        for (flow, uri) in contacts {
            let mut from = Address::new(home.clone());
            from.set_tag(&cx.ids.tag());
            let call_id = Value::cleaned(&cx.ids.call_id());
            let parties = Parties { uri, from, to: Address::new(home.clone()), call_id, cseq: 1 };
            let mut notify = cx.request(Method::Notify, flow, parties);
            notify.head.set("Event", "check-sync;reboot=false");
            notify.head.set("Subscription-State", "terminated;reason=noresource");
            // Who does not answer, or refuses, fetches at its next start.
            let _ = cx.tx.request(now, flow, notify);
        }
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
