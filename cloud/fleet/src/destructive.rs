//! What takes something away that callers or staff use. Rolled out to many sites, it wants two people (S-66).

use model::change::Change;

/// Whether the change removes, closes or empties something.
pub fn is_destructive(change: &Change) -> bool {
    use Change::*;
    match change {
        QueueRemove { .. } | AgentRemove { .. } | PhoneRemove { .. } | TrunkRemove { .. } | NumberRemove { .. } => true,
        FlowRemove { .. } | HoursRemove { .. } | PlaceRemove { .. } => true,
        SiteClosed { closed } | QueueClosed { closed, .. } => *closed,
        SiteOutward { trunk } => trunk.is_none(),
        SiteEmergency { .. } => true,
        HoursWeek { week, .. } => week.is_empty(),
        AgentQueue { member, .. } => !member,
        _ => false,
    }
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
        ];
        let tuning = [
            r#"{"set":"queue_wrap_up","queue":"sales","seconds":20}"#,
            r#"{"set":"site_closed","closed":false}"#,
            r#"{"set":"hours_week","hours":"day","week":[{"day":0,"from_min":540,"to_min":1080}]}"#,
        ];
        let read = |text: &str| serde_json::from_str::<Change>(text).unwrap();
        assert!(destructive.into_iter().all(|text| is_destructive(&read(text))));
        assert!(!tuning.into_iter().any(|text| is_destructive(&read(text))));
    }
}
