//! The house's own chat in the ledger: in order, counted for each reader, sealed, and gone after its time.

use std::fs;

use ledger::{Batch, CHAT_KEPT_DAYS, CHAT_MINUTE_MAX, CHAT_TEXT_LEN_MAX, ChatRead, ChatWrite, Error, Ledger};
use model::{AgentId, Millis, chat::Room};

use crate::support::Place;

const DAY_MS: i64 = 24 * 3_600 * 1_000;
const NOW: i64 = 1_796_000_000_000;

fn agent(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

fn room(text: &str) -> Room {
    text.parse().unwrap()
}

fn write(by: &str, to: &str, at: i64, text: &str) -> ChatWrite {
    ChatWrite { room: room(to), by: agent(by), at: Millis(at), text: text.into() }
}

fn say(ledger: &Ledger, write: ChatWrite) -> Result<(), Error> {
    ledger.writer().submit(Batch { chat: vec![write], ..Batch::default() }).wait().map(drop)
}

fn texts(ledger: &Ledger, of: &str) -> Vec<String> {
    let messages = ledger.reader().unwrap().chat(&room(of), None, 100).unwrap();
    messages.iter().map(|message| message.text.clone()).collect()
}

fn unread(ledger: &Ledger, who: &str) -> Vec<(String, u64)> {
    let rooms = ledger.reader().unwrap().chat_rooms(&agent(who), |_| true).unwrap();
    rooms.into_iter().map(|found| (found.room.to_string(), found.unread)).collect()
}

fn is_in_a_file(place: &Place, needle: &[u8]) -> bool {
    let mut files = fs::read_dir(place.dir.path()).unwrap();
    files.any(|file| fs::read(file.unwrap().path()).unwrap().windows(needle.len()).any(|w| w == needle))
}

#[test]
fn messages_stand_in_order_after_a_power_cut_and_nobody_reads_them_in_the_file() {
    let place = Place::new();
    let ledger = place.open();
    for (by, text) in [("li", "Where is the blue one?"), ("wang", "On the left 语"), ("li", "<b>Thanks</b>")] {
        say(&ledger, write(by, "two.li.wang", NOW, text)).unwrap();
    }
    say(&ledger, write("li", "queue.sales", NOW, "Lunch")).unwrap();
    let other = Place::new();
    for file in fs::read_dir(place.dir.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), other.dir.path().join(file.file_name())).unwrap();
    }
    let found = texts(&other.open(), "two.li.wang");
    assert_eq!(found, ["Where is the blue one?", "On the left 语", "<b>Thanks</b>"]);
    assert!(!is_in_a_file(&place, b"blue one"));
}

#[test]
fn each_reader_has_a_count_that_goes_up_with_others_words_and_never_back() {
    let place = Place::new();
    let ledger = place.open();
    for n in 0..3 {
        say(&ledger, write("li", "queue.sales", NOW + n, "x")).unwrap();
    }
    say(&ledger, write("wang", "two.li.wang", NOW + 5, "x")).unwrap();
    let line = |room: &str, count| (room.to_owned(), count);
    assert_eq!(unread(&ledger, "wang"), [line("two.li.wang", 0), line("queue.sales", 3)], "the latest first");
    assert_eq!(unread(&ledger, "li"), [line("two.li.wang", 1), line("queue.sales", 0)]);
    let read = |n| {
        let read = ChatRead { by: agent("wang"), room: room("queue.sales"), n };
        ledger.writer().submit(Batch { chat_read: vec![read], ..Batch::default() }).wait().unwrap();
    };
    read(2);
    read(1);
    assert_eq!(unread(&ledger, "wang")[1], line("queue.sales", 1));
    say(&ledger, write("wang", "queue.sales", NOW + 9, "I have read all of it")).unwrap();
    assert_eq!(unread(&ledger, "wang")[0], line("queue.sales", 0));
}

#[test]
fn after_its_time_a_day_goes_with_its_key_and_the_next_stays() {
    let place = Place::new();
    let ledger = place.open();
    say(&ledger, write("li", "queue.sales", NOW, "old")).unwrap();
    say(&ledger, write("li", "queue.sales", NOW + DAY_MS, "younger")).unwrap();
    let sealed: Vec<u8> = {
        let db = rusqlite::Connection::open(&place.path).unwrap();
        db.query_row("SELECT sealed FROM chat ORDER BY n LIMIT 1", [], |row| row.get(0)).unwrap()
    };
    say(&ledger, write("li", "queue.sales", NOW + CHAT_KEPT_DAYS * DAY_MS, "to the last moment")).unwrap();
    assert_eq!(texts(&ledger, "queue.sales").len(), 3);
    say(&ledger, write("li", "queue.sales", NOW + CHAT_KEPT_DAYS * DAY_MS + 1, "new")).unwrap();
    assert_eq!(texts(&ledger, "queue.sales"), ["younger", "to the last moment", "new"]);
    ledger.close();
    assert!(!is_in_a_file(&place, &sealed), "what is over lies in no file");
}

#[test]
fn nobody_floods_the_house_and_a_message_has_a_length() {
    let place = Place::new();
    let ledger = place.open();
    let flood = (0..CHAT_MINUTE_MAX).map(|_| write("li", "queue.sales", NOW, "x")).collect();
    ledger.writer().submit(Batch { chat: flood, ..Batch::default() }).wait().unwrap();
    let (len, max) = (CHAT_MINUTE_MAX + 1, CHAT_MINUTE_MAX);
    let refused = Err(Error::TooLarge { what: "messages in a minute", len, max });
    assert_eq!(say(&ledger, write("li", "two.li.wang", NOW + 59_999, "x")), refused);
    assert_eq!(say(&ledger, write("wang", "two.li.wang", NOW + 59_999, "x")), Ok(()), "others are not kept from it");
    assert_eq!(say(&ledger, write("li", "two.li.wang", NOW + 60_000, "x")), Ok(()));
    let len = CHAT_TEXT_LEN_MAX + 1;
    let refused = Err(Error::TooLarge { what: "bytes of a message", len, max: CHAT_TEXT_LEN_MAX });
    assert_eq!(say(&ledger, write("wang", "two.li.wang", NOW, &"x".repeat(len))), refused);
}
