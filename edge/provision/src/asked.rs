//! The path of a request: whose token, which phone, which file.

use crate::{Mac, Make};

/// Of the alphabet below: 20 of 31 characters, 99 bits.
pub const TOKEN_LEN: usize = 20;
/// Longest path that is looked at.
const PATH_LEN_MAX: usize = 120;
/// What Poly's second file is called after the address.
const POLY_SETTINGS: &str = "-branchline.cfg";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub token: Option<String>,
    pub file: Option<(Make, Part)>,
    /// None in the files that a make asks for without its address.
    pub mac: Option<Mac>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Names the other file; holds nothing secret.
    Index,
    /// The account and all that belongs to it.
    Settings,
}

/// No letter or digit that looks like another: it is typed on a phone's keypad.
pub fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LEN && text.bytes().all(|b| b"abcdefghjkmnpqrstuvwxyz23456789".contains(&b))
}

/// `/TOKEN/FILE` or `/FILE`. None for what no phone asks; `file` is None for a file that is not ours to serve
/// (firmware, boot files, phone books), which a phone asks for on its way.
pub fn asked(path: &str) -> Option<Asked> {
    let path = path.strip_prefix('/').filter(|path| path.len() <= PATH_LEN_MAX)?;
    let (token, name) = match path.split_once('/') {
        Some((token, name)) if is_token(token) => (Some(token.to_owned()), name),
        Some(_) => return None,
        None => (None, path),
    };
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !plain {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let (file, mac) = match file(&name) {
        Some((make, part, mac)) => (Some((make, part)), mac),
        None => (None, None),
    };
    Some(Asked { token, file, mac })
}

/// Yealink and Poly both ask for `MAC.cfg`; which of them it is, only the enrolment says: the caller compares.
fn file(name: &str) -> Option<(Make, Part, Option<Mac>)> {
    let mac = |text: &str| (text.len() == 12).then(|| text.parse::<Mac>().ok()).flatten();
    if name == "000000000000.cfg" {
        return Some((Make::Poly, Part::Index, None));
    }
    if let Some(mac) = name.strip_suffix(POLY_SETTINGS).and_then(mac) {
        return Some((Make::Poly, Part::Settings, Some(mac)));
    }
    if let Some(mac) = name.strip_suffix(".cfg").and_then(mac) {
        return Some((Make::Yealink, Part::Settings, Some(mac)));
    }
    if let Some(mac) = name.strip_prefix("cfg").and_then(|rest| rest.strip_suffix(".xml")).and_then(mac) {
        return Some((Make::Grandstream, Part::Settings, Some(mac)));
    }
    // `snomD785-000413ABCDEF.htm`, and `snom-{mac}.htm` where a setting says so.
    let stem = name.strip_suffix(".htm").or_else(|| name.strip_suffix(".xml"))?;
    let (_, address) = stem.strip_prefix("snom")?.rsplit_once('-')?;
    Some((Make::Snom, Part::Settings, Some(mac(address)?)))
}

impl Asked {
    /// The part of this make's files that was asked for; None when a phone of this make does not ask so.
    pub fn part(&self, make: Make) -> Option<Part> {
        match (self.file?, make) {
            ((Make::Yealink, Part::Settings), Make::Poly) => Some(Part::Index),
            ((named, part), make) if named == make => Some(part),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "abcdefghjkmnpqrstuv2";

    fn check(path: &str, make: Make) -> Option<(Part, Option<String>)> {
        let asked = asked(path)?;
        Some((asked.part(make)?, asked.mac.map(|mac| mac.to_string())))
    }

    #[test]
    fn each_make_asks_in_its_own_way() {
        let (mac, upper) = ("000413abcdef", "000413ABCDEF");
        let whole = Some((Part::Settings, Some(mac.to_owned())));
        let index = Some((Part::Index, Some(mac.to_owned())));
        assert_eq!(check(&format!("/{TOKEN}/{mac}.cfg"), Make::Yealink), whole);
        assert_eq!(check(&format!("/{TOKEN}/cfg{mac}.xml"), Make::Grandstream), whole);
        assert_eq!(check(&format!("/{TOKEN}/{mac}.cfg"), Make::Poly), index);
        assert_eq!(check(&format!("/{TOKEN}/000000000000.cfg"), Make::Poly), Some((Part::Index, None)));
        assert_eq!(check(&format!("/{TOKEN}/{mac}-branchline.cfg"), Make::Poly), whole);
        assert_eq!(check(&format!("/{TOKEN}/snomD785-{upper}.htm"), Make::Snom), whole);
        assert_eq!(check(&format!("/snom-{mac}.xml"), Make::Snom), whole);
        assert_eq!(check(&format!("/{mac}.cfg"), Make::Yealink), whole);
    }

    #[test]
    fn what_is_asked_on_the_way_is_known_as_nothing_of_ours() {
        for name in
            ["y000000000108.cfg", "001565abcdef.boot", "000413abcdef-web.cfg", "cfg000413abcdef", "snomD785.htm"]
        {
            let asked = asked(&format!("/{TOKEN}/{name}")).unwrap();
            assert_eq!((asked.token.as_deref(), asked.file), (Some(TOKEN), None), "{name}");
        }
    }

    #[test]
    fn a_path_that_no_phone_asks_for_is_none() {
        let long = format!("/{}", "a".repeat(PATH_LEN_MAX + 1));
        let bad =
            ["", "/", "//", "/a/b/c.cfg", "/../etc/passwd", "/short/001565abcdef.cfg", "/%2e%2e", "/a b.cfg", &long];
        for path in bad {
            assert_eq!(asked(path), None, "{path}");
        }
    }

    #[test]
    fn another_makes_file_is_not_served() {
        assert_eq!(check("/cfg000413abcdef.xml", Make::Yealink), None);
        assert_eq!(check("/000413abcdef-branchline.cfg", Make::Yealink), None);
        assert_eq!(check("/snomD785-000413abcdef.htm", Make::Grandstream), None);
    }
}
