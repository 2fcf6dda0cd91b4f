//! Everything that may leave a box, as a list for people: a works council, an auditor, an administrator. A test holds
//! the table against what the types really write.

/// One field of one kind of item.
pub struct Word {
    pub item: &'static str,
    pub field: &'static str,
    pub is: &'static str,
}

const fn word(item: &'static str, field: &'static str, is: &'static str) -> Word {
    Word { item, field, is }
}

/// The items that a box sends of its own accord.
pub const WORDS: &[Word] = &[
    word("interval", "item", "the word \"interval\""),
    word("interval", "queue", "a queue's id, or nothing for the site's cell of small queues"),
    word("interval", "start", "start of the interval, ms since 1970, a multiple of its length"),
    word("interval", "length_s", "60 to 86400"),
    word("interval", "revision", "a count"),
    word("interval", "figures.offered", "contacts queued, at least k, at most 1000000"),
    word("interval", "figures.answered", "a count, at most offered"),
    word("interval", "figures.abandoned", "a count, at most offered"),
    word("interval", "figures.answered_in_t", "a count, at most answered"),
    word("interval", "figures.abandoned_in_t", "a count, at most abandoned"),
    word("interval", "figures.overflowed", "a count, at most offered"),
    word("interval", "figures.recorded", "a count, at most offered"),
    word("interval", "figures.wait_s", "a sum of whole seconds"),
    word("interval", "figures.talk_s", "a sum of whole seconds"),
    word("interval", "figures.hold_s", "a sum of whole seconds"),
    word("interval", "figures.wrap_up_s", "a sum of whole seconds"),
    word("health", "item", "the word \"health\""),
    word("health", "at", "ms since 1970"),
    word("health", "processes_up", "0 to 16"),
    word("health", "restarts", "a count"),
    word("health", "disk_free_percent", "0 to 100"),
    word("health", "phones_registered", "a count, at most 10000"),
    word("health", "trunks_up", "a count, at most trunks"),
    word("health", "trunks", "a count, at most 1000"),
    word("health", "intervals_closed", "a count"),
    word("health", "slot", "0 or 1"),
    word("health", "version", "three numbers"),
    word(
        "health",
        "alone",
        "for how many days, 0 to 3650, it can run cut off: by its disk, a certificate, names of trunks",
    ),
    word("running", "item", "the word \"running\": which configuration the box runs"),
    word("running", "at", "ms since 1970"),
    word("running", "heads", "a number that both ends compute from the configuration documents"),
    word("running", "taken", "whether it runs, or was refused for a fatal finding"),
    word("running", "calls", "one of three words: few, as_before, worse; from at least k callers, and no count"),
    word("closed", "item", "the word \"closed\": all that is to be said of some intervals has left before this"),
    word("closed", "from", "start of the first of them, ms since 1970, a multiple of their length"),
    word("closed", "until", "end of the last of them, likewise"),
    word("closed", "length_s", "60 to 86400"),
    word("closed", "at", "when the box closed the last of them, ms since 1970"),
    word(
        "closed",
        "queues",
        "the ids of the queues that there were; nothing tells one without callers from one with few",
    ),
    word("drill", "item", "the word \"drill\": what came of an outage drill"),
    word("drill", "drill.at", "when the centre or the branch had ordered it to begin, ms since 1970"),
    word("drill", "drill.minutes", "1 to 480"),
    word("drill", "began", "ms since 1970"),
    word("drill", "ended", "ms since 1970, not before it began"),
    word("drill", "lasted_ms", "how long the link was cut, ms"),
    word("drill", "why", "one of eleven words: why it ended, or why it did not run"),
    word("drill", "joined", "when the link was back, ms since 1970, or nothing"),
    word("drill", "delivered", "when all that had waited was delivered, ms since 1970, or nothing"),
    word("drill", "rows", "how many rows had waited, a count"),
    word("drill", "during", "nothing: what calls there were stays at the branch"),
    word("drill", "before", "nothing, likewise"),
    word("drill", "alone", "as in \"health\""),
    word(
        "drill",
        "marks",
        "for each of fourteen functions one of six words: kept, less, broken, unasked, withheld, unread; of calls from k callers on",
    ),
    word("drill", "told.offered", "the sum of what the intervals that it touches have told"),
    word("drill", "told.answered", "likewise"),
    word("drill", "told.abandoned", "likewise"),
    word("drill", "told.answered_in_t", "likewise"),
    word("drill", "told.abandoned_in_t", "likewise"),
    word("drill", "told.overflowed", "likewise"),
    word("drill", "told.recorded", "likewise"),
    word("drill", "told.wait_s", "likewise"),
    word("drill", "told.talk_s", "likewise"),
    word("drill", "told.hold_s", "likewise"),
    word("drill", "told.wrap_up_s", "likewise"),
    word("notice", "item", "the word \"notice\""),
    word("notice", "notice", "32 hexadecimal digits, to know it again"),
    word("notice", "at", "ms since 1970"),
    word(
        "notice",
        "what",
        "one of sixteen words: an emergency call, a cap, a nightly test, a trunk or device that fails",
    ),
    word("notice", "place", "a place's id, or nothing; never who called or whom"),
    word("notice", "trunk", "the id of the trunk that it is about, or nothing"),
];

/// The classes whose bytes another machine makes; the egress ledger keeps their size and hash.
pub const CARRIED: &[(&str, &str)] = &[
    ("configuration", "sync messages of the configuration documents; no secrets and no names of people are in them"),
    ("overflow signal", "signals of a call whose queue's label lets it leave"),
    ("overflow media", "that call's media, sealed box to box, noted once per call"),
    ("handshake", "hello, versions, certificate requests"),
    ("checkpoint", "hashes over this box's list of what left, signed, so that the cloud can witness them"),
];

/// The whole list, one line each.
pub fn vocabulary() -> String {
    let mut text = String::from("Everything that may leave this box:\n");
    for word in WORDS {
        text.push_str(&format!("  {:<9} {:<24} {}\n", word.item, word.field, word.is));
    }
    text.push_str("Carried, and noted by size and hash:\n");
    for (class, what) in CARRIED {
        text.push_str(&format!("  {class:<16} {what}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ciborium::Value;
    use model::{
        Millis, NoticeId, QueueId, drill,
        leaving::{Closed, Fare, Figures, Health, Interval, Leaving, Notice, Running, What},
    };

    use super::*;
    use crate::class::Class;

    fn samples() -> Vec<(&'static str, Leaving)> {
        let interval = Interval {
            queue: Some(QueueId::new("sales").unwrap()),
            start: Millis(0),
            length_s: 900,
            revision: 0,
            figures: Figures::default(),
        };
        let health = Health {
            at: Millis(0),
            processes_up: 3,
            restarts: 0,
            disk_free_percent: 50,
            phones_registered: 1,
            trunks_up: 1,
            trunks: 1,
            intervals_closed: 1,
            slot: 0,
            version: [1, 2, 3],
            alone: Vec::new(),
        };
        // A new kind of item does not compile here until it has a sample and its words.
        let place = model::PlaceId::new("annex").ok();
        let trunk = model::TrunkId::new("carrier").ok();
        let notice = Notice { notice: NoticeId(1), at: Millis(0), what: What::EmergencyCalled, place, trunk };
        let closed =
            Closed { from: Millis(0), until: Millis(900_000), length_s: 900, at: Millis(900_000), queues: vec![] };
        let running = Running { at: Millis(0), heads: 1, taken: true, calls: Fare::Few };
        let report = drill::Report {
            drill: drill::Drill { at: Millis(0), minutes: 1 },
            began: Millis(0),
            ended: Millis(1),
            lasted_ms: 1,
            why: drill::Why::Deadline,
            joined: None,
            delivered: None,
            rows: 0,
            during: None,
            before: None,
            alone: Vec::new(),
            marks: Vec::new(),
            told: Figures::default(),
        };
        let all = vec![
            Leaving::Drill(Box::new(report)),
            Leaving::Running(running),
            Leaving::Interval(interval),
            Leaving::Health(health),
            Leaving::Notice(notice),
            Leaving::Closed(closed),
        ];
        all.into_iter()
            .map(|item| match item {
                Leaving::Interval(_) => ("interval", item),
                Leaving::Health(_) => ("health", item),
                Leaving::Notice(_) => ("notice", item),
                Leaving::Closed(_) => ("closed", item),
                Leaving::Running(_) => ("running", item),
                Leaving::Drill(_) => ("drill", item),
            })
            .collect()
    }

    fn written(prefix: &str, value: &Value, into: &mut BTreeSet<String>) {
        for (key, value) in value.as_map().unwrap() {
            let name = format!("{prefix}{}", key.as_text().unwrap());
            match value {
                Value::Map(_) => written(&format!("{name}."), value, into),
                _ => drop(into.insert(name)),
            }
        }
    }

    #[test]
    fn the_list_names_exactly_the_fields_that_are_written() {
        for (item, sample) in samples() {
            let mut bytes = Vec::new();
            ciborium::into_writer(&sample, &mut bytes).unwrap();
            let mut fields = BTreeSet::new();
            written("", &ciborium::from_reader(bytes.as_slice()).unwrap(), &mut fields);
            let listed: BTreeSet<String> =
                WORDS.iter().filter(|word| word.item == item).map(|word| word.field.to_owned()).collect();
            assert_eq!(fields, listed, "{item}");
        }
    }

    #[test]
    fn every_class_is_in_the_printed_list() {
        let text = vocabulary();
        for class in Class::ALL {
            let name = if class == Class::Metric { "interval" } else { class.name() };
            assert!(text.contains(name), "{name}");
        }
    }
}
