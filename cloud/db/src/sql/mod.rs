//! One statement at a time, in the SQL that both stores speak: SQLite in a file, and PostgreSQL.
//!
//! Placeholders are `?1`, `?2`, …; numbers are 64 bits, hashes and bodies are bytes, and everything else is text. What
//! only one of the two understands (`INSERT OR IGNORE`, `LIMIT -1`) is not written.

mod column;
pub(crate) mod postgres;
pub(crate) mod sqlite;
mod value;

use std::ops::ControlFlow;

pub use column::Column;
pub(crate) use value::params;
pub use value::{Param, Value};

use crate::{Error, Result};

/// A connection within one transaction: of reads that all see one state, or of writes that are kept or undone together.
pub struct Connection(pub(crate) Kind);

pub(crate) enum Kind {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Client>),
}

/// One row of an answer.
pub enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    /// The column with this index, counted from 0.
    pub fn get<T: Column>(&self, at: usize) -> Result<T> {
        match self {
            Row::Sqlite(row) => T::sqlite(row, at),
            Row::Postgres(row) => T::postgres(row, at),
        }
    }
}

impl Connection {
    /// Says how many rows were written.
    pub fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<usize> {
        match &self.0 {
            Kind::Sqlite(conn) => sqlite::execute(conn, sql, params),
            Kind::Postgres(client) => client.execute(sql, params),
        }
    }

    /// The first row, if there is one.
    pub fn one<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut read, mut found) = (Some(read), None);
        self.each(sql, params, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// The one row of a question that always has an answer, such as a count.
    pub fn only<T: Column>(&self, sql: &str, params: &[Value<'_>]) -> Result<T> {
        let missing = || Error::corrupt("an answer", "it has no row");
        self.one(sql, params, |row| row.get(0))?.ok_or_else(missing)
    }

    pub fn all<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each(sql, params, |row| {
            all.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }

    /// Row after row, without keeping them, until `take` has enough.
    pub fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        take: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        match &self.0 {
            Kind::Sqlite(conn) => sqlite::each(conn, sql, params, take),
            Kind::Postgres(client) => client.each(sql, params, take),
        }
    }

    /// The file's own connection, for what only a file has; None with PostgreSQL.
    pub fn file(&self) -> Option<&rusqlite::Connection> {
        match &self.0 {
            Kind::Sqlite(conn) => Some(conn),
            Kind::Postgres(_) => None,
        }
    }

    /// The server at the other end is not there any more; a file always is.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.0 {
            Kind::Sqlite(_) => false,
            Kind::Postgres(client) => client.is_gone(),
        }
    }

    pub(crate) fn begin_read(&self) -> Result<()> {
        match &self.0 {
            Kind::Sqlite(_) => self.step("BEGIN"),
            Kind::Postgres(client) => client.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        }
    }

    /// Waits until no other process or instance writes: what is read within the transaction stays true until its end.
    pub(crate) fn begin_write(&self) -> Result<()> {
        match &self.0 {
            Kind::Sqlite(_) => self.step("BEGIN IMMEDIATE"),
            Kind::Postgres(client) => client.batch(postgres::BEGIN_WRITE),
        }
    }

    /// `COMMIT`, `SAVEPOINT …` and their like.
    pub(crate) fn step(&self, sql: &str) -> Result<()> {
        match &self.0 {
            // Parsed once: there are three of these to a write.
            Kind::Sqlite(conn) => Ok(conn.prepare_cached(sql)?.execute([]).map(drop)?),
            Kind::Postgres(client) => client.batch(sql),
        }
    }
}
