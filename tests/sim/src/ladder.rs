//! The ladder of one contact: every message between the parties of its call, one column for each party.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::{
    clock::Clock,
    journal::{Journal, Message, Number},
    town::{SIDES, Side},
};

/// Characters between two columns.
const WIDTH: usize = 20;
const MARGIN: usize = 15;

/// None: there is no such contact, or it had no message.
pub fn of(journal: &Journal, contact: Number) -> Option<String> {
    let mine = |message: &&Message| journal.contact_of(message) == Some(contact);
    let messages: Vec<&Message> = journal.messages.iter().filter(mine).collect();
    let home = messages.first().map(|first| SIDES.into_iter().find(|side| is_of(*side, first.from, first.to)))??;
    let mut parties: Vec<SocketAddr> = messages.iter().flat_map(|message| [message.from, message.to]).collect();
    parties.sort_by_key(|addr| (rank(home, *addr), *addr));
    parties.dedup();
    let columns: BTreeMap<SocketAddr, usize> =
        parties.iter().enumerate().map(|(n, addr)| (*addr, MARGIN + n * WIDTH)).collect();
    let mut text = format!("contact #{contact}\n{}", heads(&columns));
    for message in messages {
        text.push_str(&line(message, &columns));
        text.push('\n');
    }
    Some(text)
}

fn is_of(side: Side, from: SocketAddr, to: SocketAddr) -> bool {
    from == side.box_addr() || to == side.box_addr()
}

/// The caller's side first: its carrier, its box, its phones, then the other branch.
fn rank(home: Side, addr: SocketAddr) -> u8 {
    let away = home.other();
    match addr {
        addr if addr == home.carrier_addr() => 0,
        addr if addr == home.box_addr() => 1,
        addr if addr == away.box_addr() => 3,
        addr if addr == away.carrier_addr() => 5,
        addr if addr.ip().to_string().starts_with(home.net()) => 2,
        _ => 4,
    }
}

fn name(addr: SocketAddr) -> String {
    for side in SIDES {
        if addr == side.box_addr() {
            return format!("box {}", side.name());
        }
        if addr == side.carrier_addr() {
            return "carrier".to_owned();
        }
        if let Some(n) = (0..side.people().len()).find(|n| side.phone_addr(*n) == addr) {
            return format!("phone {}", side.people()[n].1);
        }
    }
    addr.to_string()
}

fn heads(columns: &BTreeMap<SocketAddr, usize>) -> String {
    let mut places: Vec<(usize, String)> = columns.iter().map(|(addr, at)| (*at, name(*addr))).collect();
    places.sort();
    let mut text = String::new();
    for (at, name) in places {
        let begin = at.saturating_sub(name.len() / 2);
        text.push_str(&" ".repeat(begin.saturating_sub(text.len())));
        text.push_str(&name);
    }
    text + "\n"
}

/// `08:00:01.000  |---- INVITE ----->|`; a message that was lost ends in an `x`.
fn line(message: &Message, columns: &BTreeMap<SocketAddr, usize>) -> String {
    let (Some(from), Some(to)) = (columns.get(&message.from), columns.get(&message.to)) else { return String::new() };
    let end = columns.values().max().copied().unwrap_or(0) + 1;
    let mut row = vec![b' '; end];
    for at in columns.values() {
        row[*at] = b'|';
    }
    let (low, high) = (*from.min(to) + 1, *from.max(to));
    row[low..high].fill(b'-');
    let head = if message.lost {
        b'x'
    } else if from < to {
        b'>'
    } else {
        b'<'
    };
    row[if from < to { high - 1 } else { low }] = head;
    let label = format!(" {} ", message.label);
    let room = (high - low).saturating_sub(4);
    let label: String = label.chars().take(room).collect();
    let begin = low + (high - low - label.len()) / 2;
    row[begin..begin + label.len()].copy_from_slice(label.as_bytes());
    let text = Clock::text(message.at);
    row[..text.len()].copy_from_slice(text.as_bytes());
    String::from_utf8_lossy(&row).into_owned()
}
