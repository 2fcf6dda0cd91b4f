//! A desk on a port of its own, the doubles behind it, and a small client.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use desk::{
    Account, BoardAt, Caller, ChangeRefused, CommandError, ContactPage, ContactRow, Credentials, Desk, Device,
    Effective, EgressSums, Enrolled, Fault, Floor, Future, Known, LendError, MessageRow, Note, NoteRefused,
    NoteWritten, Options, Parts, PhoneError, PhoneIs, Phones, Records, Registered, Role, SipLine, Softphones,
    Unavailable, Waveform,
};
use floor::{
    board::{AgentLine, Board, ContactCard, DeskCommand, Help, MonitorLine, QueueLine},
    correcting::Correction,
};
use futures_util::{SinkExt as _, StreamExt as _};
use model::{
    AgentId, ContactId, Extension, Millis, QueueId, RecordingId, SiteId,
    cdr::{self, Cdr, Direction},
    change::{Change, Doc, Finding, Problem, Severity},
    config::{Agent, Config, Locality, Overflow, Queue, Site},
    fact::{AgentState, Disposition, EndCause, Monitoring},
    history::{By, Decision, Outcome, Report, Rule, Said, Side, Value as Scalar},
    leaving::{Alone, End},
};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::{
    cards,
    chat::TestChat,
    reports::{EVIL, TestReports},
    tickets::TestTickets,
};

pub const XSS_NAME: &str = "<img src=x onerror=alert(1)>\"'</script>";
pub const LI_CALLER: &str = "+8613800000001";
pub const WANG_CALLER: &str = "+8613800000002";
pub const LI_RECORDING: RecordingId = RecordingId(0xa1);
pub const WANG_RECORDING: RecordingId = RecordingId(0xa2);
pub const WAV: &[u8] = b"RIFF....WAVEfmt 0123456789";

/// Answers are waited for so long, then the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn agent(text: &str) -> AgentId {
    AgentId::new(text).unwrap()
}

/// The floor: remembers commands, and answers each only when a permit says that its facts are durable.
pub struct TestFloor {
    pub board: watch::Sender<Arc<BoardAt>>,
    pub effective: watch::Sender<Arc<Effective>>,
    pub seen: Mutex<Vec<DeskCommand>>,
    pub durable: Semaphore,
    pub answer: Mutex<Result<(), CommandError>>,
    pub changed: Mutex<Vec<(AgentId, Vec<Change>)>>,
    pub decided: Mutex<Vec<(AgentId, Decision)>>,
    pub corrected: Mutex<Vec<Correction>>,
}

impl Floor for TestFloor {
    fn command(&self, command: DeskCommand) -> Future<'_, Result<(), CommandError>> {
        self.seen.lock().unwrap().push(command);
        Box::pin(async {
            self.durable.acquire().await.unwrap().forget();
            *self.answer.lock().unwrap()
        })
    }

    fn correct(&self, correction: Correction) -> Future<'_, Result<(), CommandError>> {
        self.corrected.lock().unwrap().push(correction);
        Box::pin(async { *self.answer.lock().unwrap() })
    }

    fn board(&self) -> watch::Receiver<Arc<BoardAt>> {
        self.board.subscribe()
    }

    fn effective(&self) -> watch::Receiver<Arc<Effective>> {
        self.effective.subscribe()
    }

    fn change(&self, by: AgentId, changes: Vec<Change>) -> Future<'_, Result<Arc<Effective>, ChangeRefused>> {
        Box::pin(async move {
            if let Some(index) = changes.iter().position(|change| matches!(change, Change::SiteLabel { .. })) {
                let (code, message) = ("not_yours".into(), "the centre plans this".into());
                return Err(ChangeRefused { index, code, message, fault: Fault::Request });
            }
            self.changed.lock().unwrap().push((by, changes));
            Ok(self.effective.borrow().clone())
        })
    }

    fn decide(&self, by: AgentId, decision: Decision) -> Future<'_, Result<Arc<Effective>, ChangeRefused>> {
        self.decided.lock().unwrap().push((by, decision));
        Box::pin(async { Ok(self.effective.borrow().clone()) })
    }
}

/// What both sides wrote, waiting for somebody.
pub fn waiting() -> Outcome {
    let by = |seq, side| By { doc: Doc::Local, seq, side, author: None, written: Millis(1_000), taken: Millis(90_000) };
    let said = |seq, side, n| Said { by: by(seq, side), value: Some(Scalar::Int(n)) };
    Outcome {
        path: "queues/sales/ring_s".into(),
        rule: Rule::Ask,
        said: vec![said(1, Side::Centre, 15), said(2, Side::Branch, 25)],
        kept: Some(Scalar::Int(25)),
        waits: true,
        decided: None,
    }
}

pub const SALES_MESSAGE: RecordingId = RecordingId(0xb1);
pub const REPAIRS_MESSAGE: RecordingId = RecordingId(0xb2);

/// One for each queue.
fn messages() -> Vec<MessageRow> {
    let row = |contact, recording, queue: &str| MessageRow {
        contact: ContactId(contact),
        queue: queue.parse().unwrap(),
        at: Millis(1_764_000_000_000),
        recording,
        ms: Some(12_000),
        done: None,
        caller: Some(Caller { number: LI_CALLER.into(), name: Some(XSS_NAME.into()) }),
    };
    vec![row(0xc1, SALES_MESSAGE, "sales"), row(0xc2, REPAIRS_MESSAGE, "repairs")]
}

#[derive(Default)]
pub struct TestRecords {
    pub heard: Mutex<Vec<(AgentId, RecordingId)>>,
    /// Notes that came, kept or not.
    pub notes: Mutex<Vec<NoteWritten>>,
    /// The ledger cannot be read.
    pub dark: AtomicBool,
}

impl Records for TestRecords {
    fn contacts(&self, page: ContactPage) -> Future<'_, Result<Vec<ContactRow>, Unavailable>> {
        Box::pin(async move {
            let own = |row: &ContactRow| page.of.is_none() || row.cdr.agent == page.of;
            let old = |row: &ContactRow| page.before.is_none_or(|before| row.cdr.ended < before);
            let said = |row: &ContactRow| page.disposition.is_none() || row.cdr.disposition == page.disposition;
            let fits = |row: &ContactRow| own(row) && old(row) && said(row);
            Ok(rows().into_iter().filter(fits).take(page.limit as usize).collect())
        })
    }

    fn known(&self, contact: ContactId) -> Future<'_, Result<Option<Known>, Unavailable>> {
        let dark = self.dark.load(Ordering::SeqCst);
        Box::pin(async move { if dark { Err(Unavailable) } else { Ok(cards::known(contact)) } })
    }

    fn write_note(&self, written: NoteWritten) -> Future<'_, Result<u64, NoteRefused>> {
        let dark = self.dark.load(Ordering::SeqCst);
        let kept = if dark { Err(Unavailable.into()) } else { cards::written(&written) };
        self.notes.lock().unwrap().push(written);
        Box::pin(async move { kept })
    }

    fn merge_report(&self) -> Future<'_, Result<Report, Unavailable>> {
        Box::pin(async { Ok(Report { waiting: vec![waiting()], ..Report::default() }) })
    }

    fn messages(&self, of: Option<BTreeSet<QueueId>>) -> Future<'_, Result<Vec<MessageRow>, Unavailable>> {
        let rows = messages().into_iter().filter(move |row| of.as_ref().is_none_or(|of| of.contains(&row.queue)));
        let rows: Vec<MessageRow> = rows.collect();
        Box::pin(async { Ok(rows) })
    }

    fn message_of(&self, recording: RecordingId) -> Future<'_, Result<Option<MessageRow>, Unavailable>> {
        let row = messages().into_iter().find(|row| row.recording == recording);
        Box::pin(async move { Ok(row) })
    }

    fn contact_of(&self, recording: RecordingId) -> Future<'_, Result<Option<Cdr>, Unavailable>> {
        let cdr = rows().into_iter().map(|row| row.cdr).find(|cdr| cdr.recording == Some(recording));
        Box::pin(async move { Ok(cdr) })
    }

    fn listened(&self, by: AgentId, recording: RecordingId) -> Future<'_, Result<(), Unavailable>> {
        self.heard.lock().unwrap().push((by, recording));
        Box::pin(async { Ok(()) })
    }

    fn recording_wav(&self, _: RecordingId) -> Future<'_, Result<Option<Bytes>, Unavailable>> {
        Box::pin(async { Ok(Some(Bytes::from_static(WAV))) })
    }

    fn recording_waveform(&self, _: RecordingId, count: usize) -> Future<'_, Result<Option<Waveform>, Unavailable>> {
        assert!(count > 1);
        Box::pin(async { Ok(Some(Waveform { ms: 20, caller: vec![0, 255], agent: vec![128, 0] })) })
    }
}

/// Everybody's password is their name and `-secret`.
#[derive(Default)]
pub struct TestStaff {
    pub asked: AtomicUsize,
}

impl Credentials for TestStaff {
    fn verify(&self, agent: AgentId, password: String) -> Future<'_, Result<Option<Role>, Unavailable>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let role = match agent.as_str() {
            "li" | "wang" => Some(Role::Agent),
            "zhao" => Some(Role::Supervisor),
            _ => None,
        };
        let right = password == format!("{agent}-secret");
        Box::pin(async move { Ok(role.filter(|_| right)) })
    }
}

/// Telephone lines on paper: accounts are numbered, and a line says back what it hears.
#[derive(Default)]
pub struct TestSoftphones {
    pub lent: Mutex<Vec<AgentId>>,
    pub taken_back: Mutex<Vec<String>>,
    pub connected: AtomicUsize,
}

impl Softphones for TestSoftphones {
    fn lend(&self, agent: AgentId) -> Future<'_, Result<Account, LendError>> {
        if agent.as_str() == "zhao" {
            return Box::pin(async { Err(LendError::NoPhone) });
        }
        let mut lent = self.lent.lock().unwrap();
        lent.push(agent);
        let name = format!("201-{}", lent.len());
        let (extension, domain) = ("201".parse().unwrap(), "north.example".into());
        Box::pin(async { Ok(Account { extension, name, password: "secret".into(), domain }) })
    }

    fn take_back(&self, name: &str) {
        self.taken_back.lock().unwrap().push(name.to_owned());
    }

    fn connect(&self, _: std::net::SocketAddr) -> Option<SipLine> {
        self.connected.fetch_add(1, Ordering::SeqCst);
        let (said, mut says) = tokio::sync::mpsc::channel::<Bytes>(8);
        let (hear, heard) = tokio::sync::mpsc::channel(8);
        tokio::spawn(async move {
            while let Some(bytes) = says.recv().await {
                hear.send(bytes).await.ok();
            }
        });
        Some(SipLine { said, heard })
    }
}

/// Telephones on paper.
#[derive(Default)]
pub struct TestPhones {
    pub done: Mutex<Vec<String>>,
}

impl Phones for TestPhones {
    fn all(&self) -> Future<'_, Result<BTreeMap<Extension, PhoneIs>, Unavailable>> {
        let registered = Registered {
            transport: "tls",
            address: "192.0.2.9:5061".parse().unwrap(),
            user_agent: Some("Yealink SIP-T46U 108.86.0.45".into()),
        };
        let enrolled = Enrolled {
            make: "yealink".into(),
            mac: "001565abcdef".into(),
            open_until: Millis(0),
            fetched: Some((Millis(1_764_000_000_000), Some("SIP-T46U".into()), None)),
        };
        let is = PhoneIs { registered: vec![registered], enrolled: Some(enrolled) };
        Box::pin(async move { Ok(BTreeMap::from([("201".parse().unwrap(), is)])) })
    }

    fn enrol(&self, by: AgentId, phone: Extension, device: Device) -> Future<'_, Result<String, PhoneError>> {
        if device.make == "fax" {
            return Box::pin(async { Err(PhoneError::Refused("no such make".into())) });
        }
        self.done.lock().unwrap().push(format!("{by} enrols {} as {phone}", device.mac));
        Box::pin(async { Ok("https://192.0.2.1:8443/token/".into()) })
    }

    fn rotate(&self, phone: Extension) -> Future<'_, Result<(), PhoneError>> {
        self.done.lock().unwrap().push(format!("rotate {phone}"));
        Box::pin(async { Ok(()) })
    }

    fn dismiss(&self, by: AgentId, phone: Extension) -> Future<'_, Result<(), PhoneError>> {
        self.done.lock().unwrap().push(format!("{by} dismisses {phone}"));
        Box::pin(async { Ok(()) })
    }
}

/// What left, as the tests tell it.
pub struct TestEgress;

impl desk::Egress for TestEgress {
    fn sums(&self, from: Millis, until: Millis) -> Future<'_, Result<EgressSums, Unavailable>> {
        let today = (from..until).contains(&Millis(1_000));
        let classes = if today { vec![("health", 2, 180)] } else { vec![] };
        let cloud = Some(desk::Witnessed { line: 1, at: Millis(61_000) });
        Box::pin(async move { Ok(EgressSums { classes, lines: 2, cloud, ..EgressSums::default() }) })
    }

    fn lines(&self, page: desk::EgressPage) -> Future<'_, Result<Vec<desk::EgressLine>, Unavailable>> {
        let line = page.before.unwrap_or(2) - 1;
        let said = Some(serde_json::json!({ "item": "health" }));
        let line =
            desk::EgressLine { line, at: Millis(1_000), class: "health", bytes: 90, sha256: "ab".repeat(32), said };
        Box::pin(async move { Ok(vec![line]) })
    }

    fn export(&self) -> Future<'_, Result<tokio::sync::mpsc::Receiver<bytes::Bytes>, Unavailable>> {
        let (pieces, export) = tokio::sync::mpsc::channel(2);
        pieces.try_send(bytes::Bytes::from_static(b"{\"line\":0}\n")).unwrap();
        Box::pin(async move { Ok(export) })
    }
}

pub struct Rig {
    pub floor: Arc<TestFloor>,
    pub records: Arc<TestRecords>,
    pub staff: Arc<TestStaff>,
    pub softphones: Arc<TestSoftphones>,
    pub phones: Arc<TestPhones>,
    pub reports: Arc<TestReports>,
    pub tickets: Arc<TestTickets>,
    pub chat: Arc<TestChat>,
    pub desk: Desk,
    pub origin: String,
    http: reqwest::Client,
}

impl Rig {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let floor = Arc::new(TestFloor {
            board: watch::Sender::new(Arc::new(board())),
            effective: watch::Sender::new(Arc::new(effective())),
            seen: Mutex::default(),
            durable: Semaphore::new(0),
            answer: Mutex::new(Ok(())),
            changed: Mutex::default(),
            decided: Mutex::default(),
            corrected: Mutex::default(),
        });
        let (records, staff) = (Arc::<TestRecords>::default(), Arc::<TestStaff>::default());
        let softphones = Arc::<TestSoftphones>::default();
        let options = Options::new(vec![origin.clone()]);
        let phones = Arc::<TestPhones>::default();
        let reports = Arc::<TestReports>::default();
        let tickets = Arc::<TestTickets>::default();
        let chat = Arc::<TestChat>::default();
        let parts = Parts {
            floor: floor.clone(),
            records: records.clone(),
            credentials: staff.clone(),
            phones: phones.clone(),
            egress: Arc::new(TestEgress),
            reports: reports.clone(),
            tickets: tickets.clone(),
            chat: chat.clone(),
            softphones: softphones.clone(),
        };
        let desk = Desk::new(parts, options);
        let service = desk::router(desk.clone()).into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self {
            floor,
            records,
            staff,
            softphones,
            phones,
            reports,
            tickets,
            chat,
            desk,
            origin,
            http: reqwest::Client::new(),
        }
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.origin))
    }

    /// A write as the page makes it.
    pub fn write(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.unmarked(method, path).header("x-branchline", "1").header("origin", &self.origin)
    }

    pub fn unmarked(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }

    pub async fn try_sign_in(&self, who: &str, password: &str) -> reqwest::Response {
        let body = serde_json::json!({ "agent": who, "password": password });
        self.write(reqwest::Method::POST, "/api/session").json(&body).send().await.unwrap()
    }

    /// The cookie of a fresh session.
    pub async fn sign_in(&self, who: &str) -> String {
        let response = self.try_sign_in(who, &format!("{who}-secret")).await;
        assert_eq!(response.status(), 200, "{who}");
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    pub async fn live(&self, cookie: &str) -> Live {
        self.try_live(cookie, Some(&self.origin)).await.unwrap()
    }

    /// The HTTP status of the refusal, if it is refused.
    pub async fn try_live(&self, cookie: &str, origin: Option<&str>) -> Result<Live, u16> {
        self.try_socket("/api/desk", cookie, origin).await
    }

    pub async fn try_socket(&self, path: &str, cookie: &str, origin: Option<&str>) -> Result<Live, u16> {
        let mut request = format!("{}{path}", self.origin.replace("http", "ws")).into_client_request().unwrap();
        if path.ends_with("/sip") {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("sip"));
        }
        request.headers_mut().insert("cookie", HeaderValue::from_str(cookie).unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Live(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }
}

pub struct Live(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Live {
    pub async fn say(&mut self, text: &str) {
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next message that has this field, and its text.
    pub async fn hear(&mut self, field: &str) -> (Value, String) {
        let wait = async {
            loop {
                if let Message::Text(text) = self.0.next().await.expect("still open").unwrap() {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    if let Some(found) = value.get(field) {
                        return (found.clone(), text.to_string());
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never heard {field}"))
    }

    /// A board with so many waiting; an answer to a command on the way to it is a failure.
    pub async fn hear_board_before_any_answer(&mut self, waiting: u32) {
        let wait = async {
            loop {
                let Message::Text(text) = self.0.next().await.expect("still open").unwrap() else { continue };
                let value: Value = serde_json::from_str(&text).unwrap();
                assert!(value.get("ack").is_none() && value.get("refused").is_none(), "too early: {text}");
                if value["board"]["queues"][0]["waiting"] == waiting {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("no such board");
    }

    /// The next text.
    pub async fn hear_text(&mut self) -> String {
        let wait = async {
            loop {
                if let Message::Text(text) = self.0.next().await.expect("still open").unwrap() {
                    return text.to_string();
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("never heard anything")
    }

    /// The code by which the box closes.
    pub async fn closed_with(&mut self) -> Option<u16> {
        let wait = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("never closed")
    }

    /// True when the box ends the connection, in whatever way.
    pub async fn ended(&mut self) -> bool {
        let wait = async { while matches!(self.0.next().await, Some(Ok(Message::Text(_) | Message::Ping(_)))) {} };
        tokio::time::timeout(PATIENCE, wait).await.is_ok()
    }

    /// The code with which the box closes.
    pub async fn closed(&mut self) -> u16 {
        let wait = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                    Some(Ok(_)) => {}
                    other => panic!("ended without a code: {other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("never closed")
    }
}

/// Waits for something that happens in another task.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

pub fn board() -> BoardAt {
    let sales = QueueLine {
        intake: floor::board::Intake::Open,
        closed: false,
        callbacks: 0,
        messages: 1,
        queue: QueueId::new("sales").unwrap(),
        label: "Sales".into(),
        waiting: 1,
        longest_wait: Duration::from_secs(12),
        expected_wait: Some((Duration::from_secs(90), Duration::from_secs(30))),
        ready: 0,
        talking: 2,
        offered_today: 10,
        answered_today: 8,
        abandoned_today: 1,
        service_level_permille: Some(888),
    };
    let agents =
        vec![talking("li", cards::LI_NOW, LI_CALLER, XSS_NAME), talking("wang", cards::WANG_NOW, WANG_CALLER, "Wu")];
    BoardAt {
        at: Instant::now(),
        board: Board {
            queues: vec![sales],
            closed: false,
            pauses: Default::default(),
            callbacks: vec![],
            agents,
            help: Help::NoLine,
            emergencies: vec![],
            notices: vec![],
            alerts: vec![],
        },
    }
}

fn talking(who: &str, contact: u128, caller_number: &str, name: &str) -> AgentLine {
    let card = ContactCard {
        callback: false,
        contact: ContactId(contact),
        queue: Some(QueueId::new("sales").unwrap()),
        caller_number: caller_number.into(),
        caller_name: Some(name.into()),
        waited: Duration::from_millis(4500),
        card_mode: false,
        recording: None,
        third: None,
        away: false,
        held: false,
        wrap_up_left: None,
        from_site: None,
        disposition: None,
        disposition_required: false,
    };
    AgentLine {
        pause: None,
        agent: agent(who),
        badge: who.to_uppercase(),
        state: AgentState::Talking,
        since: Duration::from_secs(3),
        phone: Some("201".parse().unwrap()),
        phone_registered: true,
        contact: Some(card),
        monitors: vec![MonitorLine { by: agent("zhao"), how: Monitoring::Whisper, there: true }],
    }
}

pub fn effective() -> Effective {
    let site = Site {
        id: SiteId::new("north").unwrap(),
        label: "North".into(),
        time_zone: "Asia/Shanghai".into(),
        emergency: BTreeSet::new(),
        outward: None,
        dialling: Default::default(),
        closed: false,
        pauses: BTreeMap::new(),
        dispositions: [("later", "Call again"), ("sold", "Sold"), ("evil", EVIL)]
            .map(|(code, label)| (code.parse().unwrap(), label.to_owned()))
            .into(),
        recording: Default::default(),
    };
    let sales = Queue {
        label: "Sales".into(),
        skills: BTreeMap::new(),
        music: "music".parse().unwrap(),
        position_every_s: 30,
        ring_s: 15,
        wrap_up_s: 10,
        service_level_s: 20,
        hours: None,
        recorded: true,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::LocalOnly, after_s: 60, to: vec![] },
        routing: Default::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    };
    let person = |badge: &str, queues: &[&str]| Agent {
        badge: badge.into(),
        phone: Some("201".parse().unwrap()),
        skills: BTreeMap::new(),
        queues: queues.iter().map(|queue| queue.parse().unwrap()).collect(),
    };
    let config = Config {
        site,
        queues: [(QueueId::new("sales").unwrap(), sales)].into(),
        agents: [(agent("li"), person("Li", &["sales"])), (agent("wang"), person("Wang", &[]))].into(),
        phones: [("201".parse().unwrap(), Default::default())].into(),
        trunks: BTreeMap::new(),
        numbers: BTreeMap::new(),
        flows: BTreeMap::new(),
        hours: BTreeMap::new(),
        places: BTreeMap::new(),
    };
    let findings =
        vec![Finding { severity: Severity::Warning, path: "queues/sales".into(), problem: Problem::NobodyServes }];
    let alone = vec![Alone { until: End::Disk, days: 23 }];
    Effective { config, findings, alone, drill: None }
}

pub fn rows() -> Vec<ContactRow> {
    let row = |n: u128, who: &str, number: &str, recording| ContactRow {
        cdr: Cdr {
            contact: ContactId(n),
            direction: Direction::Inbound,
            trunk: None,
            number: None,
            arrived: Millis(1_700_000_000_000 + n as i64),
            queue: None,
            queued: None,
            answered: None,
            ended: Millis(1_700_000_060_000),
            agent: Some(agent(who)),
            answered_at: None,
            outcome: cdr::Outcome::Answered,
            cause: EndCause::Caller,
            wait_ms: 4000,
            talk_ms: 50_000,
            hold_ms: 0,
            wrap_up_ms: None,
            offers: 1,
            recording: Some(recording),
            sound: None,
            released: None,
            diverted: None,
            unkeyed: None,
            consent: None,
            disposition: Some(Disposition::Code("sold".parse().unwrap())),
            corrected: None,
            called_back: None,
        },
        caller: Some(Caller { number: number.into(), name: None }),
        notes: vec![Note { agent: agent(who), at: Millis(1_700_000_055_000), version: 1, text: "Wants blue".into() }],
    };
    vec![row(2, "wang", WANG_CALLER, WANG_RECORDING), row(1, "li", LI_CALLER, LI_RECORDING)]
}
