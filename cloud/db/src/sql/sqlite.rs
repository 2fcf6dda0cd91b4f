//! SQLite in one file.

use std::{ops::ControlFlow, path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use super::{Row, Value};
use crate::Result;

/// How long to wait for another process (a command beside the running server) that writes.
const BUSY: Duration = Duration::from_secs(5);
/// Pages of the log after which it is carried over into the file: 32 MiB, so that a page that many commits touch, as
/// those at the end of the figures are, is carried over once for all of them.
const CHECKPOINT_PAGES: u32 = 8_192;
/// What the writing connection keeps of the file, in KiB: a page that is pushed out is read again for the next row.
const CACHE_KIB: i32 = 32 * 1_024;

pub(crate) fn writer(path: &Path) -> Result<Connection> {
    let conn = connect(path, OpenFlags::default())?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // FULL: a commit is on the disk before it returns, also in WAL mode.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(conn)
}

pub(crate) fn reader(path: &Path) -> Result<Connection> {
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

pub(super) fn execute(conn: &Connection, sql: &str, params: &[Value<'_>]) -> Result<usize> {
    Ok(conn.prepare_cached(sql)?.execute(rusqlite::params_from_iter(params))?)
}

pub(super) fn each(
    conn: &Connection,
    sql: &str,
    params: &[Value<'_>],
    mut take: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut asked = conn.prepare_cached(sql)?;
    let mut rows = asked.query(rusqlite::params_from_iter(params))?;
    while let Some(row) = rows.next()? {
        if take(&Row::Sqlite(row))?.is_break() {
            break;
        }
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Ints(_) | Value::Texts(_) => {
                let error = "a column as a parameter is for PostgreSQL";
                return Err(rusqlite::Error::ToSqlConversionFailure(error.into()));
            }
        }))
    }
}
