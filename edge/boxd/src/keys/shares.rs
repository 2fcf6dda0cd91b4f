//! The branch key in shares, any few of which make it again (A. Shamir, "How to share a secret", 1979): printed once,
//! given to different people, and kept nowhere by us. Fewer than are needed say nothing about the key.

use std::{collections::BTreeMap, fmt, str::FromStr};

use anyhow::Context;
use blahaj::Sharks;
use data_encoding::BASE32_NOPAD;
use ledger::BranchKey;
use rand::RngExt;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::plain;

/// Shares of one key.
pub const OF_MAX: u8 = 16;

const PREFIX: &str = "BLK1-";
const NAME_LEN: usize = 8;
const CHECK_LEN: usize = 4;
/// Of one splitting.
const SERIES_LEN: usize = 2;
/// Need, of, series, name, then the share's number and 32 bytes.
const BODY_LEN: usize = 2 + SERIES_LEN + NAME_LEN + 33;

/// One person's share. It is a secret; `Display` writes it out, `Debug` does not.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    pub need: u8,
    pub of: u8,
    /// Shares of different splittings make nothing together.
    series: [u8; SERIES_LEN],
    /// Of the key, see [`name_of`].
    name: [u8; NAME_LEN],
    /// Its number, then its bytes.
    share: Zeroizing<Vec<u8>>,
}

impl Share {
    pub fn number(&self) -> u8 {
        self.share.first().copied().unwrap_or(0)
    }

    pub fn name(&self) -> String {
        hex(&self.name)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of {})", self.number(), self.of)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut body = Zeroizing::new(vec![self.need, self.of]);
        body.extend(self.series);
        body.extend(self.name);
        body.extend(self.share.iter());
        let check = check(&body);
        body.extend(check);
        let text = Zeroizing::new(BASE32_NOPAD.encode(&body));
        f.write_str(PREFIX.trim_end_matches('-'))?;
        for group in text.as_bytes().chunks(4) {
            write!(f, "-{}", String::from_utf8_lossy(group))?;
        }
        Ok(())
    }
}

/// Why a line is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("a share begins with BLK1- and has 79 more letters and digits, in groups of four")]
    NotAShare,
    #[error("this share has a slip of the pen: its check does not fit")]
    Mistyped,
}

impl FromStr for Share {
    type Err = Fault;

    /// Blanks and hyphens may be anywhere, letters of either size; 0 and 1 are read as O and I.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
        let rest = text.strip_prefix(PREFIX.trim_end_matches('-')).ok_or(Fault::NotAShare)?;
        let letters: Zeroizing<String> = Zeroizing::new(
            rest.chars()
                .filter(|c| *c != '-')
                .map(|c| match c {
                    '0' => 'O',
                    '1' => 'I',
                    other => other,
                })
                .collect(),
        );
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(letters.as_bytes()).map_err(|_| Fault::NotAShare)?);
        let (body, told) = bytes.split_at_checked(BODY_LEN).ok_or(Fault::NotAShare)?;
        if told.len() != CHECK_LEN {
            return Err(Fault::NotAShare);
        }
        if check(body) != told {
            return Err(Fault::Mistyped);
        }
        let (&[need, of], body) = body.split_first_chunk().ok_or(Fault::NotAShare)?;
        let (&series, body) = body.split_first_chunk().ok_or(Fault::NotAShare)?;
        let (&name, share) = body.split_first_chunk().ok_or(Fault::NotAShare)?;
        Ok(Share { need, of, series, name, share: Zeroizing::new(share.to_vec()) })
    }
}

/// Shares of a key, any `need` of which make it again. `need` is 2 to `of`, and `of` at most [`OF_MAX`].
pub fn split(key: &BranchKey, need: u8, of: u8) -> anyhow::Result<Vec<Share>> {
    anyhow::ensure!((2..=of).contains(&need) && of <= OF_MAX, "of 2 to {OF_MAX} shares, 2 or more are needed");
    let name = name(key);
    let series = rand::rng().random();
    let dealer = Sharks(need).dealer(key.bytes());
    let shares = dealer.take(of.into());
    Ok(shares.map(|share| Share { need, of, series, name, share: Zeroizing::new(Vec::from(&share)) }).collect())
}

/// The key again, proved by its name.
pub fn combine(shares: &[Share]) -> anyhow::Result<BranchKey> {
    let first = shares.first().context("no share")?;
    anyhow::ensure!(shares.iter().all(|share| share.name == first.name), "these are shares of different keys");
    let of_one = |share: &Share| (share.series, share.need, share.of) == (first.series, first.need, first.of);
    anyhow::ensure!(
        shares.iter().all(of_one),
        "these shares were made at different times, and fit only those made with them"
    );
    let by_number: BTreeMap<u8, &Share> = shares.iter().map(|share| (share.number(), share)).collect();
    anyhow::ensure!(
        shares.iter().all(|share| by_number.get(&share.number()) == Some(&share)),
        "two of these shares have one number, and are not the same"
    );
    let (need, have) = (usize::from(first.need), by_number.len());
    anyhow::ensure!(have >= need, "{need} different shares are needed, and there are {have}");
    let shares: Result<Vec<_>, _> =
        by_number.values().map(|share| blahaj::Share::try_from(share.share.as_slice())).collect();
    let shares = shares.map_err(|error| anyhow::anyhow!("a share cannot be read: {error}"))?;
    let made = Sharks(first.need).recover(&shares).map_err(|error| anyhow::anyhow!("no key: {error}"))?;
    let key = plain(&Zeroizing::new(made)).context("what they make is no branch key")?;
    anyhow::ensure!(name(&key) == first.name, "what they make is another key: one of these shares is false");
    Ok(key)
}

/// Tells keys apart without telling anything about them.
pub fn name_of(key: &BranchKey) -> String {
    hex(&name(key))
}

fn name(key: &BranchKey) -> [u8; NAME_LEN] {
    let digest = Sha256::new().chain_update(b"branchline key name").chain_update(key.bytes()).finalize();
    let mut name = [0; NAME_LEN];
    name.copy_from_slice(digest.get(..NAME_LEN).unwrap_or(&[0; NAME_LEN]));
    name
}

fn check(body: &[u8]) -> [u8; CHECK_LEN] {
    let digest = Sha256::new().chain_update(b"branchline key share").chain_update(body).finalize();
    let mut check = [0; CHECK_LEN];
    check.copy_from_slice(digest.get(..CHECK_LEN).unwrap_or(&[0; CHECK_LEN]));
    check
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
