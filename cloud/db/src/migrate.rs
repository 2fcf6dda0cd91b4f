//! The schema, step by step. A step is never edited once released; a later one mends it.

use rusqlite::Connection;

use crate::{Error, Result};

const STEPS: &[&str] = &[include_str!("../migrations/0001_start.sql"), include_str!("../migrations/0002_notice.sql")];

/// Brings the file to the newest schema, each step in a transaction of its own.
pub(crate) fn run(conn: &mut Connection) -> Result<()> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found = version(conn)?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for (number, step) in (1i64..).zip(STEPS) {
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Read again under the lock: another process may have taken the step meanwhile.
        if version(&tx)? < number {
            tx.execute_batch(step)?;
            tx.pragma_update(None, "user_version", number)?;
        }
        tx.commit()?;
    }
    Ok(())
}

fn version(conn: &Connection) -> Result<i64> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_changes_nothing() {
        let mut conn = Connection::open_in_memory().unwrap();
        run(&mut conn).unwrap();
        run(&mut conn).unwrap();
        assert_eq!(version(&conn).unwrap(), i64::try_from(STEPS.len()).unwrap());
    }

    #[test]
    fn a_file_of_a_later_version_is_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.pragma_update(None, "user_version", 999).unwrap();
        assert!(matches!(run(&mut conn), Err(Error::Newer { found: 999, .. })));
    }
}
