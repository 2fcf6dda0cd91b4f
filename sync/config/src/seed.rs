//! A whole configuration as the changes that write it: how a site begins from a file.

use std::collections::BTreeMap;

use model::{FlowId, change::Change, config::Config, flow::Flow, recording::Directions};

/// Changes for the site's document, in an order in which each finds what it points at. The site's id is not among
/// them: it is the documents' own.
pub fn changes_from(config: &Config) -> Vec<Change> {
    let site = &config.site;
    let mut changes = vec![
        Change::SiteLabel { label: site.label.clone() },
        Change::SiteTimeZone { time_zone: site.time_zone.clone() },
        Change::SiteEmergency { numbers: site.emergency.clone() },
    ];
    let hours = config.hours.iter();
    changes.extend(hours.map(|(id, value)| Change::HoursAdd { hours: id.clone(), value: value.clone() }));
    let trunks = config.trunks.iter();
    changes.extend(trunks.map(|(id, value)| Change::TrunkPut { trunk: id.clone(), value: value.clone() }));
    let places = config.places.iter();
    changes.extend(places.map(|(id, value)| Change::PlacePut { place: id.clone(), value: Box::new(value.clone()) }));
    let pauses = site.pauses.iter();
    changes.extend(pauses.map(|(id, label)| Change::PausePut { pause: id.clone(), label: label.clone() }));
    let dispositions = site.dispositions.iter();
    changes.extend(
        dispositions.map(|(id, label)| Change::DispositionPut { disposition: id.clone(), label: label.clone() }),
    );
    changes.extend(site.closed.then_some(Change::SiteClosed { closed: true }));
    let recording = site.recording;
    changes.extend((recording != Directions::default()).then_some(Change::SiteRecording { recording }));
    changes.push(Change::SiteDialling { dialling: Box::new(site.dialling.clone()) });
    let phones = config.phones.iter();
    changes.extend(phones.map(|(id, value)| Change::PhoneAdd { phone: id.clone(), value: value.clone() }));
    let queues = config.queues.iter();
    changes.extend(queues.map(|(id, value)| Change::QueueAdd { queue: id.clone(), value: Box::new(value.clone()) }));
    let agents = config.agents.iter();
    changes.extend(agents.map(|(id, value)| Change::AgentAdd { agent: id.clone(), value: value.clone() }));
    changes.extend(flows_from(config));
    let numbers = config.numbers.iter();
    changes.extend(numbers.map(|(id, flow)| Change::NumberPut { number: id.clone(), flow: flow.clone() }));
    changes.push(Change::SiteOutward { trunk: site.outward.clone() });
    changes
}

/// Sub-flows before those that call them. Flows in a circle come last, in the order of their names, and will be refused.
fn flows_from(config: &Config) -> Vec<Change> {
    let mut left: BTreeMap<&FlowId, &Flow> = config.flows.iter().collect();
    let mut changes = Vec::new();
    while !left.is_empty() {
        let ready =
            |(_, flow): &(&&FlowId, &&Flow)| flow::refers(flow).into_iter().all(|other| !left.contains_key(other));
        let Some(id) = left.iter().find(ready).or_else(|| left.iter().next()).map(|(id, _)| *id) else { break };
        if let Some(value) = left.remove(id) {
            changes.push(Change::FlowPut { flow: id.clone(), value: value.clone() });
        }
    }
    changes
}
