//! The front door of encoded changes. It reads a change's chunk just far enough to know how much work it would be:
//! run-length columns can stand for 2^60 operations in ten bytes, deflated ones for gigabytes, and neither is let in.
//! Only scalars at the document's root are written by this house, so nothing else is accepted.

use crate::error::Error;

/// Largest encoded change, in bytes.
pub(crate) const CHANGE_BYTES_MAX: usize = 64 * 1024;
/// Operations in one change.
pub(crate) const OPS_MAX: u64 = 1_024;
/// Operations that one change replaces.
const PREDECESSORS_MAX: u64 = 16_384;
const DEPENDENCIES_MAX: u64 = 1_024;
const ACTORS_MAX: u64 = 4_096;
const COLUMNS_MAX: u64 = 32;

// The binary format of automerge documents, "Chunk containers" and "Change chunks".
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_CHANGE: u8 = 1;
const CHECKSUM_LEN: usize = 4;
const HASH_LEN: u64 = 32;
// Column ids of a change's operations.
const COLUMN_OBJECT: u64 = 0;
const COLUMN_KEY: u64 = 1;
const COLUMN_INSERT: u64 = 3;
const COLUMN_ACTION: u64 = 4;
const COLUMN_VALUE: u64 = 5;
const COLUMN_PREDECESSOR: u64 = 7;
// Operations' actions.
const ACTION_PUT: u64 = 1;
const ACTION_DELETE: u64 = 3;
// Column types, the low three bits of a column's specification; the fourth says deflated.
const TYPE_GROUP: u64 = 0;
const TYPE_DELTA: u64 = 3;
const TYPE_BOOLEAN: u64 = 4;
const TYPE_STRING: u64 = 5;
const TYPE_VALUE_META: u64 = 6;
const TYPE_RAW: u64 = 7;
const DEFLATED: u64 = 8;

/// Exactly one uncompressed change of bounded work, that only puts and deletes scalars at the root.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > CHANGE_BYTES_MAX {
        let (len, max) = (bytes.len().try_into().unwrap_or(u64::MAX), CHANGE_BYTES_MAX as u64);
        return Err(Error::TooLarge { what: "bytes of a change", len, max });
    }
    let mut input = Input(bytes);
    if input.take(MAGIC.len() as u64)? != MAGIC {
        return Err(Error::Malformed("not a chunk"));
    }
    input.take(CHECKSUM_LEN as u64)?;
    if input.take(1)? != [CHUNK_CHANGE] {
        return Err(Error::Malformed("not a plain change chunk"));
    }
    let body = input.prefixed()?;
    if !input.0.is_empty() {
        return Err(Error::Malformed("bytes after the chunk"));
    }
    check_body(Input(body))
}

/// A Bloom filter of a sync message: only the parameters that our own side writes, for a peer could ask for billions
/// of probes, or for a filter of no bits.
pub(crate) fn check_bloom(bytes: &[u8], bits_per_entry: u64, probes: u64) -> Result<(), Error> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut input = Input(bytes);
    let entries = input.unsigned()?;
    let fits = (input.unsigned()?, input.unsigned()?) == (bits_per_entry, probes) && entries > 0;
    if fits && !input.0.is_empty() { Ok(()) } else { Err(Error::Malformed("a strange Bloom filter")) }
}

fn check_body(mut input: Input<'_>) -> Result<(), Error> {
    let dependencies = input.count("dependencies of a change", DEPENDENCIES_MAX)?;
    input.take(dependencies.saturating_mul(HASH_LEN))?;
    input.prefixed()?; // actor
    input.unsigned()?; // sequence
    input.unsigned()?; // first operation
    input.signed()?; // time
    input.prefixed()?; // message
    for _ in 0..input.count("actors of a change", ACTORS_MAX)? {
        input.prefixed()?;
    }
    let mut columns = Vec::new();
    for _ in 0..input.count("columns of a change", COLUMNS_MAX)? {
        columns.push((input.unsigned()?, input.unsigned()?));
    }
    columns.into_iter().try_for_each(|(specification, len)| check_column(specification, Input(input.take(len)?)))
}

fn check_column(specification: u64, mut data: Input<'_>) -> Result<(), Error> {
    if specification & DEFLATED != 0 {
        return Err(Error::Malformed("a deflated column"));
    }
    let (id, kind) = (specification >> 4, specification & 7);
    match id {
        COLUMN_KEY | COLUMN_INSERT | COLUMN_ACTION | COLUMN_VALUE | COLUMN_PREDECESSOR => {}
        COLUMN_OBJECT if data.0.is_empty() => {}
        _ => return Err(Error::Malformed("an operation inside an object")),
    }
    let max = if id == COLUMN_PREDECESSOR { PREDECESSORS_MAX } else { OPS_MAX };
    match kind {
        TYPE_RAW => Ok(()),
        TYPE_BOOLEAN => data.booleans(max),
        _ => data.runs(kind, id, max),
    }
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: u64) -> Result<&'a [u8], Error> {
        let cut = Error::Malformed("cut off");
        let len = usize::try_from(len).map_err(|_| cut.clone())?;
        let (taken, rest) = self.0.split_at_checked(len).ok_or(cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.take(1)?.first().copied().ok_or(Error::Malformed("cut off"))
    }

    /// Unsigned LEB128.
    fn unsigned(&mut self) -> Result<u64, Error> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let placed = bits.checked_shl(shift).filter(|placed| placed >> shift == bits);
            value |= placed.ok_or(Error::Malformed("a number beyond 64 bits"))?;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::Malformed("a number beyond 64 bits"))
    }

    /// Signed LEB128.
    fn signed(&mut self) -> Result<i64, Error> {
        let mut value = 0_i128;
        for shift in (0_u32..70).step_by(7) {
            let byte = self.byte()?;
            value |= i128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let sign = if byte & 0x40 == 0 { 0 } else { -1_i128 << (shift + 7) };
                return i64::try_from(value | sign).map_err(|_| Error::Malformed("a number beyond 64 bits"));
            }
        }
        Err(Error::Malformed("a number beyond 64 bits"))
    }

    fn prefixed(&mut self) -> Result<&'a [u8], Error> {
        let len = self.unsigned()?;
        self.take(len)
    }

    fn count(&mut self, what: &'static str, max: u64) -> Result<u64, Error> {
        bounded(what, self.unsigned()?, max)
    }

    /// Run lengths of false, true, false …: nothing is ever inserted into a list here, so there is one run.
    fn booleans(&mut self, max: u64) -> Result<(), Error> {
        if !self.0.is_empty() {
            self.count("operations of a change", max)?;
        }
        if self.0.is_empty() { Ok(()) } else { Err(Error::Malformed("an insertion into a list")) }
    }

    /// Run-length encoding: n > 0 repeats one value, n < 0 lists values, 0 is followed by a run of nulls.
    fn runs(&mut self, kind: u64, id: u64, max: u64) -> Result<(), Error> {
        let mut total = 0_u64;
        while !self.0.is_empty() {
            let run = self.signed()?;
            let repeat = match run {
                0 => self.unsigned()?,
                _ => run.unsigned_abs(),
            };
            total = bounded("operations of a change", total.saturating_add(repeat), max)?;
            let (values, each) = match run {
                0 => (0, 0),
                1.. => (1, repeat),
                _ => (repeat, 1),
            };
            for _ in 0..values {
                let weight = self.value(kind, id)?;
                total = bounded("operations of a change", total.saturating_add(weight.saturating_mul(each)), max)?;
            }
        }
        Ok(())
    }

    /// One value of a column; a group's value is how many rows of its member columns it takes.
    fn value(&mut self, kind: u64, id: u64) -> Result<u64, Error> {
        match kind {
            TYPE_STRING => self.prefixed().map(|_| 0),
            TYPE_DELTA => self.signed().map(|_| 0),
            TYPE_GROUP => self.unsigned(),
            TYPE_VALUE_META => self.unsigned().map(|_| 0),
            _ => {
                let value = self.unsigned()?;
                let allowed = id != COLUMN_ACTION || value == ACTION_PUT || value == ACTION_DELETE;
                if allowed { Ok(0) } else { Err(Error::Malformed("an operation other than put and delete")) }
            }
        }
    }
}

fn bounded(what: &'static str, len: u64, max: u64) -> Result<u64, Error> {
    if len <= max { Ok(len) } else { Err(Error::TooLarge { what, len, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_leb128_says() {
        assert_eq!(Input(&[0xe5, 0x8e, 0x26]).unsigned(), Ok(624_485));
        assert_eq!(Input(&[0xc0, 0xbb, 0x78]).signed(), Ok(-123_456));
        let most = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(Input(&most).signed(), Ok(i64::MIN));
        assert!(Input(&[0xff; 11]).unsigned().is_err());
        assert!(Input(&[0xff; 12]).signed().is_err());
        assert!(Input(&[0x80]).unsigned().is_err());
    }

    #[test]
    fn a_run_that_stands_for_more_operations_than_allowed_is_refused() {
        let action = (COLUMN_ACTION << 4) | 2;
        assert_eq!(check_column(action, Input(&[0x80, 0x08, 1])), Ok(()));
        assert!(matches!(check_column(action, Input(&[0x81, 0x08, 1])), Err(Error::TooLarge { len: 1_025, .. })));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 1];
        assert!(matches!(check_column(action, Input(&most)), Err(Error::TooLarge { .. })));
        let nulls = [0x00, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(matches!(check_column(action, Input(&nulls)), Err(Error::TooLarge { .. })));
        let group = COLUMN_PREDECESSOR << 4;
        assert!(matches!(check_column(group, Input(&[0x02, 0xff, 0xff, 0x7f])), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn lists_objects_counters_and_deflated_columns_are_refused() {
        assert!(check_column((COLUMN_ACTION << 4) | 2, Input(&[0x7f, 5])).is_err(), "increment");
        assert!(check_column((COLUMN_INSERT << 4) | 4, Input(&[0, 1])).is_err(), "insertion");
        assert!(check_column((COLUMN_OBJECT << 4) | 1, Input(&[1, 0])).is_err(), "object");
        assert!(check_column((COLUMN_KEY << 4) | 5 | DEFLATED, Input(&[])).is_err(), "deflated");
        assert!(check_column((9 << 4) | 4, Input(&[])).is_err(), "mark");
    }
}
