//! A report as JSON: for the page, and as a file.

use std::collections::BTreeMap;

use model::Millis;
use serde::Serialize;

use super::SiteName;
use crate::Progress;

/// One line of the answer to `GET /api/reports`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportLine {
    Progress(Progress),
    Report(Box<Report>),
    Refused { code: &'static str, message: String },
}

/// How it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportAsked {
    pub from: String,
    pub until: String,
    pub step: &'static str,
    pub only: BTreeMap<&'static str, Vec<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub site: SiteName,
    pub made: Millis,
    /// Days of the branch's calendar, both within.
    pub from: String,
    pub until: String,
    /// `quarter`, `hour`, `day`, `week`, `total`.
    pub step: &'static str,
    pub by: Vec<&'static str>,
    /// Null is "none".
    pub only: BTreeMap<&'static str, Vec<Option<String>>>,
    pub columns: Vec<ReportColumn>,
    /// Those that have begun.
    pub times: Vec<ReportTime>,
    pub rows: Vec<ReportRow>,
    /// In the columns' order.
    pub total: Vec<Option<u64>>,
    /// What people call the values, as far as they have names.
    pub labels: BTreeMap<&'static str, BTreeMap<String, String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportColumn {
    /// Of a pause: `pause/` and why.
    pub name: String,
    /// `count`, `ms`, `permille`.
    pub unit: &'static str,
    pub formula: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportTime {
    pub start: Millis,
    pub until: Millis,
    /// The box was down, or not there yet, for so long.
    pub down_ms: u64,
    /// For all of it: there is no row.
    pub down: bool,
    /// Not over.
    pub running: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    /// Which of the times.
    pub time: usize,
    /// In the order of `by`; null is "none".
    pub key: Vec<Option<String>>,
    /// In the columns' order; null: nothing to divide by.
    pub values: Vec<Option<u64>>,
}
