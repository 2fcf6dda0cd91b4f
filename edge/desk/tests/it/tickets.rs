//! Tickets at the desk: who sees which, what may be asked, and what reaches a page while it looks.

use std::sync::Mutex;

use desk::{
    Caller, Future, TicketActed, TicketContact, TicketLine, TicketList, TicketNews, TicketOpened, TicketRefused,
    TicketRow, TicketShown, Tickets, TicketsWanted, Unavailable,
};
use model::{
    AgentId, ContactId, Millis, TicketId,
    ticket::{Clock, Priority, Promise, Said, State, Terms, Ticket, Ticketed},
};
use reqwest::Method;
use serde_json::{Value, json};
use ticket::Act;
use tokio::sync::broadcast;

use crate::{
    cards::{LI_NOW, WANG_NOW},
    rig::{LI_CALLER, Rig, XSS_NAME, agent, rows, until},
};

/// Of the queue sales, which is li's, and nobody has it; wang's own.
const OF_SALES: u128 = 0x71;
const OF_WANG: u128 = 0x72;

pub struct TestTickets {
    pub opened: Mutex<Vec<TicketOpened>>,
    pub acted: Mutex<Vec<TicketActed>>,
    pub wanted: Mutex<Vec<TicketsWanted>>,
    pub terms: Mutex<Vec<(AgentId, Terms)>>,
    pub news: broadcast::Sender<TicketNews>,
}

impl Default for TestTickets {
    fn default() -> Self {
        let news = broadcast::Sender::new(4);
        Self {
            opened: Mutex::default(),
            acted: Mutex::default(),
            wanted: Mutex::default(),
            terms: Mutex::default(),
            news,
        }
    }
}

fn ticket(id: u128) -> TicketRow {
    let clock = Clock { budget_ms: 1, spent_ms: 0, since: None, warned: false, breached: None, done: None };
    let ticket = Ticket {
        ticket: TicketId(id),
        number: 7,
        version: 3,
        state: State::WaitsForUs,
        priority: Priority::High,
        category: None,
        queue: (id == OF_SALES).then(|| "sales".parse().unwrap()),
        assignee: (id == OF_WANG).then(|| agent("wang")),
        contacts: vec![ContactId(2)],
        opened: Millis(1),
        opened_by: agent("zhao"),
        changed: Millis(2),
        first_answer: clock,
        resolution: clock,
        solved: None,
    };
    TicketRow { ticket, subject: Some(XSS_NAME.into()), due: Default::default() }
}

impl Tickets for TestTickets {
    fn list(&self, wanted: TicketsWanted) -> Future<'_, Result<TicketList, Unavailable>> {
        let tickets =
            [OF_SALES, OF_WANG].map(ticket).into_iter().filter(|row| wanted.reader.sees(&row.ticket)).collect();
        self.wanted.lock().unwrap().push(wanted);
        Box::pin(async { Ok(TicketList { tickets, now: Millis(9), more: false }) })
    }

    fn ticket(&self, wanted: TicketId) -> Future<'_, Result<Option<TicketShown>, Unavailable>> {
        let what = Ticketed::Commented { said: Said::Inside };
        let entries = vec![TicketLine { at: Millis(2), by: Some(agent("wang")), what, text: Some(XSS_NAME.into()) }];
        let caller = Some(Caller { number: LI_CALLER.into(), name: None });
        let cdr = rows().into_iter().map(|row| row.cdr).find(|cdr| cdr.contact == ContactId(2));
        let contacts = vec![TicketContact { contact: ContactId(2), cdr, caller }];
        let known = [OF_SALES, OF_WANG].contains(&wanted.0);
        let shown = known.then(|| TicketShown { row: ticket(wanted.0), entries, contacts, now: Millis(9) });
        Box::pin(async { Ok(shown) })
    }

    fn of_contact(&self, _: ContactId) -> Future<'_, Result<TicketList, Unavailable>> {
        Box::pin(async { Ok(TicketList { tickets: vec![ticket(OF_WANG)], now: Millis(9), more: false }) })
    }

    fn open(&self, opened: TicketOpened) -> Future<'_, Result<TicketId, TicketRefused>> {
        self.opened.lock().unwrap().push(opened);
        Box::pin(async { Ok(TicketId(OF_SALES)) })
    }

    fn act(&self, acted: TicketActed) -> Future<'_, Result<(), TicketRefused>> {
        let done = match acted.base {
            3 if acted.acts.contains(&Act::Move { to: State::Closed }) => {
                let (from, to) = (State::WaitsForUs, State::Closed);
                Err(ticket::Refused::Illegal { from, to }.into())
            }
            3 => Ok(()),
            _ => Err(TicketRefused::Changed { version: 3 }),
        };
        self.acted.lock().unwrap().push(acted);
        Box::pin(async { done })
    }

    fn terms(&self) -> Future<'_, Result<Terms, Unavailable>> {
        Box::pin(async { Ok(Terms::default()) })
    }

    fn set_terms(&self, by: AgentId, terms: Terms) -> Future<'_, Result<(), Unavailable>> {
        self.terms.lock().unwrap().push((by, terms));
        Box::pin(async { Ok(()) })
    }

    fn news(&self) -> broadcast::Receiver<TicketNews> {
        self.news.subscribe()
    }
}

async fn get(rig: &Rig, cookie: &str, path: &str) -> (u16, Value) {
    let answer = rig.get(path).header("cookie", cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn post(rig: &Rig, cookie: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = rig.write(Method::POST, path).header("cookie", cookie).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

fn path(id: u128) -> String {
    format!("/api/tickets/{id:032x}")
}

#[tokio::test]
async fn an_agent_sees_tickets_of_the_own_queues_and_of_the_own_and_no_others() {
    let rig = Rig::start().await;
    let (li, wang, zhao) = (rig.sign_in("li").await, rig.sign_in("wang").await, rig.sign_in("zhao").await);
    for (cookie, sees) in [(&li, vec![OF_SALES]), (&wang, vec![OF_WANG]), (&zhao, vec![OF_SALES, OF_WANG])] {
        let (status, found) = get(&rig, cookie, "/api/tickets").await;
        let ids: Vec<_> = found["tickets"].as_array().unwrap().iter().map(|one| one["ticket"].clone()).collect();
        assert_eq!((status, ids), (200, sees.iter().map(|id| json!(format!("{id:032x}"))).collect()));
        for id in [OF_SALES, OF_WANG] {
            let expected = if sees.contains(&id) { 200 } else { 404 };
            assert_eq!(get(&rig, cookie, &path(id)).await.0, expected, "{id:x}");
            let body = json!({ "base": 3, "acts": [{ "do": "move", "to": "solved" }] });
            assert_eq!(post(&rig, cookie, &path(id), &body).await.0, expected, "{id:x}");
        }
    }
    assert_eq!(get(&rig, &zhao, &path(0x73)).await.0, 404);
    assert_eq!(get(&rig, "", "/api/tickets").await.0, 401);
}

#[tokio::test]
async fn a_ticket_says_whom_to_call_where_it_may_go_and_links_what_the_reader_may_hear() {
    let rig = Rig::start().await;
    let (li, wang) = (rig.sign_in("li").await, rig.sign_in("wang").await);
    let (_, of_li) = get(&rig, &li, &path(OF_SALES)).await;
    assert_eq!(of_li["subject"], XSS_NAME, "text of a JSON string");
    assert_eq!(of_li["moves"], json!(["waits_for_customer", "solved"]));
    assert_eq!(of_li["entries"][0]["text"], XSS_NAME);
    assert_eq!(of_li["links"][0]["caller"]["number"], LI_CALLER);
    assert_eq!(of_li["links"][0]["recording"], Value::Null, "wang's talk is not li's to hear");
    let (_, of_wang) = get(&rig, &wang, &path(OF_WANG)).await;
    assert!(of_wang["links"][0]["recording"].is_string());
}

#[tokio::test]
async fn what_is_done_is_checked_whole_and_a_stale_hand_hears_of_a_conflict() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    let acts = json!([
        { "do": "comment", "said": "to_customer", "text": "We come\r\non Friday\u{7}" },
        { "do": "move", "to": "waits_for_customer" },
        { "do": "assign", "agent": "li", "queue": "sales" },
        { "do": "rename", "subject": " Two\nlines " },
    ]);
    assert_eq!(post(&rig, &li, &path(OF_SALES), &json!({ "base": 3, "acts": acts })).await.0, 200);
    let acted = rig.tickets.acted.lock().unwrap()[0].clone();
    assert_eq!((acted.by, acted.comment.as_deref()), (agent("li"), Some("We come\non Friday")));
    assert_eq!(acted.subject.as_deref(), Some("Two lines"));
    assert_eq!(acted.acts.len(), 4);
    for (base, act, status, code) in [
        (2, json!({ "do": "rate", "priority": "low" }), 409, "ticket_changed"),
        (3, json!({ "do": "move", "to": "closed" }), 409, "illegal_move"),
        (3, json!({ "do": "assign", "agent": "nobody", "queue": null }), 400, "bad_request"),
        (3, json!({ "do": "assign", "agent": null, "queue": "none" }), 400, "bad_request"),
        (3, json!({ "do": "comment", "said": "inside", "text": " \n" }), 400, "bad_request"),
        (3, json!({ "do": "comment", "said": "inside", "text": "x".repeat(4_001) }), 400, "bad_request"),
        (3, json!({ "do": "rename", "subject": "\t" }), 400, "bad_request"),
        (3, json!({ "do": "erase" }), 400, "bad_request"),
        (3, json!({ "do": "link", "contact": format!("{WANG_NOW:032x}") }), 404, "not_found"),
    ] {
        let (found, told) = post(&rig, &li, &path(OF_SALES), &json!({ "base": base, "acts": [act] })).await;
        assert_eq!((found, &told["error"]["code"]), (status, &json!(code)), "{act}");
    }
    let rate = json!({ "do": "rate", "priority": "low" });
    for count in [0, 11] {
        let body = json!({ "base": 3, "acts": vec![rate.clone(); count] });
        assert_eq!(post(&rig, &li, &path(OF_SALES), &body).await.0, 400, "{count}");
    }
    assert_eq!(rig.tickets.acted.lock().unwrap().len(), 3, "what was not understood reached nobody");
}

#[tokio::test]
async fn a_ticket_is_opened_from_a_contact_of_the_own_only() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    let body = |contact: u128| {
        json!({ "subject": "Broken on arrival", "text": "Wants another", "queue": "sales", "priority": "urgent",
                "contact": format!("{contact:032x}") })
    };
    let (status, made) = post(&rig, &li, "/api/tickets", &body(LI_NOW)).await;
    assert_eq!((status, made), (200, json!({ "ticket": format!("{OF_SALES:032x}") })));
    assert_eq!(post(&rig, &li, "/api/tickets", &body(WANG_NOW)).await.0, 404);
    for bad in [
        json!({}),
        json!({ "subject": "" }),
        json!({ "subject": "x".repeat(201) }),
        json!({ "subject": "x", "by": "y" }),
    ] {
        assert_eq!(post(&rig, &li, "/api/tickets", &bad).await.0, 400, "{bad}");
    }
    let opened = rig.tickets.opened.lock().unwrap().clone();
    assert_eq!(opened.len(), 1);
    assert_eq!((opened[0].contact, opened[0].priority), (Some(ContactId(LI_NOW)), Priority::Urgent));
    let (status, of_customer) = get(&rig, &li, &format!("/api/contacts/{LI_NOW:032x}/tickets")).await;
    assert_eq!((status, of_customer["tickets"].as_array().map(Vec::len)), (200, Some(1)), "a colleague's too");
    assert_eq!(get(&rig, &li, &format!("/api/contacts/{WANG_NOW:032x}/tickets")).await.0, 404);
}

#[tokio::test]
async fn news_reach_whom_may_see_the_ticket_and_alarms_whom_they_are_for() {
    let rig = Rig::start().await;
    let (li, wang, zhao) = (rig.sign_in("li").await, rig.sign_in("wang").await, rig.sign_in("zhao").await);
    let mut pages = [rig.live(&li).await, rig.live(&wang).await, rig.live(&zhao).await];
    for page in &mut pages {
        page.hear("board").await;
    }
    let news = |assignee: Option<&str>, by: Option<&str>, told: Ticketed| TicketNews {
        ticket: TicketId(OF_SALES),
        number: 7,
        queue: Some("sales".parse().unwrap()),
        assignee: assignee.map(agent),
        opened_by: agent("zhao"),
        by: by.map(agent),
        told: vec![told],
    };
    let assigned = |to: &str| Ticketed::Assigned { agent: Some(agent(to)), queue: None };
    rig.tickets.news.send(news(Some("li"), Some("zhao"), assigned("li"))).unwrap();
    let [of_li, of_wang, of_zhao] = &mut pages;
    assert_eq!(of_li.hear("ticket").await.0["alarm"], json!({ "is": "assigned" }));
    assert_eq!(of_zhao.hear("ticket").await.0["alarm"], Value::Null, "whoever gave it knows");
    let breached = Ticketed::Breached { promise: Promise::Resolution };
    rig.tickets.news.send(news(Some("wang"), None, breached.clone())).unwrap();
    let alarm = json!({ "is": "breached", "promise": "resolution" });
    assert_eq!(of_wang.hear("ticket").await.0["alarm"], alarm, "wang heard nothing before");
    assert_eq!(of_zhao.hear("ticket").await.0["alarm"], alarm);
    assert_eq!(of_li.hear("ticket").await.0["alarm"], Value::Null, "a colleague has it");
    rig.tickets.news.send(news(None, None, breached)).unwrap();
    assert_eq!(of_li.hear("ticket").await.0["alarm"], alarm, "what nobody has is everybody's");
}

#[tokio::test]
async fn promises_are_a_supervisors_and_those_that_cannot_be_made_are_refused() {
    let rig = Rig::start().await;
    let (li, zhao) = (rig.sign_in("li").await, rig.sign_in("zhao").await);
    let (status, mut terms) = get(&rig, &li, "/api/ticket-terms").await;
    assert_eq!((status, &terms["warn_percent"]), (200, &json!(80)));
    terms["categories"] = json!({ "delivery": "Delivery" });
    assert_eq!(post(&rig, &li, "/api/ticket-terms", &terms).await.0, 403);
    assert_eq!(post(&rig, &zhao, "/api/ticket-terms", &terms).await.0, 204);
    assert_eq!(rig.tickets.terms.lock().unwrap()[0].0, agent("zhao"));
    terms["warn_percent"] = json!(0);
    terms["hours"] = json!("never");
    let (status, told) = post(&rig, &zhao, "/api/ticket-terms", &terms).await;
    assert_eq!((status, &told["error"]["code"]), (422, &json!("bad_terms")));
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("percent") && message.contains("never"), "all at once: {message}");
    until("both are told", || rig.tickets.terms.lock().unwrap().len() == 1).await;
}

#[tokio::test]
async fn what_is_looked_for_is_asked_as_it_was_said() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    let query =
        "/api/tickets?state=solved&queue=sales&assignee=li&priority=urgent&text=%20blue%20&closed=true&limit=999";
    assert_eq!(get(&rig, &li, query).await.0, 200);
    let wanted = rig.tickets.wanted.lock().unwrap()[0].clone();
    assert_eq!((wanted.text.as_deref(), wanted.limit, wanted.closed), (Some("blue"), 200, true));
    assert_eq!((wanted.state, wanted.priority), (Some(State::Solved), Some(Priority::Urgent)));
    assert_eq!((wanted.reader.agent, wanted.reader.queues.len()), (agent("li"), 1));
    for bad in ["state=gone", "assignee=No%20One", "nonsense=1", &format!("text={}", "x".repeat(101))] {
        assert_eq!(get(&rig, &li, &format!("/api/tickets?{bad}")).await.0, 400, "{bad}");
    }
}
