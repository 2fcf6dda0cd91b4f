//! Which trunks an ordinary call out takes, in which order: the group's members by order and weight, then the outward
//! trunk, then its backups. What is closed at this hour is left out; what cannot take a call at the moment comes last,
//! since a call that fails is better than one that is not tried.

use model::config::Config;
use model::dialling::{Member, TrunkGroup};
use model::{HoursId, TrunkId};

/// How a trunk stands, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Ready,
    /// All channels that a call out may take are taken.
    Full,
    Down,
}

/// `draw` decides between members of one order; the same draw gives the same answer.
pub fn ways(
    config: &Config,
    draw: u64,
    is_open: impl Fn(&HoursId) -> bool,
    standing: impl Fn(&TrunkId) -> Standing,
) -> Vec<TrunkId> {
    let site = &config.site;
    let open = |hours: &Option<HoursId>| hours.as_ref().is_none_or(&is_open);
    let group = outward(config).filter(|group| open(&group.hours));
    let members = group.map(|group| shared_out(group, draw)).unwrap_or_default();
    let mut all: Vec<TrunkId> = Vec::new();
    for id in members.into_iter().chain(&site.outward).chain(&site.dialling.backup) {
        let usable = config.trunks.get(id).is_some_and(|trunk| open(&trunk.carrier.hours));
        if usable && !all.contains(id) {
            all.push(id.clone());
        }
    }
    all.sort_by_key(standing);
    all
}

pub(crate) fn outward(config: &Config) -> Option<&TrunkGroup> {
    let dialling = &config.site.dialling;
    dialling.groups.get(dialling.outward.as_ref()?)
}

/// Members in the order in which this call tries them. One that weighs nothing comes after all that weigh something.
fn shared_out(group: &TrunkGroup, draw: u64) -> Vec<&TrunkId> {
    let mut left: Vec<&Member> = group.members.iter().collect();
    let mut chosen = Vec::new();
    let mut state = draw;
    while let Some(first) = left.iter().map(|member| rank(member)).min() {
        let equals = left.iter().filter(|member| rank(member) == first);
        let total: u64 = equals.map(|member| u64::from(member.weight)).sum();
        state = mixed(state);
        let mut mark = state.checked_rem(total).unwrap_or(0);
        let at = left.iter().position(|member| {
            let here = rank(member) == first;
            let weight = u64::from(member.weight);
            if here && (mark < weight || total == 0) {
                return true;
            }
            mark = if here { mark.saturating_sub(weight) } else { mark };
            false
        });
        match at {
            Some(at) => chosen.push(&left.remove(at).trunk),
            None => break,
        }
    }
    chosen
}

fn rank(member: &Member) -> (bool, u8) {
    (member.weight == 0, member.order)
}

/// The next of a sequence of numbers that look random (splitmix64, Steele et al. 2014).
fn mixed(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
