//! RFC 5626 §5.3, §6: a device that registered by several flows is rung by one of them, the latest; should that flow
//! fail, by the next. RFC 3263 §4.3: the same for a trunk that can be reached at several addresses.

use std::collections::BTreeMap;

use super::outgoing::{Branch, Draft, Stage};
use crate::context::Context;
use crate::endpoint::{Binding, Flow};
use crate::message::Contacts;
use crate::uri::Uri;

/// The flows of each device or trunk that has more than one, the best last.
#[derive(Debug, Default)]
pub struct Flows(Vec<Vec<(Flow, Uri)>>);

/// What to ring: of every device one flow; and the flows kept in hand.
pub fn choose(bindings: &[Binding]) -> (Vec<Binding>, Flows) {
    let mut chosen: Vec<Binding> = Vec::new();
    let mut devices: BTreeMap<&str, Vec<(Flow, Uri)>> = BTreeMap::new();
    for binding in bindings {
        let Some(outbound) = &binding.outbound else {
            chosen.push(binding.clone());
            continue;
        };
        chosen.retain(|other| other.outbound.as_ref().is_none_or(|other| other.instance != outbound.instance));
        chosen.push(binding.clone());
        if let Ok(uri) = Uri::parse(&binding.contact) {
            devices.entry(&outbound.instance).or_default().push((binding.flow, uri));
        }
    }
    let several = devices.into_values().filter(|flows| flows.len() > 1);
    (chosen, Flows(several.collect()))
}

impl Flows {
    /// The best first.
    pub fn of_trunk(ways: impl DoubleEndedIterator<Item = (Flow, Uri)>) -> Self {
        let ways: Vec<(Flow, Uri)> = ways.rev().collect();
        Self(if ways.len() > 1 { vec![ways] } else { Vec::new() })
    }

    /// The INVITE of a branch whose flow failed, by another flow of the same device. 430 is a proxy's word for it,
    /// 408 and 503 are silence and a broken connection.
    pub fn next(&mut self, cx: &mut Context<'_>, branch: &Branch, status: u16) -> Option<Draft> {
        // Who said 100 has not said no yet; who rang, has been reached.
        let fits = match branch.stage {
            Stage::Silent => matches!(status, 408 | 430 | 503),
            Stage::Proceeding => status == 503,
            Stage::Ringing => false,
        };
        if !fits {
            return None;
        }
        let tried = |(flow, uri): &(Flow, Uri)| *flow == branch.flow && *uri == branch.request.uri;
        let flows = self.0.iter_mut().find(|flows| flows.iter().any(tried))?;
        flows.retain(|flow| !tried(flow));
        let (flow, uri) = flows.last().cloned()?;
        let mut request = branch.request.clone();
        let id = cx.ids.branch();
        request.head.via = vec![cx.via(flow, &id)];
        request.head.contacts = Contacts::List(vec![cx.contact(flow, None)]);
        request.uri = uri;
        Some(Draft { flow, request })
    }
}
