//! What comes out of a row.

use crate::{Error, Result};

/// What a column can be read as. Numbers are 64 bits in the store; a number that does not fit is a corrupt row.
pub trait Column: Sized {
    fn sqlite(row: &rusqlite::Row<'_>, at: usize) -> Result<Self>;
    fn postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self>;
}

macro_rules! as_it_is {
    ($($kind:ty),*) => {$(
        impl Column for $kind {
            fn sqlite(row: &rusqlite::Row<'_>, at: usize) -> Result<Self> {
                Ok(row.get(at)?)
            }

            fn postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self> {
                Ok(row.try_get(at)?)
            }
        }
    )*};
}

as_it_is!(bool, i64, String, Vec<u8>, Option<i64>, Option<String>, Option<Vec<u8>>);

macro_rules! converted {
    ($($kind:ty, $stored:ty, $what:literal);*) => {$(
        impl Column for $kind {
            fn sqlite(row: &rusqlite::Row<'_>, at: usize) -> Result<Self> {
                fit(<$stored>::sqlite(row, at)?, $what)
            }

            fn postgres(row: &tokio_postgres::Row, at: usize) -> Result<Self> {
                fit(<$stored>::postgres(row, at)?, $what)
            }
        }
    )*};
}

converted!(u32, i64, "a number"; u16, i64, "a number"; [u8; 32], Vec<u8>, "a hash");

fn fit<S, T: TryFrom<S>>(stored: S, what: &'static str) -> Result<T> {
    T::try_from(stored).map_err(|_| Error::corrupt(what, "it does not fit"))
}
