//! The outage drill that is ordered, as the documents have it: one text, empty for none. Whoever spoke last is right, so
//! that a branch ends a drill also while it is cut off.

use model::{
    change::{Problem, Severity},
    drill::{Drill, MINUTES_MAX, MINUTES_MIN},
};

use crate::{
    change::{invalid, within},
    error::Error,
    layers::Findings,
    scalar::Scalar,
};

/// Where the order stands.
pub const PATH: &str = "site/drill";
const MINUTES: (i64, i64) = (MINUTES_MIN as i64, MINUTES_MAX as i64);

pub(crate) fn written(drill: Option<Drill>) -> Result<Scalar, Error> {
    let Some(drill) = drill else { return Ok(Scalar::Text(String::new())) };
    within("minutes", drill.minutes.into(), MINUTES)?;
    within("at", drill.at.0, (0, i64::MAX))?;
    let text = serde_json::to_string(&drill).map_err(|_| invalid(PATH, "it cannot be written"))?;
    Ok(Scalar::Text(text))
}

/// What cannot be understood orders nothing.
pub(crate) fn read(scalar: Option<&Scalar>, findings: &mut Findings) -> Option<Drill> {
    let Some(Scalar::Text(text)) = scalar else { return None };
    if text.is_empty() {
        return None;
    }
    let Some(drill) = serde_json::from_str::<Drill>(text).ok().filter(|drill| drill.at.0 >= 0) else {
        findings.add(Severity::Repaired, PATH, Problem::WrongType);
        return None;
    };
    let minutes = drill.minutes.clamp(MINUTES_MIN, MINUTES_MAX);
    if minutes != drill.minutes {
        let (min, max) = MINUTES;
        findings.add(Severity::Repaired, PATH, Problem::OutOfBounds { min, max, used: minutes.into() });
    }
    Some(Drill { minutes, ..drill })
}

#[cfg(test)]
mod tests {
    use model::{Millis, change::Doc};

    use super::*;
    use crate::{Author, Documents, effective};

    fn documents() -> Documents {
        Documents::new("north".parse().unwrap(), [1; 16])
    }

    #[test]
    fn a_branch_ends_a_drill_that_the_centre_has_ordered() {
        let drill = Drill { at: Millis(1_795_000_000_000), minutes: 30 };
        let mut documents = documents();
        let mut order = |drill, author| {
            let change = model::change::Change::SiteDrill { drill };
            documents.edit(Doc::Local, &change, author, Millis(1)).unwrap();
            effective(&documents).drill
        };
        assert_eq!(order(Some(drill), Author::Centre), Some(drill));
        assert_eq!(order(None, Author::Branch), None);
        let next = Drill { at: Millis(1_796_000_000_000), ..drill };
        assert_eq!(order(Some(next), Author::Centre), Some(next));
    }

    #[test]
    fn what_lasts_too_long_is_refused_and_what_is_no_drill_orders_none() {
        for minutes in [0, MINUTES_MAX + 1] {
            assert!(matches!(written(Some(Drill { at: Millis(5), minutes })), Err(Error::Bounds { .. })), "{minutes}");
        }
        assert!(written(Some(Drill { at: Millis(-1), minutes: 5 })).is_err());
        let mut findings = Findings::default();
        let text = |text: &str| Scalar::Text(text.to_owned());
        let long = read(Some(&text(r#"{"at":7,"minutes":9000}"#)), &mut findings);
        assert_eq!(long, Some(Drill { at: Millis(7), minutes: MINUTES_MAX }));
        for wrong in ["soon", "{}", r#"{"at":-1,"minutes":5}"#, r#"{"at":1,"minutes":-5}"#] {
            assert_eq!(read(Some(&text(wrong)), &mut findings), None, "{wrong}");
        }
        assert_eq!(findings.0.len(), 5);
        assert_eq!(read(None, &mut findings), None);
    }
}
