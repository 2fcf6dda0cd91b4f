//! Each line has the same cells; the first says what it is: `row`, `down`, `total`, or the `formula` of a column.

use super::{Line, heading, label, lines, state, written, zone};
use crate::api;

/// As bytes of UTF-8 with the mark before it, by which Excel knows.
pub fn csv(report: &api::Report) -> String {
    let zone = zone(report);
    let mut head: Vec<String> = ["line", "time_start", "time_end", "time_state", "down_s"].map(str::to_owned).into();
    for of in &report.by {
        head.push((*of).to_owned());
        head.push(format!("{of}_label"));
    }
    head.extend(report.columns.iter().map(heading));
    let width = head.len();
    let mut file = String::from('\u{feff}');
    put(&mut file, head, width);
    for one in lines(report) {
        let (kind, time, row) = match one {
            Line::Row(time, row) => ("row", time, Some(row)),
            Line::Down(time) => ("down", time, None),
        };
        let mut cells = vec![kind.to_owned(), written(&zone, time.start), written(&zone, time.until)];
        cells.push(state(time).to_owned());
        cells.push(seconds(time.down_ms));
        if let Some(row) = row {
            for (of, value) in report.by.iter().zip(&row.key) {
                let value = value.as_deref().unwrap_or("");
                cells.push(harmless(value));
                cells.push(harmless(label(report, of, value).unwrap_or("")));
            }
            cells.extend(values(report, &row.values));
        }
        put(&mut file, cells, width);
    }
    let mut total = vec!["total".to_owned()];
    total.resize(width.saturating_sub(report.columns.len()), String::new());
    total.extend(values(report, &report.total));
    put(&mut file, total, width);
    for column in &report.columns {
        put(&mut file, vec!["formula".to_owned(), heading(column), harmless(column.formula)], width);
    }
    file
}

fn values(report: &api::Report, values: &[Option<u64>]) -> Vec<String> {
    let cell = |(column, value): (&api::ReportColumn, &Option<u64>)| match (column.unit, value) {
        (_, None) => String::new(),
        ("ms", Some(ms)) => seconds(*ms),
        ("permille", Some(permille)) => thousandths(*permille),
        (_, Some(count)) => count.to_string(),
    };
    report.columns.iter().zip(values).map(cell).collect()
}

fn seconds(ms: u64) -> String {
    thousandths(ms)
}

/// 1500 → `1.5`; 2000 → `2`.
fn thousandths(value: u64) -> String {
    let text = format!("{}.{:03}", value / 1_000, value % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A spreadsheet runs what begins with one of these (OWASP, CSV injection); a telephone number may have its plus.
fn harmless(text: &str) -> String {
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let number = text.strip_prefix('+').unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
    if runs && !number { format!("'{text}") } else { text.to_owned() }
}

fn put(file: &mut String, mut cells: Vec<String>, width: usize) {
    cells.resize(width, String::new());
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            file.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            file.push('"');
            file.push_str(&cell.replace('"', "\"\""));
            file.push('"');
        } else {
            file.push_str(cell);
        }
    }
    file.push_str("\r\n");
}
