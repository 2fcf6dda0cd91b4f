//! The schema, step by step. A step is never edited once released; a later one mends it.

use crate::{
    Error, Result,
    sql::{Connection, Kind, params},
};

const STEPS: &[&str] = &[
    include_str!("../migrations/0001_start.sql"),
    include_str!("../migrations/0002_notice.sql"),
    include_str!("../migrations/0003_shared.sql"),
    include_str!("../migrations/0004_people.sql"),
    include_str!("../migrations/0005_notice_trunk.sql"),
    include_str!("../migrations/0006_token.sql"),
    include_str!("../migrations/0007_egress.sql"),
    include_str!("../migrations/0008_completeness.sql"),
    include_str!("../migrations/0009_site_sum.sql"),
    include_str!("../migrations/0010_interval_box.sql"),
    include_str!("../migrations/0011_rollout.sql"),
    include_str!("../migrations/0012_drill.sql"),
];
const POSTGRES: &[&str] = &[
    include_str!("../migrations/postgres/0001_start.sql"),
    include_str!("../migrations/postgres/0002_people.sql"),
    include_str!("../migrations/postgres/0003_notice_trunk.sql"),
    include_str!("../migrations/postgres/0004_token.sql"),
    include_str!("../migrations/postgres/0005_egress.sql"),
    include_str!("../migrations/postgres/0006_completeness.sql"),
    include_str!("../migrations/postgres/0007_site_sum.sql"),
    include_str!("../migrations/postgres/0008_interval_box.sql"),
    include_str!("../migrations/postgres/0009_rollout.sql"),
    include_str!("../migrations/postgres/0010_drill.sql"),
];
/// Where a database of PostgreSQL keeps which steps it has taken.
const STEPS_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_step (step BIGINT PRIMARY KEY)";

/// Brings the store to the newest schema, each step in a transaction of its own.
pub(crate) fn run(conn: &mut Connection) -> Result<()> {
    let steps = match &conn.0 {
        Kind::Sqlite(_) => STEPS,
        Kind::Postgres(_) => POSTGRES,
    };
    if let Kind::Postgres(client) = &conn.0 {
        conn.begin_write()?;
        client.batch(STEPS_TABLE)?;
        conn.step("COMMIT")?;
    }
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found = version(conn)?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for (number, step) in (1i64..).zip(steps) {
        conn.begin_write()?;
        // Read again under the lock: another process may have taken the step meanwhile.
        let taken = version(conn).and_then(|found| if found < number { take(conn, number, step) } else { Ok(()) });
        if let Err(error) = taken {
            let _ = conn.step("ROLLBACK");
            return Err(error);
        }
        conn.step("COMMIT")?;
    }
    Ok(())
}

fn version(conn: &Connection) -> Result<i64> {
    match &conn.0 {
        Kind::Sqlite(file) => Ok(file.pragma_query_value(None, "user_version", |row| row.get(0))?),
        Kind::Postgres(_) => conn.only("SELECT coalesce(max(step), 0) FROM schema_step", params![]),
    }
}

fn take(conn: &Connection, number: i64, step: &str) -> Result<()> {
    match &conn.0 {
        Kind::Sqlite(file) => {
            file.execute_batch(step)?;
            Ok(file.pragma_update(None, "user_version", number)?)
        }
        Kind::Postgres(client) => {
            client.batch(step)?;
            conn.execute("INSERT INTO schema_step (step) VALUES (?1)", params![number]).map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_changes_nothing() {
        let mut conn = memory();
        run(&mut conn).unwrap();
        run(&mut conn).unwrap();
        assert_eq!(version(&conn).unwrap(), i64::try_from(STEPS.len()).unwrap());
    }

    #[test]
    fn people_of_an_earlier_version_keep_their_passwords_and_are_of_all_sites() {
        let mut conn = memory();
        let file = conn.file().unwrap();
        for step in &STEPS[..3] {
            file.execute_batch(step).unwrap();
        }
        file.pragma_update(None, "user_version", 3).unwrap();
        file.execute_batch(
            "INSERT INTO user VALUES ('ann@example.org', '$argon2id$x', 'analyst', 5, NULL);
             INSERT INTO session VALUES (x'01', 'ann@example.org', 5, 6);",
        )
        .unwrap();
        run(&mut conn).unwrap();
        let ann = crate::user::one(&conn, "ann@example.org").unwrap().unwrap();
        assert_eq!((ann.password.as_str(), ann.scope), ("$argon2id$x", crate::user::Scope::All));
    }

    #[test]
    fn figures_of_an_earlier_version_are_those_of_the_youngest_box_and_are_summed() {
        let mut conn = memory();
        let file = conn.file().unwrap();
        for step in &STEPS[..7] {
            file.execute_batch(step).unwrap();
        }
        file.pragma_update(None, "user_version", 7).unwrap();
        file.execute_batch(
            "INSERT INTO site (site, created) VALUES ('north', 5), ('south', 5);
             INSERT INTO box (box, site, enrolled) VALUES ('00', 'north', 5), ('01', 'north', 6);
             INSERT INTO interval SELECT 'north', 'sales', n * 900000, 900, 1, 2, 1, 1, 0, 0, 0, 0, 7, 0, 0, 0, 9
             FROM (SELECT 0 AS n UNION ALL SELECT 3 UNION ALL SELECT 4);
             INSERT INTO interval SELECT 'south', '', 0, 86400, 1, 2, 1, 1, 0, 0, 0, 0, 7, 0, 0, 0, 9;",
        )
        .unwrap();
        run(&mut conn).unwrap();
        let boxes =
            conn.all("SELECT DISTINCT box FROM interval WHERE site = 'north'", params![], |row| row.get::<String>(0));
        assert_eq!(boxes.unwrap(), ["01"]);
        let kept = |site: &str, span_s| {
            let [queues, site] = crate::interval::kept(&conn, &site.parse().unwrap(), span_s).unwrap();
            [queues, site].map(|spans| spans.iter().map(|span| (span.cells, span.figures.offered)).collect::<Vec<_>>())
        };
        assert_eq!(kept("north", 3_600), [[(2, 4), (1, 2)], [(2, 4), (1, 2)]]);
        assert_eq!(kept("north", 86_400), [[(3, 6)], [(3, 6)]]);
        assert_eq!((kept("south", 3_600), kept("south", 86_400)), ([vec![], vec![]], [vec![(1, 2)], vec![(1, 2)]]));
    }

    #[test]
    fn a_file_of_a_later_version_is_refused() {
        let mut conn = memory();
        conn.file().unwrap().pragma_update(None, "user_version", 999).unwrap();
        assert!(matches!(run(&mut conn), Err(Error::Newer { found: 999, .. })));
    }

    fn memory() -> Connection {
        Connection(Kind::Sqlite(rusqlite::Connection::open_in_memory().unwrap()))
    }
}
