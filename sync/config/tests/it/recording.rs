//! How calls are recorded: planned by the centre, within bounds, and what a document says beyond them.

use config::{Author, Error, changes_from, effective};
use model::{
    cdr::Direction,
    change::{Change, Doc},
    recording::{Consent, Directions, PAUSE_S_MAX, Recording},
};

use crate::support::{AT, id, seeded, site};

const ASKS: Recording = Recording { consent: Consent::WhenGiven, pause_s: 60 };

#[test]
fn a_queue_goes_by_its_own_rule_and_other_calls_by_their_direction() {
    let mut documents = seeded(1);
    let stands = effective(&documents).config;
    assert_eq!(stands.recording_of(Some(&id("sales")), Direction::Outbound), Some(Recording::default()));
    assert_eq!(stands.recording_of(None, Direction::Outbound), None);

    site(&mut documents, Change::QueueRecording { queue: id("sales"), recording: ASKS });
    let outward = Some(Recording { consent: Consent::UnlessRefused, pause_s: 0 });
    site(&mut documents, Change::SiteRecording { recording: Directions { outward, ..Directions::default() } });
    let config = effective(&documents).config;
    assert_eq!(config.recording_of(Some(&id("sales")), Direction::Outbound), Some(ASKS));
    let never_against = Recording { consent: Consent::UnlessRefused, pause_s: 0 };
    assert_eq!(config.recording_of(Some(&id("gone")), Direction::Inbound), Some(never_against));
    assert_eq!(config.recording_of(None, Direction::Outbound), outward);
    assert_eq!(config.recording_of(None, Direction::Inbound), None);
    assert_eq!(config.recording_of(None, Direction::Internal), None);
    site(&mut documents, Change::QueueRecorded { queue: id("sales"), recorded: false });
    assert_eq!(effective(&documents).config.recording_of(Some(&id("sales")), Direction::Inbound), None);

    let mut again = seeded(2);
    for change in changes_from(&config) {
        again.edit(Doc::Site, &change, Author::Centre, AT).unwrap();
    }
    assert_eq!(effective(&again).config, config);
}

#[test]
fn a_pause_without_an_end_is_refused() {
    let mut documents = seeded(1);
    let long = Recording { pause_s: PAUSE_S_MAX + 1, ..ASKS };
    for change in [
        Change::QueueRecording { queue: id("sales"), recording: long },
        Change::SiteRecording { recording: Directions { inside: Some(long), ..Directions::default() } },
    ] {
        let refused = documents.edit(Doc::Site, &change, Author::Centre, AT);
        let pause = Error::Bounds { field: "pause_s".into(), value: 601, min: 0, max: 600 };
        assert_eq!(refused.map(drop), Err(pause), "{change:?}");
    }
    let most = Recording { pause_s: PAUSE_S_MAX, ..ASKS };
    site(&mut documents, Change::QueueRecording { queue: id("sales"), recording: most });
}
