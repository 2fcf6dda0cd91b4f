//! A report with the names that people know things by.

use std::collections::BTreeMap;

use model::{Millis, config::Config};
use report::{Dimension, Report};

use crate::api;

pub fn report(config: &Config, asked: api::ReportAsked, report: Report, made: Millis) -> api::Report {
    let site = &config.site;
    let labels = labels(config, &report, &asked);
    let column =
        |one: report::Column| api::ReportColumn { name: one.name, unit: one.unit.name(), formula: one.formula };
    let time = |time: report::Time| api::ReportTime {
        start: time.start,
        until: time.until,
        down_ms: time.down_ms,
        down: time.down,
        running: time.running,
    };
    let row = |row: report::Row| api::ReportRow { time: row.time, key: row.key, values: row.values };
    api::Report {
        site: api::SiteName { id: site.id.clone(), label: site.label.clone(), time_zone: site.time_zone.clone() },
        made,
        from: asked.from,
        until: asked.until,
        step: asked.step,
        by: report.by.iter().map(|one| one.name()).collect(),
        only: asked.only,
        columns: report.columns.into_iter().map(column).collect(),
        times: report.times.into_iter().map(time).collect(),
        rows: report.rows.into_iter().map(row).collect(),
        total: report.total,
        labels,
    }
}

/// Of the values that the report has or is narrowed to, and of pauses.
fn labels(
    config: &Config,
    report: &Report,
    asked: &api::ReportAsked,
) -> BTreeMap<&'static str, BTreeMap<String, String>> {
    let mut labels: BTreeMap<&'static str, BTreeMap<String, String>> = BTreeMap::new();
    let mut name = |of: &'static str, value: &str, label: Option<String>| {
        if let Some(label) = label {
            labels.entry(of).or_default().insert(value.to_owned(), label);
        }
    };
    for row in &report.rows {
        for (dimension, value) in report.by.iter().zip(&row.key) {
            if let Some(value) = value {
                name(dimension.name(), value, label(config, *dimension, value));
            }
        }
    }
    for (of, values) in &asked.only {
        let Some(dimension) = Dimension::of_name(of) else { continue };
        values.iter().flatten().for_each(|value| name(of, value, label(config, dimension, value)));
    }
    for column in &report.columns {
        let Some(why) = column.name.strip_prefix("pause/") else { continue };
        let pause = why.parse().ok().and_then(|pause: model::PauseId| config.site.pauses.get(&pause).cloned());
        name("pause", why, pause);
    }
    labels
}

fn label(config: &Config, dimension: Dimension, value: &str) -> Option<String> {
    match dimension {
        Dimension::Queue => config.queues.get(&value.parse().ok()?).map(|queue| queue.label.clone()),
        Dimension::Agent => config.agents.get(&value.parse().ok()?).map(|agent| agent.badge.clone()),
        Dimension::Flow => config.flows.get(&value.parse().ok()?).map(|flow| flow.label.clone()),
        Dimension::Disposition => config.site.dispositions.get(&value.parse().ok()?).cloned(),
        Dimension::Skill | Dimension::Number | Dimension::Direction | Dimension::Ending => None,
    }
}
