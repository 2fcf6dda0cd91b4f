//! What each noun promises.

use db::{
    Connection, Db, Error, audit, boxes, bundle, change, egress,
    enrolment::{self, Claim, Redeemed},
    session, site, sync_state,
    user::{self, Role, Scope, User},
};
use model::{BoxId, Millis, SiteId, change::Doc};

use crate::{BOX, START, fresh, read, write};

const MINUTE: i64 = 60_000;

fn claim(key: u8, box_id: u128) -> Claim {
    Claim { code: [1; 32], key: [key; 32], box_id: BoxId(box_id) }
}

#[test]
fn an_enrolment_code_works_once_and_a_lost_answer_can_be_asked_for_again() {
    let (_dir, db) = fresh();
    let granted = |box_id| Redeemed::Granted { box_id: BoxId(box_id), site: crate::site() };
    let redeem = |claim: Claim, at| write(&db, move |conn| enrolment::redeem(conn, &claim, Millis(START + at)));
    assert_eq!(redeem(claim(1, 20), 0), Redeemed::Unknown);
    write(&db, |conn| enrolment::issue(conn, &[1; 32], &crate::site(), Millis(START), Millis(START + 10 * MINUTE)));
    assert_eq!(redeem(claim(1, 20), MINUTE), granted(20));
    assert_eq!(redeem(claim(1, 21), MINUTE), granted(20), "the same key gets the same box");
    assert_eq!(redeem(claim(2, 22), MINUTE), Redeemed::Used);
    assert_eq!(redeem(claim(1, 20), 10 * MINUTE), Redeemed::Expired);
    let there = read(&db, |conn| boxes::of_site(conn, &crate::site()));
    assert_eq!(there.iter().map(|device| device.id.0).collect::<Vec<_>>(), [7, 20]);
}

#[test]
fn a_box_that_tells_two_stories_is_remembered_with_both() {
    let (_dir, db) = fresh();
    let shown = |first: u64, count: u32, root: u8| egress::Shown {
        origin: [9; 32],
        first,
        count,
        at: Millis(START),
        root: [root; 32],
        signature: vec![1, 2],
    };
    let keep =
        |shown: egress::Shown, at: i64| write(&db, move |conn| egress::keep(conn, BOX, &shown, Millis(START + at)));
    assert_eq!(keep(shown(0, 10, 1), 1), Some(Millis(START + 1)));
    assert_eq!(keep(shown(0, 10, 1), 5), Some(Millis(START + 1)), "shown again, it was seen at first");
    assert_eq!(keep(shown(10, 1_000, 2), 6), Some(Millis(START + 6)));
    let seen = read(&db, egress::seen);
    assert_eq!((seen[0].line, seen[0].at, seen[0].disputed), (1_009, Millis(START + 6), 0));
    // Another root over the same lines, another length, and one that only overlaps.
    for (at, story) in [(7, shown(10, 1_000, 3)), (8, shown(10, 4, 4)), (9, shown(1_000, 20, 5))] {
        assert_eq!(keep(story, at), Some(Millis(START + at)));
    }
    let seen = read(&db, egress::seen);
    assert_eq!((seen[0].line, seen[0].disputed), (1_019, 3));
    let audit = read(&db, |conn| audit::page(conn, i64::MAX, 10));
    assert_eq!(audit.iter().filter(|entry| entry.what == "egress.contradiction").count(), 3);
    // What goes on after them contradicts nobody.
    keep(shown(1_020, 5, 6), 10);
    assert_eq!(read(&db, egress::seen)[0].disputed, 3);
}

#[test]
fn a_box_that_contradicts_itself_all_day_fills_no_disk() {
    let (_dir, db) = fresh();
    write(&db, |conn| {
        let shown = |root: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&root.to_be_bytes());
            egress::Shown { origin: [9; 32], first: 0, count: 1, at: Millis(0), root: bytes, signature: vec![] }
        };
        for root in 0..=1_000 {
            assert!(egress::keep(conn, BOX, &shown(root), Millis(START))?.is_some(), "{root}");
        }
        assert_eq!(egress::keep(conn, BOX, &shown(1_001), Millis(START))?, None);
        Ok(())
    });
}

#[test]
fn an_expired_code_enrols_nobody() {
    let (_dir, db) = fresh();
    let outcome = write(&db, |conn| {
        enrolment::issue(conn, &[1; 32], &crate::site(), Millis(START), Millis(START + MINUTE))?;
        enrolment::redeem(conn, &claim(1, 20), Millis(START + MINUTE))
    });
    assert_eq!(outcome, Redeemed::Expired);
    assert_eq!(read(&db, |conn| boxes::one(conn, BoxId(20))), None);
}

#[test]
fn a_revoked_box_stays_revoked() {
    let (_dir, db) = fresh();
    assert!(write(&db, |conn| boxes::revoke(conn, BOX, Millis(START + 1))));
    assert!(!write(&db, |conn| boxes::revoke(conn, BOX, Millis(START + 2))));
    assert_eq!(read(&db, |conn| boxes::one(conn, BOX)).unwrap().revoked, Some(Millis(START + 1)));
}

fn of(site: &SiteId) -> change::Of<'_> {
    change::Of { site, doc: Doc::Site }
}

#[test]
fn changes_are_kept_once_in_order_and_the_heads_follow() {
    let (_dir, db) = fresh();
    let link = |hash: u8, deps: &[u8]| change::Change {
        hash: [hash; 32],
        deps: deps.iter().map(|dep| [*dep; 32]).collect(),
        bytes: vec![hash],
    };
    let signed = change::Signed { author: "ann@example.org".into(), note: String::new(), at: Millis(START) };
    let first = [link(1, &[]), link(2, &[1]), link(3, &[1])];
    let second = [link(2, &[1]), link(4, &[2, 3])];
    let (one, two) = (signed.clone(), signed);
    let added = first.clone();
    assert_eq!(write(&db, move |conn| change::add(conn, of(&crate::site()), &added, &one)), 3);
    assert_eq!(read(&db, |conn| change::heads(conn, of(&crate::site()))), [[2; 32], [3; 32]].into());
    assert_eq!(write(&db, move |conn| change::add(conn, of(&crate::site()), &second, &two)), 1);
    assert_eq!(read(&db, |conn| change::heads(conn, of(&crate::site()))), [[4; 32]].into());
    let kept = read(&db, |conn| change::after(conn, of(&crate::site()), 2));
    assert_eq!(kept, [(3, first[2].clone()), (4, link(4, &[2, 3]))]);
    let stored = read(&db, |conn| change::all(conn, of(&crate::site())));
    assert_eq!(stored.iter().map(|stored| stored.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((&*stored[3].signed.author, &stored[3].bytes), ("ann@example.org", &vec![4]));
    let then = |at| read(&db, move |conn| change::until(conn, of(&crate::site()), Millis(at))).len();
    assert_eq!((then(START - 1), then(START)), (0, 4));
    assert_eq!(read(&db, |conn| change::note(conn, of(&crate::site()), 9)), "");
    let other = change::Of { site: &crate::site(), doc: Doc::Local };
    assert!(read(&db, |conn| change::after(conn, other, 0)).is_empty());
}

#[test]
fn a_change_above_the_limit_is_refused_and_one_at_it_is_kept() {
    let (_dir, db) = fresh();
    let signed = change::Signed { author: "box 7".into(), note: String::new(), at: Millis(START) };
    let add = |hash: u8, len| {
        let signed = signed.clone();
        let change = change::Change { hash: [hash; 32], deps: vec![], bytes: vec![0; len] };
        db.write_blocking(move |conn| change::add(conn, of(&crate::site()), &[change], &signed))
    };
    assert_eq!(add(1, change::CHANGE_LEN_MAX).unwrap(), 1);
    assert!(matches!(add(2, change::CHANGE_LEN_MAX + 1), Err(Error::TooLong { .. })));
}

#[test]
fn a_sync_state_is_replaced_and_belongs_to_one_document() {
    let (_dir, db) = fresh();
    write(&db, |conn| {
        sync_state::keep(conn, BOX, Doc::Site, b"one", Millis(START))?;
        sync_state::keep(conn, BOX, Doc::Site, b"two", Millis(START))
    });
    assert_eq!(read(&db, |conn| sync_state::read(conn, BOX, Doc::Site)).as_deref(), Some(&b"two"[..]));
    assert_eq!(read(&db, |conn| sync_state::read(conn, BOX, Doc::Local)), None);
}

fn with_user(db: &Db) {
    let user = User {
        login: "ann@example.org".into(),
        password: "$argon2id$…".into(),
        role: Role::Analyst,
        scope: Scope::All,
    };
    assert!(write(db, move |conn| user::add(conn, &user, Millis(START))));
}

fn open(conn: &Connection, token: u8, at: i64) -> db::Result<()> {
    session::open(conn, &[token; 32], "ann@example.org", Millis(START + at), Millis(START + at + 10 * MINUTE))
}

#[test]
fn a_session_ends_at_its_time_or_when_it_is_closed() {
    let (_dir, db) = fresh();
    with_user(&db);
    write(&db, |conn| open(conn, 1, 0));
    let who = |at| read(&db, |conn| session::who(conn, &[1; 32], Millis(START + at)));
    assert_eq!(who(10 * MINUTE - 1).unwrap().role, Role::Analyst);
    assert_eq!(who(10 * MINUTE), None);
    write(&db, |conn| session::close(conn, &[1; 32]));
    assert_eq!(who(0), None);
}

#[test]
fn a_disabled_user_is_signed_out_and_a_new_password_ends_old_sessions() {
    let (_dir, db) = fresh();
    with_user(&db);
    let signed_in = || read(&db, |conn| session::who(conn, &[1; 32], Millis(START))).is_some();
    write(&db, |conn| open(conn, 1, 0));
    assert!(write(&db, |conn| user::password(conn, "ann@example.org", "other")));
    assert!(!signed_in());
    write(&db, |conn| open(conn, 1, 0));
    assert!(write(&db, |conn| user::disable(conn, "ann@example.org", Millis(START))));
    assert!(!signed_in());
    assert_eq!(read(&db, |conn| user::one(conn, "ann@example.org")), None);
}

#[test]
fn a_user_has_no_more_sessions_than_the_limit() {
    let (_dir, db) = fresh();
    with_user(&db);
    for n in 0..=u8::try_from(session::SESSIONS_MAX).unwrap() {
        write(&db, move |conn| open(conn, n, i64::from(n)));
    }
    let open = |n: u8| read(&db, |conn| session::who(conn, &[n; 32], Millis(START + 100))).is_some();
    assert!(!open(0), "the oldest has ended");
    assert!(open(1));
}

fn three_lines(db: &Db) {
    for n in 0..3 {
        let line = serde_json::json!({ "n": n });
        write(db, move |conn| audit::add(conn, "ann@example.org", "site.add", &line, Millis(START + n)));
    }
}

#[test]
fn the_audit_is_whole_until_somebody_touches_it() {
    let tampering = [
        ("UPDATE audit SET who = 'eve' WHERE seq = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("UPDATE audit SET detail = '{}', hash = substr(hash, 1, 31) WHERE seq = 3", 3),
        ("DELETE FROM audit", 1),
    ];
    for (sql, seq) in tampering {
        let (_dir, db) = fresh();
        three_lines(&db);
        assert_eq!(read(&db, audit::verify), audit::Verdict::Whole { entries: 3 });
        assert!(db.write_blocking(move |conn| conn.execute(sql, &[])).is_err(), "{sql} is refused");
        write(&db, move |conn| {
            crate::unguard(conn);
            conn.execute(sql, &[])
        });
        assert_eq!(read(&db, audit::verify), audit::Verdict::Broken { seq }, "{sql}");
    }
}

#[test]
fn the_audit_is_read_from_the_end_in_pages() {
    let (_dir, db) = fresh();
    three_lines(&db);
    let seqs = |before| {
        let page = read(&db, |conn| audit::page(conn, before, 2));
        page.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(i64::MAX), [3, 2]);
    assert_eq!(seqs(2), [1]);
}

#[test]
fn a_site_is_offered_one_bundle_at_a_time() {
    let (_dir, db) = fresh();
    let bundle = |version: &str| bundle::Bundle {
        name: format!("branchline-{version}.raucb"),
        version: version.into(),
        sha256: format!("{version:0>64}"),
        size: 5,
    };
    for version in ["1", "2", "1"] {
        let offered = bundle(version);
        write(&db, move |conn| bundle::offer(conn, &offered, &crate::site(), Millis(START)));
        assert_eq!(read(&db, |conn| bundle::offered(conn, &crate::site())), Some(bundle(version)));
    }
}

#[test]
fn a_failed_write_undoes_itself_and_nothing_else() {
    let (_dir, db) = fresh();
    let site = |name: &str| SiteId::new(name).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (good, bad, panicked) = runtime.block_on(async {
        tokio::join!(
            db.write(move |conn| site::add(conn, &site("good"), Millis(START))),
            db.write(move |conn| {
                site::add(conn, &site("bad"), Millis(START))?;
                Err::<(), _>(Error::Panicked)
            }),
            db.write(move |conn| -> db::Result<()> {
                site::add(conn, &site("worse"), Millis(START))?;
                panic!("a bug")
            }),
        )
    });
    assert!(good.is_ok());
    assert!(matches!(bad, Err(Error::Panicked)) && matches!(panicked, Err(Error::Panicked)));
    assert_eq!(read(&db, site::all).iter().map(SiteId::as_str).collect::<Vec<_>>(), ["good", "north"]);
}

#[test]
fn a_reader_cannot_write() {
    let (_dir, db) = fresh();
    assert!(db.read_blocking(|conn| site::add(conn, &SiteId::new("south").unwrap(), Millis(START))).is_err());
}
