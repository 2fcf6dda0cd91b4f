//! A phone's hardware address.

use std::{fmt, str::FromStr};

/// Twelve hexadecimal digits; `:`, `-` and `.` between them are allowed when it is read, and none are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac([u8; 6]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hardware address has twelve hexadecimal digits, such as 00:15:65:ab:cd:ef")]
pub struct Error;

impl FromStr for Mac {
    type Err = Error;

    fn from_str(text: &str) -> Result<Mac, Error> {
        if text.len() > 17 {
            return Err(Error);
        }
        let digits: Vec<u8> = text.bytes().filter(|b| !b":-.".contains(b)).collect();
        let mut octets = [0; 6];
        if digits.len() != 12 {
            return Err(Error);
        }
        for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| Error)?;
            // `from_str_radix` would take a sign.
            if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(Error);
            }
            *octet = u8::from_str_radix(pair, 16).map_err(|_| Error)?;
        }
        Ok(Mac(octets))
    }
}

/// As phones write it in names of files: `001565abcdef`.
impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_in_every_usual_spelling_and_in_no_other() {
        for text in ["00:15:65:AB:CD:EF", "00-15-65-ab-cd-ef", "0015.65ab.cdef", "001565abcdef"] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "001565abcdef");
        }
        for text in ["", "001565abcde", "001565abcdef0", "001565abcdeg", "+01565abcdef", "00:15:65:ab:cd:ef:00:00"] {
            assert_eq!(text.parse::<Mac>(), Err(Error), "{text}");
        }
    }
}
