//! Looks for marked personal data in everything that a cloud keeps: files as they lie there, and what they hold when
//! they are unpacked.

use std::{fs, path::Path};

use anyhow::Context;

/// Where a mark was found, and in which dress.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub place: String,
    pub mark: String,
    pub dress: &'static str,
}

/// Each mark in every file under `folder`.
pub fn in_folder(folder: &Path, marks: &[&str]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                // A file of a running database may go between the list and the look.
                let Ok(bytes) = fs::read(&path) else { continue };
                found.extend(in_bytes(&path.display().to_string(), &bytes, marks));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Each mark in `bytes`, and in everything deflated within them.
pub fn in_bytes(place: &str, bytes: &[u8], marks: &[&str]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut look = |bytes: &[u8], place: &str| {
        for mark in marks {
            for (dress, needle) in dresses(mark) {
                if contains(bytes, &needle) {
                    found.push(Found { place: place.into(), mark: (*mark).into(), dress });
                }
            }
        }
    };
    look(bytes, place);
    for (at, unpacked) in deflated(bytes) {
        look(&unpacked, &format!("{place} unpacked at {at}"));
    }
    found
}

/// The ways in which a mark might hide.
fn dresses(mark: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex: String = mark.bytes().map(|byte| format!("{byte:02x}")).collect();
    let wide = |order: fn(u16) -> [u8; 2]| mark.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let mut all = vec![
        ("as it is", mark.as_bytes().to_vec()),
        ("lower case", mark.to_lowercase().into_bytes()),
        ("in hexadecimal", hex.clone().into_bytes()),
        ("in HEXADECIMAL", hex.to_uppercase().into_bytes()),
        ("in UTF-16", wide(u16::to_le_bytes)),
        ("in UTF-16, big end first", wide(u16::to_be_bytes)),
        ("with %-signs", mark.replace(' ', "%20").into_bytes()),
        ("backwards", mark.bytes().rev().collect()),
    ];
    // Base64 of the mark at each of its three alignments, without the letters that depend on what stands around it.
    all.extend((0..3).map(|shift| ("in Base64", base64(mark.as_bytes(), shift))));
    if !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(number) = mark.parse::<u64>() {
            let little: Vec<u8> = number.to_le_bytes().iter().copied().take(significant(number)).collect();
            // Less than four bytes are found anywhere.
            if little.len() >= 4 {
                all.push(("as a number", little.clone()));
                all.push(("as a number, big end first", little.into_iter().rev().collect()));
            }
        }
        if mark.len() >= 8 {
            let bcd: Vec<u8> = mark.as_bytes().chunks(2).map(packed).collect();
            all.push(("in BCD", bcd));
        }
    }
    all.sort();
    all.dedup_by(|a, b| a.1 == b.1);
    all
}

fn packed(pair: &[u8]) -> u8 {
    let digit = |at: usize| pair.get(at).map_or(0xf, |byte| byte.wrapping_sub(b'0') & 0xf);
    digit(0) << 4 | digit(1)
}

fn significant(number: u64) -> usize {
    8 - number.leading_zeros() as usize / 8
}

fn base64(bytes: &[u8], shift: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = vec![0_u8; shift];
    bits.extend_from_slice(bytes);
    let letters: Vec<u8> = bits
        .chunks(3)
        .flat_map(|three| {
            let at = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
            let word = at(0) << 16 | at(1) << 8 | at(2);
            [18, 12, 6, 0].map(|by| LETTERS[(word >> by & 63) as usize])
        })
        .collect();
    // The first letters hold the bits before the mark; the last ones those behind it.
    let (first, last) = ((shift * 8).div_ceil(6), (shift + bytes.len()) * 8 / 6);
    letters.get(first..last).map(<[u8]>::to_vec).unwrap_or_default()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    needle.len() >= 4 && memchr::memmem::find(bytes, needle).is_some()
}

/// Automerge's chunks with deflated columns, wherever they lie: after the magic bytes everything is tried.
fn deflated(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
    const CHUNK_MAX: usize = 256 * 1024;
    let mut all = Vec::new();
    for at in memchr::memmem::find_iter(bytes, &MAGIC) {
        let end = bytes.len().min(at + CHUNK_MAX);
        // Behind magic, checksum, type and a length of one to four bytes.
        for start in at + 10..(at + 14).min(end) {
            let mut out = Vec::new();
            let mut reader = flate2::read::DeflateDecoder::new(&bytes[start..end]);
            let _ = std::io::Read::read_to_end(&mut std::io::Read::take(&mut reader, 4 << 20), &mut out);
            if out.len() > 8 {
                all.push((start, out));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "4915550177";

    #[test]
    fn a_mark_is_found_in_every_dress() {
        for shift in 0..3 {
            let mut text = vec![b'x'; shift];
            text.extend_from_slice(MARK.as_bytes());
            text.extend_from_slice(b"tail");
            let coded = base64(&text, 0);
            assert!(in_bytes("p", &coded, &[MARK]).iter().any(|found| found.dress == "in Base64"), "{shift}");
        }
        for (dress, needle) in dresses(MARK) {
            let mut bytes = b"before ".to_vec();
            bytes.extend_from_slice(&needle);
            bytes.extend_from_slice(b" after");
            assert!(in_bytes("p", &bytes, &[MARK]).iter().any(|found| found.dress == dress), "{dress}");
        }
        assert_eq!(in_bytes("p", b"4915550178 and 491555017", &[MARK]), Vec::new());
    }

    #[test]
    fn a_mark_in_a_deflated_change_is_found() {
        use std::io::Write;
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer
            .write_all(format!("a long label with {MARK} in it, {}", "and more ".repeat(40)).as_bytes())
            .expect("packed");
        let mut bytes = b"row".to_vec();
        bytes.extend_from_slice(&[0x85, 0x6f, 0x4a, 0x83, 1, 2, 3, 4, 2, 0x80, 0x01]);
        bytes.extend(packer.finish().expect("packed"));
        bytes.extend_from_slice(b"the next row");
        let found = in_bytes("p", &bytes, &[MARK]);
        assert!(found.iter().any(|found| found.place.contains("unpacked")), "{found:?}");
    }
}
