//! A server that goes away, several writers, and one who tells the others.

use std::time::{Duration, Instant};

use db::{Db, site, touched};
use harness::postgres::Postgres;
use model::{Millis, SiteId};
use stores::address;

use crate::{
    BOX, START,
    ingest::{effects, numbered, take},
};

const PATIENCE: Duration = Duration::from_secs(20);

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server with one database, and a site and a box in it.
fn begun() -> (Postgres, String, Db) {
    let server = Postgres::start().unwrap();
    let url = server.database("cloud").unwrap();
    let db = Db::connect(&address(&url)).unwrap();
    crate::write(&db, |conn| {
        site::add(conn, &crate::site(), Millis(START))?;
        db::boxes::add(conn, BOX, &crate::site(), Millis(START))
    });
    (server, url, db)
}

#[test]
fn what_was_acknowledged_is_there_when_the_server_has_died_and_come_back_and_writing_goes_on() {
    let (mut server, _, db) = begun();
    take(&db, numbered(1, 3)).unwrap();
    server.stop();
    assert!(take(&db, numbered(4, 6)).is_err(), "nothing is acknowledged that nobody keeps");
    assert!(!db.is_stopped(), "a server that is away is not the end");
    server.launch().unwrap();
    let taken = until("the server", || take(&db, numbered(4, 6)).ok());
    assert_eq!(taken.watermark, 6);
    assert_eq!(effects(&db), (6, 6));
}

#[test]
fn rows_that_two_instances_are_sent_take_effect_once() {
    let (_server, url, first) = begun();
    let second = Db::connect(&address(&url)).unwrap();
    std::thread::scope(|scope| {
        for db in [&first, &second] {
            scope.spawn(move || {
                for n in 0..40 {
                    // A gap is the other's answer that this one has not seen yet; it asks again.
                    while take(db, numbered(n * 5 + 1, n * 5 + 9)).is_err() {}
                }
            });
        }
    });
    assert_eq!(effects(&first), (204, 204));
    assert_eq!(effects(&second), (204, 204));
}

#[test]
fn one_instance_hears_what_the_other_has_changed() {
    let (_server, url, first) = begun();
    let second = Db::connect(&address(&url)).unwrap();
    let mut woken = second.woken().unwrap();
    until("the ear", || (*woken.borrow() > 0).then_some(()));
    let seen = crate::read(&second, touched::turn);
    woken.mark_unchanged();
    take(&first, numbered(1, 2)).unwrap();
    until("the wake-up", || woken.has_changed().unwrap().then_some(()));
    let told = crate::read(&second, |conn| touched::since(conn, seen));
    assert_eq!(
        told.iter().map(|told| (told.site.as_str(), told.what)).collect::<Vec<_>>(),
        [("north", touched::What::Figures)]
    );
    assert_eq!(crate::read(&second, |conn| touched::since(conn, told[0].turn)), []);
}

#[test]
fn two_that_begin_at_once_make_the_schema_once() {
    let server = Postgres::start().unwrap();
    let url = server.database("cloud").unwrap();
    std::thread::scope(|scope| {
        let begin = || Db::connect(&address(&url)).map(drop);
        let all: Vec<_> = (0..4).map(|_| scope.spawn(begin)).collect();
        for one in all {
            one.join().unwrap().unwrap();
        }
    });
    assert_eq!(server.sql("cloud", "SELECT count(*) = max(step) FROM schema_step").unwrap(), "t");
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let (server, url, db) = begun();
    drop(db);
    server.sql("cloud", "INSERT INTO schema_step VALUES (999)").unwrap();
    assert!(matches!(Db::connect(&address(&url)), Err(db::Error::Newer { found: 999, .. })));
}

#[test]
fn the_fault_of_an_address_is_told_without_the_password() {
    let server = db::Server { url: "postgres://app:geheim@[".into(), password: None, ca: None };
    let error = Db::connect(&server).map(drop).unwrap_err();
    assert!(!error.to_string().contains("geheim") && !format!("{server:?}").contains("geheim"), "{error}");
    let nowhere = db::Server { url: "host=/nonexistent user=app dbname=x".into(), password: None, ca: None };
    let error = Db::connect(&nowhere).map(drop).unwrap_err().to_string();
    assert!(error.contains("No such file"), "{error}");
    let _ = SiteId::new("north");
}
