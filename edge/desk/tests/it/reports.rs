//! Reports: who sees whose figures, the stream with its progress, the files, and what is refused.

use std::{
    io::Read as _,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use desk::{Future, Progress, REPORTS_MAX, ReportError, ReportPlace, Reports, Unavailable};
use model::{
    ContactId, Millis, drill,
    fact::{Disposition, EndCause, Fact, Kind},
};
use report::{Life, Question, Report, Tally};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::rig::{Rig, agent, until};

/// 2026-11-30, midnight in Shanghai.
const DAY: i64 = 1_795_968_000_000;
const HOUR: i64 = 3_600_000;
/// A label that a spreadsheet would run.
pub const EVIL: &str = "=HYPERLINK(\"http://evil.example\",\"x\")";

/// A ledger of three contacts: li answered one and wang one, one caller gave up. From two to five o'clock the box was down.
pub struct TestReports {
    pub asked: Mutex<Vec<Question>>,
    /// One for each report that may be made; none: they wait.
    pub may: Semaphore,
    pub dark: AtomicBool,
    pub running: AtomicUsize,
    /// How often progress is told.
    pub steps: AtomicUsize,
    /// What a thread that has not yet seen that nobody waits goes on to hold, where one is to.
    pub kept: Mutex<Option<Vec<ReportPlace>>>,
}

impl Default for TestReports {
    fn default() -> Self {
        let may = Semaphore::new(1_000);
        let (dark, running, steps) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(1));
        Self { asked: Mutex::default(), may, dark, running, steps, kept: Mutex::default() }
    }
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Reports for TestReports {
    fn make(
        &self,
        question: Question,
        progress: mpsc::Sender<Progress>,
        place: ReportPlace,
    ) -> Future<'_, Result<(Report, Millis), ReportError>> {
        self.asked.lock().unwrap().push(question.clone());
        if let Some(kept) = &mut *self.kept.lock().unwrap() {
            kept.push(place.clone());
        }
        Box::pin(async move {
            self.running.fetch_add(1, Ordering::SeqCst);
            let _running = (Running(&self.running), place);
            for _ in 0..self.steps.load(Ordering::SeqCst) {
                progress.send(Progress { done: 2, of: 3 }).await.map_err(|_| ReportError::GivenUp)?;
            }
            self.may.acquire().await.unwrap().forget();
            if self.dark.load(Ordering::SeqCst) {
                return Err(Unavailable.into());
            }
            let now = Millis(DAY + 9 * HOUR + HOUR / 2);
            let life = |from, until| Life { began: Millis(DAY + from * HOUR), seen: Millis(DAY + until * HOUR) };
            let lives = [life(-30, 2), life(5, 9), Life { began: Millis(DAY + 9 * HOUR), seen: now }];
            let mut tally = Tally::new(question, None, &lives, now)?;
            for facts in [contact(1, 6, Some("li")), contact(2, 7, Some("wang")), contact(3, 7, None)] {
                tally.contact(&facts, &crate::rig::effective().config)?;
            }
            Ok((tally.finish()?, now))
        })
    }

    fn drills(&self) -> Future<'_, Result<Vec<drill::Report>, Unavailable>> {
        Box::pin(async { Ok(vec![crate::drills::report()]) })
    }
}

fn contact(n: u128, hour: i64, who: Option<&str>) -> Vec<Fact> {
    let fact =
        |after: i64, kind| Fact { seq: 0, at: Millis(DAY + hour * HOUR + after), contact: Some(ContactId(n)), kind };
    let mut facts = vec![
        fact(0, Kind::Arrived { trunk: None, number: Some("+862055500100".parse().unwrap()) }),
        fact(1_000, Kind::Queued { queue: "sales".parse().unwrap() }),
    ];
    if let Some(who) = who {
        facts.push(fact(6_500, Kind::Answered { agent: Some(agent(who)) }));
        let disposition = Disposition::Code("evil".parse().unwrap());
        facts.push(fact(60_000, Kind::Disposed { agent: agent(who), disposition }));
    }
    facts.push(fact(66_500, Kind::Ended { cause: EndCause::Caller }));
    facts
}

const DAY_OF: &str = "from=2026-11-30&until=2026-11-30";

async fn lines(rig: &Rig, cookie: &str, query: &str) -> Vec<Value> {
    let path = format!("/api/reports?{DAY_OF}&{query}");
    let response = rig.get(&path).header("cookie", cookie).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/x-ndjson", "{query}");
    response.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn report(rig: &Rig, cookie: &str, query: &str) -> Value {
    lines(rig, cookie, query).await.pop().unwrap()["report"].take()
}

fn column(report: &Value, name: &str) -> usize {
    report["columns"].as_array().unwrap().iter().position(|column| column["name"] == name).unwrap()
}

async fn file(rig: &Rig, cookie: &str, query: &str) -> reqwest::Response {
    rig.get(&format!("/api/reports/file?{DAY_OF}&{query}")).header("cookie", cookie).send().await.unwrap()
}

#[tokio::test]
async fn a_supervisor_reads_everybodys_figures_and_hears_how_far_they_are() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let told = lines(&rig, &cookie, "step=hour&by=agent").await;
    assert_eq!(told[0], json!({ "progress": { "done": 2, "of": 3 } }));
    let report = &told[1]["report"];
    let offered = column(report, "offered");
    let rows: Vec<_> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["time"], &row["key"][0], &row["values"][offered]))
        .collect();
    assert_eq!(
        rows,
        [
            (&json!(6), &json!("li"), &json!(1)),
            (&json!(7), &Value::Null, &json!(1)),
            (&json!(7), &json!("wang"), &json!(1)),
        ]
    );
    assert_eq!(report["total"][offered], 3);
    assert_eq!(report["labels"]["agent"], json!({ "li": "Li", "wang": "Wang" }));
    assert_eq!(
        report["times"][3],
        json!({ "start": DAY + 3 * HOUR, "until": DAY + 4 * HOUR, "down_ms": HOUR, "down": true, "running": false })
    );
    assert_eq!(
        report["columns"][column(report, "service_level")]["formula"],
        "A≤T / (O − B≤T), over contacts that were answered or are over"
    );
}

#[tokio::test]
async fn an_agent_reads_the_own_figures_and_nobody_elses() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    for query in ["step=total&by=agent", "step=total&by=agent&only=agent:wang", "step=total&by=agent&only=agent:-"] {
        let told = report(&rig, &cookie, query).await;
        let keys: Vec<_> = told["rows"].as_array().unwrap().iter().map(|row| &row["key"][0]).collect();
        assert_eq!(keys, [&json!("li")], "{query}");
        assert_eq!(told["total"][column(&told, "answered")], 1, "{query}");
    }
    let text = file(&rig, &cookie, "step=total&by=agent&format=csv").await.text().await.unwrap();
    assert!(text.contains("li") && !text.contains("wang"), "{text}");
    assert_eq!(rig.get(&format!("/api/reports?{DAY_OF}")).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_table_of_the_report_runs_nothing_and_has_no_zero_where_nobody_counted() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let response = file(&rig, &cookie, "step=hour&by=disposition&format=csv").await;
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"report-2026-11-30-2026-11-30.csv\"");
    let text = response.text().await.unwrap();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split("\r\n").collect();
    assert!(lines[0].starts_with("line,time_start,time_end,time_state,down_s,disposition,disposition_label,contacts,"));
    let row = lines.iter().find(|line| line.starts_with("row,2026-11-30T06:00:00+08:00")).unwrap();
    assert!(row.contains(",evil,\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\",1,0,1,1,0,"), "{row}");
    let down = lines.iter().find(|line| line.starts_with("down,2026-11-30T03:00:00+08:00")).unwrap();
    assert!(
        down.starts_with("down,2026-11-30T03:00:00+08:00,2026-11-30T04:00:00+08:00,box was down,3600,,,,"),
        "{down}"
    );
    assert!(!lines.iter().any(|line| line.starts_with("row,2026-11-30T03")), "it is no row");
    let asa = lines[0].split(',').position(|name| name == "asa_s").unwrap();
    let total = lines.iter().find(|line| line.starts_with("total,")).unwrap();
    assert_eq!(total.split(',').nth(asa), Some("5.5"));
    assert!(lines.iter().any(|line| line.starts_with("formula,asa_s,")));
    let cells = |line: &str| line.split(',').count();
    assert_eq!(cells(down), cells(lines[0]), "each line has the same cells");
}

#[tokio::test]
async fn a_workbook_of_the_report_opens_and_holds_texts_as_texts() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let bytes = file(&rig, &cookie, "step=hour&by=disposition&format=xlsx").await.bytes().await.unwrap();
    let mut book = zip::ZipArchive::new(std::io::Cursor::new(&bytes[..])).unwrap();
    let mut part = |name: &str| {
        let mut text = String::new();
        book.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let (texts, sheet) = (part("xl/sharedStrings.xml"), part("xl/worksheets/sheet1.xml"));
    assert!(part("xl/workbook.xml").contains("name=\"About\""));
    let texts = roxmltree::Document::parse(&texts).unwrap();
    let texts: Vec<String> =
        texts.descendants().filter(|node| node.has_tag_name("t")).filter_map(|t| t.text()).map(str::to_owned).collect();
    assert!(texts.iter().any(|text| text == EVIL), "{texts:?}");
    assert!(texts.iter().any(|text| text == "box was down"));
    let sheet = roxmltree::Document::parse(&sheet).unwrap();
    assert!(!sheet.descendants().any(|node| node.has_tag_name("f")), "no cell is a formula");
    let rows = sheet.descendants().filter(|node| node.has_tag_name("row")).count();
    assert_eq!(rows, 1 + 3 + 3 + 1, "a head, three hours without the box, three rows, the total");
}

#[tokio::test]
async fn a_report_as_json_is_what_the_page_gets() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let query = "step=total&by=queue,ending&only=queue:sales,-";
    let as_file: Value = file(&rig, &cookie, &format!("{query}&format=json")).await.json().await.unwrap();
    assert_eq!(as_file, report(&rig, &cookie, query).await);
    assert_eq!(as_file["only"], json!({ "queue": [null, "sales"] }));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_read() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    for bad in [
        "/api/reports?from=2026-11-30",
        "/api/reports?from=2026-11-30&until=2026-11-29",
        "/api/reports?from=2026-11-30&until=2026-11-30&by=name",
        "/api/reports?from=2026-11-30&until=2026-11-30&order=up",
        "/api/reports?from=1899-12-31&until=1900-01-01",
        "/api/reports/file?from=2026-11-30&until=2026-11-30&format=pdf",
        "/api/reports/file?from=2026-11-30&until=2026-11-30",
    ] {
        let response = rig.get(bad).header("cookie", &cookie).send().await.unwrap();
        assert_eq!(response.status(), 400, "{bad}");
    }
    assert!(rig.reports.asked.lock().unwrap().is_empty());
    let refused = lines(&rig, &cookie, "by=queue,queue").await.pop().unwrap();
    assert_eq!(refused["refused"]["code"], "bad_request");
    rig.reports.dark.store(true, Ordering::SeqCst);
    assert_eq!(lines(&rig, &cookie, "by=queue").await.pop().unwrap()["refused"]["code"], "unavailable");
    assert_eq!(file(&rig, &cookie, "format=csv").await.status(), 503);
}

#[tokio::test]
async fn only_so_many_are_made_at_once_and_one_that_nobody_waits_for_ends() {
    let rig = Rig::start().await;
    let (cookie, other, third) = (rig.sign_in("zhao").await, rig.sign_in("li").await, rig.sign_in("wang").await);
    rig.reports.may.forget_permits(usize::MAX);
    let path = format!("/api/reports?{DAY_OF}");
    let mut open = Vec::new();
    for cookie in [&cookie, &other] {
        let mut response = rig.get(&path).header("cookie", cookie).send().await.unwrap();
        assert!(response.chunk().await.unwrap().unwrap().starts_with(b"{\"progress\""));
        open.push(response);
    }
    assert_eq!(open.len(), REPORTS_MAX);
    let refused = rig.get(&path).header("cookie", &third).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "too_many_reports");
    drop(open);
    until("the reports that nobody reads end", || rig.reports.running.load(Ordering::SeqCst) == 0).await;
    rig.reports.may.add_permits(1);
    until("their places are free", || rig.desk.reports_running() == 0).await;
    assert_eq!(lines(&rig, &cookie, "by=queue").await.len(), 2);
}

#[tokio::test]
async fn one_person_has_one_report_made_at_once_however_often_the_person_is_signed_in() {
    let rig = Rig::start().await;
    let (cookie, again) = (rig.sign_in("zhao").await, rig.sign_in("zhao").await);
    rig.reports.may.forget_permits(usize::MAX);
    let path = format!("/api/reports?{DAY_OF}");
    let first = rig.get(&path).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(rig.get(&path).header("cookie", &again).send().await.unwrap().status(), 503);
    let colleague = rig.sign_in("li").await;
    assert_eq!(rig.get(&path).header("cookie", &colleague).send().await.unwrap().status(), 200);
    // The page asks something else, and does not wait for the first answer.
    rig.reports.may.add_permits(10);
    drop(first);
    assert_eq!(lines(&rig, &again, "by=queue").await.len(), 2);
}

#[tokio::test]
async fn a_report_that_nobody_waits_for_has_its_place_until_its_thread_has_ended() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    *rig.reports.kept.lock().unwrap() = Some(Vec::new());
    rig.reports.may.forget_permits(usize::MAX);
    let path = format!("/api/reports?{DAY_OF}");
    let mut response = rig.get(&path).header("cookie", &cookie).send().await.unwrap();
    assert!(response.chunk().await.unwrap().unwrap().starts_with(b"{\"progress\""));
    drop(response);
    until("nobody waits for it", || rig.reports.running.load(Ordering::SeqCst) == 0).await;
    assert_eq!(rig.desk.reports_running(), 1);
    assert_eq!(rig.get(&path).header("cookie", &cookie).send().await.unwrap().status(), 503);
    rig.reports.kept.lock().unwrap().take();
    assert_eq!(rig.desk.reports_running(), 0);
}

#[tokio::test]
async fn who_asks_and_does_not_read_keeps_no_place_and_still_gets_the_report() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    // More than all buffers on the way hold.
    rig.reports.steps.store(600_000, Ordering::SeqCst);
    let path = format!("/api/reports?{DAY_OF}");
    let unread = rig.get(&path).header("cookie", &cookie).send().await.unwrap();
    until("the report is made", || rig.desk.reports_running() == 0).await;
    let text = unread.text().await.unwrap();
    assert!(text.lines().count() < 600_000, "progress that nobody hears is not kept");
    assert!(text.lines().last().unwrap().starts_with("{\"report\""));
}
