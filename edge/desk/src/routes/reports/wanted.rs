//! A report as it stands in an address: civil days of the branch, and how they are cut.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::TimeZone};
use model::{AgentId, Millis};
use report::{Dimension, Question, TIMES_MAX};
use serde::Deserialize;

use crate::api;

/// Days of one report.
pub const DAYS_MAX: i32 = 400;
/// The first year of a report: workbooks know no earlier one.
pub const YEAR_MIN: i16 = 1900;
/// Longest value that a report is narrowed to, in bytes: a few skills.
const VALUE_LEN_MAX: usize = 400;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Days of the branch's calendar, `2026-11-30`, both of them within.
    from: String,
    until: String,
    step: Option<String>,
    /// `queue,agent`.
    by: Option<String>,
    /// `queue:sales,repairs;agent:ann`; `-` is none.
    only: Option<String>,
    /// Of a file.
    format: Option<String>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Quarter,
    Hour,
    Day,
    Week,
    Total,
}

const STEPS: [(&str, Step); 5] = [
    ("quarter", Step::Quarter),
    ("hour", Step::Hour),
    ("day", Step::Day),
    ("week", Step::Week),
    ("total", Step::Total),
];

/// A question, and how it was put.
#[derive(Debug)]
pub struct Asked {
    pub question: Question,
    from: Date,
    until: Date,
    step: Step,
    /// None: none that there is.
    pub format: Option<Format>,
}

impl Asked {
    pub fn to_api(&self) -> api::ReportAsked {
        let step = STEPS.iter().find(|(_, step)| *step == self.step).map_or("total", |(name, _)| *name);
        let values = |values: &BTreeSet<Option<String>>| values.iter().cloned().collect();
        let only = self.question.only.iter().map(|(dimension, of)| (dimension.name(), values(of)));
        api::ReportAsked { from: self.from.to_string(), until: self.until.to_string(), step, only: only.collect() }
    }
}

impl Wanted {
    /// `own`: of this agent alone.
    pub fn asked(&self, zone: &str, own: Option<&AgentId>) -> Result<Asked, String> {
        let date =
            |name: &str, text: &str| text.parse::<Date>().map_err(|_| format!("{name}: a day is written 2026-11-30"));
        let (from, until) = (date("from", &self.from)?, date("until", &self.until)?);
        let days = (from.until(until).map_err(|error| error.to_string())?).get_days();
        if from > until || days >= DAYS_MAX {
            return Err(format!("until: a report is of 1 to {DAYS_MAX} days"));
        }
        if from.year() < YEAR_MIN {
            return Err(format!("from: a day of {YEAR_MIN} or later"));
        }
        let format = match self.format.as_deref() {
            Some("csv") => Some(Format::Csv),
            Some("xlsx") => Some(Format::Xlsx),
            Some("json") => Some(Format::Json),
            _ => None,
        };
        let wanted = self.step.as_deref().unwrap_or("day");
        let step = STEPS.iter().find(|(name, _)| *name == wanted).map(|(_, step)| *step);
        let step = step.ok_or("step: quarter, hour, day, week or total")?;
        let mut only = self.only.as_deref().map(narrowed).transpose()?.unwrap_or_default();
        if let Some(own) = own {
            only.insert(Dimension::Agent, BTreeSet::from([Some(own.to_string())]));
        }
        let by = self.by.as_deref().unwrap_or("").split(',').filter(|name| !name.is_empty());
        let by = by.map(dimension).collect::<Result<_, _>>()?;
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let question = Question { edges: edges(&zone, from, until, step)?, by, only };
        Ok(Asked { question, from, until, step, format })
    }
}

fn dimension(name: &str) -> Result<Dimension, String> {
    let names = Dimension::ALL.map(Dimension::name);
    Dimension::of_name(name).ok_or_else(|| format!("by, only: one of {}", names.join(", ")))
}

fn narrowed(text: &str) -> Result<BTreeMap<Dimension, BTreeSet<Option<String>>>, String> {
    let mut only = BTreeMap::new();
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (name, values) = part.split_once(':').ok_or("only: queue:sales,repairs;agent:ann")?;
        if part.len() > VALUE_LEN_MAX.saturating_mul(report::ONLY_MAX)
            || values.split(',').any(|v| v.len() > VALUE_LEN_MAX)
        {
            return Err("only: a value is too long".into());
        }
        let values = values.split(',').map(|value| (value != "-").then(|| value.to_owned())).collect();
        only.insert(dimension(name)?, values);
    }
    Ok(only)
}

/// Where days begin is the zone's affair: one of them has 23 hours, and another 25.
fn edges(zone: &TimeZone, from: Date, until: Date, step: Step) -> Result<Vec<Millis>, String> {
    let begins = |day: Date| {
        let zoned = day.to_zoned(zone.clone()).map_err(|error| error.to_string())?;
        Ok::<Timestamp, String>(zoned.timestamp())
    };
    let end = begins(until.tomorrow().map_err(|error| error.to_string())?)?;
    let millis = |at: Timestamp| Millis(at.as_millisecond());
    let mut edges = vec![millis(begins(from)?)];
    match step {
        Step::Quarter | Step::Hour => {
            let length = SignedDuration::from_mins(if step == Step::Hour { 60 } else { 15 });
            let mut at = begins(from)?;
            loop {
                at = at.checked_add(length).map_err(|error| error.to_string())?;
                if at >= end {
                    break;
                }
                edges.push(millis(at));
                if edges.len() > TIMES_MAX {
                    return Err(report::Refused::Times.to_string());
                }
            }
        }
        Step::Day | Step::Week => {
            let mut day = from;
            loop {
                let monday = i64::from(day.weekday().to_monday_zero_offset());
                let ahead = if step == Step::Week { 7_i64.saturating_sub(monday) } else { 1 };
                let next = Span::new().try_days(ahead).and_then(|ahead| day.checked_add(ahead));
                day = next.map_err(|error| error.to_string())?;
                if day > until {
                    break;
                }
                edges.push(millis(begins(day)?));
            }
        }
        Step::Total => {}
    }
    edges.push(millis(end));
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(from: &str, until: &str, step: &str) -> Wanted {
        let step = Some(step.to_owned());
        Wanted { from: from.into(), until: until.into(), step, by: None, only: None, format: None }
    }

    fn hours(from: &str, until: &str, step: &str) -> Result<Vec<i64>, String> {
        let asked = wanted(from, until, step).asked("Europe/Berlin", None)?;
        Ok(asked.question.edges.windows(2).map(|pair| (pair[1].0 - pair[0].0) / 3_600_000).collect())
    }

    #[test]
    fn days_and_weeks_are_those_of_the_branch_also_when_the_clocks_change() {
        assert_eq!(hours("2026-10-24", "2026-10-26", "day"), Ok(vec![24, 25, 24]));
        assert_eq!(hours("2026-03-28", "2026-03-29", "total"), Ok(vec![47]));
        assert_eq!(hours("2026-10-25", "2026-10-25", "hour").map(|hours| hours.len()), Ok(25));
        // From a Wednesday to the Tuesday after next.
        assert_eq!(hours("2026-11-18", "2026-12-01", "week"), Ok(vec![5 * 24, 7 * 24, 2 * 24]));
        let first = wanted("2026-11-30", "2026-11-30", "quarter").asked("Asia/Shanghai", None).unwrap();
        assert_eq!(first.question.edges[0], Millis(1_795_968_000_000));
        assert_eq!(first.question.edges.len(), 97);
    }

    #[test]
    fn what_is_too_long_or_makes_no_sense_is_refused_with_the_reason() {
        assert_eq!(hours("2025-01-01", "2026-02-04", "day").map(|days| days.len()), Ok(400));
        for (from, until, step) in [
            ("2025-01-01", "2026-02-05", "day"),
            ("2026-11-30", "2026-11-29", "day"),
            ("yesterday", "2026-11-29", "day"),
            ("2026-11-01", "2026-11-29", "fortnight"),
            ("2026-01-01", "2026-12-31", "quarter"),
            ("-009999-01-01", "9999-12-31", "total"),
            ("9999-12-31", "9999-12-31", "day"),
            ("1899-12-31", "1900-01-01", "day"),
        ] {
            assert!(hours(from, until, step).is_err(), "{from} {until} {step}");
        }
        assert_eq!(hours("1900-01-01", "1900-01-02", "day"), Ok(vec![24, 24]));
        assert_eq!(hours("2026-10-01", "2026-10-31", "quarter").map(|all| all.len()), Ok(31 * 96 + 4), "a month");
    }

    #[test]
    fn who_is_no_supervisor_asks_for_the_own_figures_whatever_stands_in_the_address() {
        let mut wanted = wanted("2026-11-30", "2026-11-30", "day");
        wanted.only = Some("agent:bob,-;queue:sales".into());
        wanted.by = Some("agent,disposition".into());
        let ann: AgentId = "ann".parse().unwrap();
        let only = wanted.asked("UTC", Some(&ann)).unwrap().question.only;
        assert_eq!(only[&Dimension::Agent], BTreeSet::from([Some("ann".to_owned())]));
        let all = wanted.asked("UTC", None).unwrap().question;
        assert_eq!(all.only[&Dimension::Agent], BTreeSet::from([None, Some("bob".to_owned())]));
        assert_eq!(all.by, [Dimension::Agent, Dimension::Disposition]);
        wanted.by = Some("name".into());
        assert!(wanted.asked("UTC", None).is_err());
    }
}
