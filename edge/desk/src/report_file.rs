//! A report as a file for a spreadsheet: CSV (RFC 4180), and a workbook. Times are in seconds, rates are fractions, moments
//! those of the branch's own clock; each figure's formula is in the file.

mod csv;
mod xlsx;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use model::Millis;

pub use csv::csv;
pub use xlsx::xlsx;

use crate::api;

/// The branch's zone, or UTC where nobody knows it.
fn zone(report: &api::Report) -> TimeZone {
    TimeZone::get(&report.site.time_zone).unwrap_or(TimeZone::UTC)
}

fn at(moment: Millis) -> Timestamp {
    Timestamp::from_millisecond(moment.0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// By the branch's clock.
fn civil(zone: &TimeZone, moment: Millis) -> DateTime {
    zone.to_datetime(at(moment))
}

/// `2026-11-30T09:15:00+01:00`.
fn written(zone: &TimeZone, moment: Millis) -> String {
    let zoned = at(moment).to_zoned(zone.clone());
    format!("{}{}", zoned.strftime("%Y-%m-%dT%H:%M:%S"), zoned.strftime("%:z"))
}

/// The column's name with its unit: `asa_s`, `service_level`, `pause_lunch_s`, and `pause__missed_s` where the reason is none of
/// the site's, whose ids have no `_`.
fn heading(column: &api::ReportColumn) -> String {
    let name = column.name.replace("/:", "__").replace('/', "_");
    if column.unit == "ms" { format!("{name}_s") } else { name }
}

/// Of a bucket: `whole`, `part`, `down`, and whether it still runs.
fn state(time: &api::ReportTime) -> &'static str {
    match (time.down, time.down_ms > 0, time.running) {
        (true, _, _) => "box was down",
        (false, true, _) => "box was down for a part",
        (false, false, true) => "not over",
        (false, false, false) => "whole",
    }
}

fn label<'a>(report: &'a api::Report, of: &str, value: &str) -> Option<&'a str> {
    report.labels.get(of).and_then(|labels| labels.get(value)).map(String::as_str)
}

/// Rows and buckets without any, in the order of time.
enum Line<'a> {
    Row(&'a api::ReportTime, &'a api::ReportRow),
    Down(&'a api::ReportTime),
}

fn lines(report: &api::Report) -> impl Iterator<Item = Line<'_>> {
    let mut rows = report.rows.iter().peekable();
    let times = report.times.iter().enumerate();
    times.flat_map(move |(index, time)| {
        let mut lines = Vec::new();
        if time.down {
            lines.push(Line::Down(time));
        }
        while let Some(row) = rows.next_if(|row| row.time == index) {
            lines.push(Line::Row(time, row));
        }
        lines
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_the_sites_that_is_called_missed_has_a_column_of_its_own() {
        let column = |name: &str| api::ReportColumn { name: name.to_owned(), unit: "ms", formula: "" };
        assert_eq!(heading(&column("pause/missed")), "pause_missed_s");
        assert_eq!(heading(&column("pause/:missed")), "pause__missed_s");
    }
}
