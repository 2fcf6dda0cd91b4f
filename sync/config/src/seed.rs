//! A whole configuration as the changes that write it: how a site begins from a file.

use model::{change::Change, config::Config};

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
    changes.push(Change::SiteDialling { dialling: Box::new(site.dialling.clone()) });
    let phones = config.phones.iter();
    changes.extend(phones.map(|(id, value)| Change::PhoneAdd { phone: id.clone(), value: value.clone() }));
    let queues = config.queues.iter();
    changes.extend(queues.map(|(id, value)| Change::QueueAdd { queue: id.clone(), value: Box::new(value.clone()) }));
    let agents = config.agents.iter();
    changes.extend(agents.map(|(id, value)| Change::AgentAdd { agent: id.clone(), value: value.clone() }));
    let flows = config.flows.iter();
    changes.extend(flows.map(|(id, value)| Change::FlowPut { flow: id.clone(), value: value.clone() }));
    let numbers = config.numbers.iter();
    changes.extend(numbers.map(|(id, flow)| Change::NumberPut { number: id.clone(), flow: flow.clone() }));
    changes.push(Change::SiteOutward { trunk: site.outward.clone() });
    changes
}
