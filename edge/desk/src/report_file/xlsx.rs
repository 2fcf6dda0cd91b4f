//! A workbook of two sheets: the report, and what it says of itself. Texts are written as texts: nothing in it is a formula of
//! the spreadsheet's own.

use jiff::civil::DateTime;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{Line, civil, heading, label, lines, state, written, zone};
use crate::api;

const MS_A_DAY: f64 = 86_400_000.0;

struct Formats {
    head: Format,
    total: Format,
    moment: Format,
    span: Format,
    rate: Format,
    bold: Format,
}

impl Formats {
    fn new() -> Self {
        let bold = || Format::new().set_bold();
        Self {
            head: bold().set_text_wrap(),
            total: bold(),
            moment: Format::new().set_num_format("yyyy-mm-dd hh:mm"),
            span: Format::new().set_num_format("[h]:mm:ss"),
            rate: Format::new().set_num_format("0.0%"),
            bold: bold(),
        }
    }
}

pub fn xlsx(report: &api::Report) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut book = Workbook::new();
    let made = moment(civil(&zone(report), report.made))?;
    book.set_properties(&DocProperties::new().set_title("Branchline report").set_creation_datetime(&made));
    table(book.add_worksheet().set_name("Report")?, report, &formats)?;
    about(book.add_worksheet().set_name("About")?, report, &formats)?;
    book.save_to_buffer()
}

fn table(sheet: &mut Worksheet, report: &api::Report, formats: &Formats) -> Result<(), XlsxError> {
    let zone = zone(report);
    let mut head: Vec<String> = ["from", "until", "state"].map(str::to_owned).into();
    head.extend(report.by.iter().map(|of| (*of).to_owned()));
    let first = column(head.len());
    head.extend(report.columns.iter().map(heading));
    for (n, text) in head.iter().enumerate() {
        sheet.write_string_with_format(0, column(n), text, &formats.head)?;
    }
    let mut line = 1;
    for one in lines(report) {
        let (Line::Row(time, _) | Line::Down(time)) = one;
        sheet.write_datetime_with_format(line, 0, moment(civil(&zone, time.start))?, &formats.moment)?;
        sheet.write_datetime_with_format(line, 1, moment(civil(&zone, time.until))?, &formats.moment)?;
        sheet.write_string(line, 2, state(time))?;
        if let Line::Row(_, row) = one {
            for (n, (of, value)) in report.by.iter().zip(&row.key).enumerate() {
                let value = value.as_deref().unwrap_or("");
                sheet.write_string(line, column(n.saturating_add(3)), label(report, of, value).unwrap_or(value))?;
            }
            values(sheet, (line, first), report, &row.values, formats)?;
        }
        line = line.saturating_add(1);
    }
    sheet.write_string_with_format(line, 0, "Total", &formats.total)?;
    values(sheet, (line, first), report, &report.total, formats)?;
    sheet.set_freeze_panes(1, first)?;
    sheet.set_column_width(0, 17)?;
    sheet.set_column_width(1, 17)?;
    sheet.set_column_width(2, 14)?;
    Ok(())
}

fn values(
    sheet: &mut Worksheet,
    (line, first): (u32, u16),
    report: &api::Report,
    values: &[Option<u64>],
    formats: &Formats,
) -> Result<(), XlsxError> {
    for (n, (one, value)) in report.columns.iter().zip(values).enumerate() {
        let Some(value) = value else { continue };
        let at = first.saturating_add(column(n));
        match one.unit {
            "ms" => sheet.write_number_with_format(line, at, number(*value) / MS_A_DAY, &formats.span)?,
            "permille" => sheet.write_number_with_format(line, at, number(*value) / 1_000.0, &formats.rate)?,
            _ => sheet.write_number(line, at, number(*value))?,
        };
    }
    Ok(())
}

fn about(sheet: &mut Worksheet, report: &api::Report, formats: &Formats) -> Result<(), XlsxError> {
    let zone = zone(report);
    let only = report.only.iter().map(|(of, values)| {
        let values: Vec<&str> = values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        format!("{of}: {}", values.join(", "))
    });
    let said = [
        ("site", report.site.label.clone()),
        ("time zone", report.site.time_zone.clone()),
        ("from", report.from.clone()),
        ("until", report.until.clone()),
        ("step", report.step.to_owned()),
        ("by", report.by.join(", ")),
        ("only", only.collect::<Vec<_>>().join("; ")),
        ("made", written(&zone, report.made)),
    ];
    let mut line = 0;
    for (name, value) in said {
        sheet.write_string_with_format(line, 0, name, &formats.bold)?;
        sheet.write_string(line, 1, value)?;
        line = line.saturating_add(1);
    }
    line = line.saturating_add(1);
    for column in &report.columns {
        sheet.write_string_with_format(line, 0, heading(column), &formats.bold)?;
        sheet.write_string(line, 1, column.formula)?;
        line = line.saturating_add(1);
    }
    sheet.set_column_width(0, 26)?;
    sheet.set_column_width(1, 100)?;
    Ok(())
}

fn moment(at: DateTime) -> Result<ExcelDateTime, XlsxError> {
    let part = |part: i8| u16::try_from(part).unwrap_or(0);
    let small = |part: i8| u8::try_from(part).unwrap_or(0);
    let year = u16::try_from(at.year()).unwrap_or(0);
    let day = ExcelDateTime::from_ymd(year, small(at.month()), small(at.day()))?;
    day.and_hms(part(at.hour()), small(at.minute()), f64::from(at.second()))
}

fn column(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// Exact to 2^53: no report has as many milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a spreadsheet knows no other numbers")]
fn number(value: u64) -> f64 {
    value as f64
}
