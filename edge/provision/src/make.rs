//! The makes, how they name themselves in HTTP, and how they are told to fetch again.

use std::{fmt, str::FromStr};

/// Longest model or firmware name that is kept, in bytes.
const NAME_LEN_MAX: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Make {
    Yealink,
    Grandstream,
    Poly,
    Snom,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("one of yealink, grandstream, poly, snom")]
pub struct Unknown;

impl Make {
    pub const ALL: [Make; 4] = [Make::Yealink, Make::Grandstream, Make::Poly, Make::Snom];

    pub fn as_str(self) -> &'static str {
        match self {
            Make::Yealink => "yealink",
            Make::Grandstream => "grandstream",
            Make::Poly => "poly",
            Make::Snom => "snom",
        }
    }
}

impl fmt::Display for Make {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Make {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Make, Unknown> {
        let text = text.to_ascii_lowercase();
        let text = if text == "polycom" { "poly" } else { &text };
        Make::ALL.into_iter().find(|make| make.as_str() == text).ok_or(Unknown)
    }
}

/// What a phone says of itself. It proves nothing: it is shown to people, and tells that firmware has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub make: Make,
    pub model: String,
    pub firmware: String,
}

impl Device {
    /// From HTTP's `User-Agent`; None for anything that is not one of the four.
    ///
    /// ```text
    /// Yealink SIP-T46U 108.86.0.45 00:15:65:ab:cd:ef
    /// Grandstream Model HW GRP2614 SW 1.0.11.39 DevId c074adabcdef
    /// FileTransport PolycomVVX-VVX_411-UA/6.4.3.5156 (SN:64167fabcdef) Type/Application
    /// FileTransport PolyEdge-Edge_E350-UA/8.1.0.1234 (SN:482567abcdef) Type/Application
    /// Mozilla/4.0 (compatible; snomD785-SIP 10.1.169.16 2010.12-00004-g9ba52f5 000413abcdef SXM:0 UXM:0 UXMC:0)
    /// ```
    pub fn of_user_agent(text: &str) -> Option<Device> {
        let text = text.get(..text.len().min(300))?;
        let words: Vec<&str> = text.split([' ', ';', '(', ')']).filter(|word| !word.is_empty()).collect();
        let after = |name: &str| {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at.checked_add(1)?).copied()
        };
        let (make, model, firmware) = if words.first() == Some(&"Yealink") {
            (Make::Yealink, words.get(1).copied()?, words.get(2).copied()?)
        } else if words.first() == Some(&"Grandstream") {
            (Make::Grandstream, after("HW")?, after("SW")?)
        } else if let Some(named) = words.iter().find(|word| word.starts_with("Poly") && word.contains("-UA/")) {
            let (before, firmware) = named.split_once("-UA/")?;
            (Make::Poly, before.rsplit('-').next()?, firmware)
        } else {
            let at = words.iter().position(|word| word.starts_with("snom") && word.ends_with("-SIP"))?;
            let named = words.get(at).copied()?;
            (Make::Snom, named.strip_suffix("-SIP")?, words.get(at.checked_add(1)?).copied()?)
        };
        Some(Device { make, model: named(model)?, firmware: named(firmware)? })
    }
}

/// Letters, digits and a few marks, of a bounded length.
fn named(text: &str) -> Option<String> {
    let fits = (1..=NAME_LEN_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_make_is_known_by_what_it_says() {
        let check = |text: &str, make, model: &str, firmware: &str| {
            let wanted = Device { make, model: model.into(), firmware: firmware.into() };
            assert_eq!(Device::of_user_agent(text), Some(wanted), "{text}");
        };
        check("Yealink SIP-T46U 108.86.0.45 00:15:65:ab:cd:ef", Make::Yealink, "SIP-T46U", "108.86.0.45");
        let grandstream = "Grandstream Model HW GRP2614 SW 1.0.11.39 DevId c074adabcdef";
        check(grandstream, Make::Grandstream, "GRP2614", "1.0.11.39");
        let poly = "FileTransport PolycomVVX-VVX_411-UA/6.4.3.5156 (SN:64167fabcdef) Type/Application";
        check(poly, Make::Poly, "VVX_411", "6.4.3.5156");
        let snom = "Mozilla/4.0 (compatible; snomD785-SIP 10.1.169.16 2010.12-4-g9ba5 000413abcdef SXM:0)";
        check(snom, Make::Snom, "snomD785", "10.1.169.16");
    }

    #[test]
    fn what_is_none_of_them_or_too_long_is_nobody() {
        let long = format!("Yealink {} 1.2", "x".repeat(41));
        for text in ["", "curl/7.88.1", "Yealink", "Yealink a\u{e9} 1", "snomD785-SIP", "Grandstream HW", &long] {
            assert_eq!(Device::of_user_agent(text), None, "{text}");
        }
    }
}
