//! What takes something away that callers or staff use, or leads callers elsewhere. Rolled out to many sites, it wants
//! two people (S-66).

use model::change::Change;

/// Whether the change removes, closes or empties something, or may lead callers elsewhere.
pub fn is_destructive(change: &Change) -> bool {
    use Change::*;
    match change {
        QueueRemove { .. } | AgentRemove { .. } | PhoneRemove { .. } | TrunkRemove { .. } | NumberRemove { .. } => true,
        FlowRemove { .. } | HoursRemove { .. } | PlaceRemove { .. } | PauseRemove { .. } | DispositionRemove { .. } => {
            true
        }
        NumberPut { .. } | FlowPut { .. } | FlowRollBack { .. } | TrunkPut { .. } | PhoneForward { .. } => true,
        SiteEmergency { .. } | SiteDialling { .. } => true,
        SiteClosed { closed } | QueueClosed { closed, .. } | HoursClosed { closed, .. } => *closed,
        SiteOutward { trunk } => trunk.is_none(),
        // Refused in a roll-out.
        SiteDrill { .. } => false,
        HoursWeek { week, .. } => week.is_empty(),
        QueueOverflowTo { to, .. } => to.is_empty(),
        AgentQueue { member, .. } => !member,
        AgentPhone { phone, .. } => phone.is_none(),
        AgentSkill { level, .. } => level.is_none(),
        PhoneNumber { number, .. } => number.is_none(),
        PhonePlace { place, .. } => place.is_none(),
        SiteLabel { .. } | SiteTimeZone { .. } | PausePut { .. } | DispositionPut { .. } | PlacePut { .. } => false,
        QueueAdd { .. } | QueueLabel { .. } | QueueSkill { .. } | QueueMusic { .. } | QueuePositionEvery { .. } => {
            false
        }
        QueueRing { .. } | QueueWrapUp { .. } | QueueServiceLevel { .. } | QueueHours { .. } | QueueRecorded { .. } => {
            false
        }
        QueueLocality { .. } | QueueOverflowAfter { .. } | QueueRouting { .. } | QueueCallback { .. } => false,
        QueueDispositions { .. } | AgentAdd { .. } | AgentBadge { .. } | PhoneAdd { .. } | PhoneProtection { .. } => {
            false
        }
        QueueAlerts { .. } | HoursAdd { .. } | SiteRecording { .. } | QueueRecording { .. } => false,
    }
}

/// Whether they want two people. To overrule takes away what the branches themselves have said.
pub fn wants_second(changes: &[Change], overrule: bool) -> bool {
    overrule || changes.iter().any(is_destructive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_away_wants_two_people_and_what_tunes_does_not() {
        let destructive = [
            r#"{"set":"queue_remove","queue":"sales"}"#,
            r#"{"set":"number_remove","number":"4001"}"#,
            r#"{"set":"site_closed","closed":true}"#,
            r#"{"set":"site_emergency","numbers":["112"]}"#,
            r#"{"set":"site_outward","trunk":null}"#,
            r#"{"set":"hours_week","hours":"day","week":[]}"#,
            r#"{"set":"hours_closed","hours":"day","day":"2026-12-24","closed":true}"#,
            r#"{"set":"number_put","number":"4001","flow":"main"}"#,
            r#"{"set":"flow_roll_back","flow":"main","replaced":1}"#,
            r#"{"set":"pause_remove","pause":"lunch"}"#,
            r#"{"set":"disposition_remove","disposition":"sold"}"#,
            r#"{"set":"agent_phone","agent":"a-101","phone":null}"#,
            r#"{"set":"agent_skill","agent":"a-101","skill":"billing","level":null}"#,
            r#"{"set":"phone_number","phone":"101","number":null}"#,
            r#"{"set":"queue_overflow_to","queue":"sales","to":[]}"#,
        ];
        let tuning = [
            r#"{"set":"queue_wrap_up","queue":"sales","seconds":20}"#,
            r#"{"set":"site_closed","closed":false}"#,
            r#"{"set":"hours_closed","hours":"day","day":"2026-12-24","closed":false}"#,
            r#"{"set":"agent_skill","agent":"a-101","skill":"billing","level":3}"#,
            r#"{"set":"hours_week","hours":"day","week":[{"day":0,"from_min":540,"to_min":1080}]}"#,
        ];
        let read = |text: &str| serde_json::from_str::<Change>(text).unwrap();
        assert!(destructive.into_iter().all(|text| is_destructive(&read(text))));
        let tuned: Vec<Change> = tuning.into_iter().map(read).collect();
        assert!(!wants_second(&tuned, false));
        assert!(wants_second(&tuned, true), "what the branches said is overruled");
    }
}
