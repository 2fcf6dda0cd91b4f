//! The house's own chat: who may enter which room, what may be said, and what reaches whom.

use std::{collections::BTreeMap, sync::Mutex};

use desk::{Chat, ChatReader, ChatRefused, Future, Unavailable};
use ledger::{ChatMessage, ChatRoom};
use model::{AgentId, Millis, chat::Room};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::rig::{Rig, XSS_NAME, agent};

/// A chat in memory.
pub struct TestChat {
    said: Mutex<Vec<ChatMessage>>,
    read: Mutex<BTreeMap<(AgentId, Room), u64>>,
    news: broadcast::Sender<ChatMessage>,
}

impl Default for TestChat {
    fn default() -> Self {
        Self { said: Mutex::default(), read: Mutex::default(), news: broadcast::Sender::new(8) }
    }
}

impl TestChat {
    fn put(&self, by: &str, room: &str, text: &str) {
        let mut said = self.said.lock().unwrap();
        let n = said.len() as u64 + 1;
        let message =
            ChatMessage { n, room: room.parse().unwrap(), by: agent(by), at: Millis(n as i64), text: text.into() };
        said.push(message.clone());
        self.news.send(message).ok();
    }
}

impl Chat for TestChat {
    fn rooms(&self, reader: ChatReader) -> Future<'_, Result<Vec<ChatRoom>, Unavailable>> {
        let read = self.read.lock().unwrap();
        let mut rooms: BTreeMap<Room, ChatRoom> = BTreeMap::new();
        for last in self.said.lock().unwrap().iter().filter(|message| reader.may(&message.room)) {
            let seen = read.get(&(reader.agent.clone(), last.room.clone())).copied().unwrap_or(0);
            let fresh = u64::from(last.by != reader.agent && last.n > seen);
            let room = last.room.clone();
            let entry = rooms.entry(room.clone()).or_insert(ChatRoom { room, last: last.clone(), unread: 0 });
            entry.unread += fresh;
            entry.last = last.clone();
        }
        Box::pin(async { Ok(rooms.into_values().collect()) })
    }

    fn messages(
        &self,
        room: Room,
        before: Option<u64>,
        limit: usize,
    ) -> Future<'_, Result<Vec<ChatMessage>, Unavailable>> {
        let said = self.said.lock().unwrap();
        let fits = |message: &&ChatMessage| message.room == room && before.is_none_or(|before| message.n < before);
        let found: Vec<_> = said.iter().filter(fits).cloned().collect();
        let found = found[found.len().saturating_sub(limit)..].to_vec();
        Box::pin(async { Ok(found) })
    }

    fn say(&self, by: AgentId, room: Room, text: String) -> Future<'_, Result<(), ChatRefused>> {
        if text == "flood" {
            return Box::pin(async { Err(ChatRefused::TooMany) });
        }
        self.put(by.as_str(), &room.to_string(), &text);
        Box::pin(async { Ok(()) })
    }

    fn read(&self, by: AgentId, room: Room, n: u64) -> Future<'_, Result<(), Unavailable>> {
        self.read.lock().unwrap().insert((by, room), n);
        Box::pin(async { Ok(()) })
    }

    fn news(&self) -> broadcast::Receiver<ChatMessage> {
        self.news.subscribe()
    }
}

async fn get(rig: &Rig, cookie: &str, path: &str) -> (u16, Value) {
    let answer = rig.get(&format!("/api/chat{path}")).header("cookie", cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn post(rig: &Rig, cookie: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = rig.write(Method::POST, &format!("/api/chat{path}")).header("cookie", cookie).json(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default()["error"]["code"].clone())
}

#[tokio::test]
async fn a_room_is_open_to_those_it_is_for_and_to_nobody_else() {
    let rig = Rig::start().await;
    let (li, wang, zhao) = (rig.sign_in("li").await, rig.sign_in("wang").await, rig.sign_in("zhao").await);
    // Li is of the queue sales, wang of none; zhao is a supervisor without a place on the floor.
    for (room, [of_li, of_wang, of_zhao]) in [
        ("two.li.wang", [204, 204, 404]),
        ("two.li.zhao", [404, 404, 204]),
        ("queue.sales", [204, 404, 204]),
        ("queue.none", [404, 404, 404]),
        ("supervisors.li", [204, 404, 204]),
        ("supervisors.nobody", [404, 404, 404]),
        ("two.li.li", [404, 404, 404]),
        ("everybody", [404, 404, 404]),
    ] {
        for (who, cookie, expected) in [("li", &li, of_li), ("wang", &wang, of_wang), ("zhao", &zhao, of_zhao)] {
            let (status, _) = post(&rig, cookie, &format!("/{room}"), &json!({ "text": "hello" })).await;
            assert_eq!(status, expected, "{who} in {room}");
            let entered = get(&rig, cookie, &format!("/{room}")).await.0;
            let may_read = expected == 204
                || room == "two.li.zhao" && who == "li"
                || room.starts_with("queue.n") && who == "zhao"
                || room == "supervisors.nobody" && who == "zhao";
            assert_eq!(entered, if may_read { 200 } else { 404 }, "{who} reads {room}");
        }
    }
    // Once a supervisor has written, the answer finds its way.
    assert_eq!(post(&rig, &li, "/two.li.zhao", &json!({ "text": "hello" })).await.0, 204);
    assert_eq!(get(&rig, "", "").await.0, 401);
    let unmarked = rig.unmarked(Method::POST, "/api/chat/queue.sales").header("cookie", &li);
    assert_eq!(unmarked.json(&json!({ "text": "x" })).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn what_is_written_reaches_those_who_may_read_it_while_they_look_and_as_text() {
    let rig = Rig::start().await;
    let (li, wang, zhao) = (rig.sign_in("li").await, rig.sign_in("wang").await, rig.sign_in("zhao").await);
    let mut pages = [rig.live(&li).await, rig.live(&wang).await, rig.live(&zhao).await];
    for page in &mut pages {
        page.hear("board").await;
    }
    let [of_li, of_wang, of_zhao] = &mut pages;
    assert_eq!(post(&rig, &li, "/queue.sales", &json!({ "text": XSS_NAME })).await.0, 204);
    for page in [&mut *of_li, of_zhao] {
        let (heard, _) = page.hear("chat").await;
        assert_eq!(
            (&heard["text"], &heard["by"], &heard["room"]),
            (&json!(XSS_NAME), &json!("li"), &json!("queue.sales"))
        );
    }
    assert_eq!(post(&rig, &li, "/two.wang.li", &json!({ "text": "one\r\ntwo\u{7}" })).await.0, 204);
    let (heard, _) = of_wang.hear("chat").await;
    assert_eq!(
        (&heard["text"], &heard["room"]),
        (&json!("one\ntwo"), &json!("two.li.wang")),
        "the first that wang hears"
    );
    assert_eq!(post(&rig, &wang, "/supervisors.wang", &json!({ "text": "help" })).await.0, 204);
    assert_eq!(of_zhao.hear("chat").await.0["text"], "help", "and nothing of what two said");
}

#[tokio::test]
async fn what_is_not_read_is_counted_and_rooms_page_backwards() {
    let rig = Rig::start().await;
    let (li, wang) = (rig.sign_in("li").await, rig.sign_in("wang").await);
    for n in 0..60 {
        rig.chat.put("wang", "two.li.wang", &n.to_string());
    }
    let unread = async |cookie: &str| get(&rig, cookie, "").await.1["rooms"][0]["unread"].clone();
    assert_eq!((unread(&li).await, unread(&wang).await), (json!(60), json!(0)));
    let queues = async |cookie: &str| get(&rig, cookie, "").await.1["queues"].clone();
    assert_eq!((queues(&li).await, queues(&wang).await), (json!(["sales"]), json!([])));
    let (_, last) = get(&rig, &li, "/two.li.wang").await;
    let texts = |page: &Value| {
        let messages = page["messages"].as_array().unwrap().clone();
        (messages.len(), messages[0]["text"].clone(), page["more"].clone())
    };
    assert_eq!(texts(&last), (50, json!("10"), json!(true)));
    assert_eq!(texts(&get(&rig, &li, "/two.li.wang?before=11").await.1), (10, json!("0"), json!(false)));
    assert_eq!(post(&rig, &li, "/two.li.wang/read", &json!({ "n": 58 })).await.0, 204);
    assert_eq!(unread(&li).await, json!(2));
    assert_eq!(post(&rig, &wang, "/supervisors.li/read", &json!({ "n": 1 })).await.0, 404);
}

#[tokio::test]
async fn what_says_nothing_or_too_much_or_comes_too_fast_is_refused() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    for (body, status, code) in [
        (json!({ "text": "x".repeat(2_000) }), 204, Value::Null),
        (json!({ "text": "x".repeat(2_001) }), 400, json!("bad_request")),
        (json!({ "text": " \n\t" }), 400, json!("bad_request")),
        (json!({}), 400, json!("bad_request")),
        (json!({ "text": "x", "by": "wang" }), 400, json!("bad_request")),
        (json!({ "text": "flood" }), 429, json!("too_fast")),
    ] {
        assert_eq!(post(&rig, &li, "/queue.sales", &body).await, (status, code));
    }
}
