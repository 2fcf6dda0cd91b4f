//! Tiers: whom else a queue asks when a contact has waited, or too many wait (RT-06, within the box). A contact only
//! ever moves to a wider tier, in which everybody who could take it before still can.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use model::{ContactId, QueueId, SkillId, config::Queue};

use crate::{Acd, Stay, lane::Wish, timer::Timer};

/// What an agent must have: the queue's skills and the contact's own, at the level of the tier.
pub(crate) fn asks(queue: &Queue, wish: &Wish) -> BTreeMap<SkillId, u8> {
    let less = queue.routing.tiers.iter().take(wish.tier).map(|tier| tier.levels_less).max().unwrap_or(0);
    let mut asks = queue.skills.clone();
    for (skill, level) in &wish.skills {
        let asked = asks.entry(skill.clone()).or_default();
        *asked = (*asked).max(*level);
    }
    asks.into_iter().map(|(skill, level)| (skill, level.saturating_sub(less))).filter(|(_, level)| *level > 0).collect()
}

/// Whose members may be offered a contact of the tier.
pub(crate) fn members_of(id: &QueueId, queue: &Queue, tier: usize) -> BTreeSet<QueueId> {
    let also = queue.routing.tiers.iter().take(tier).flat_map(|tier| tier.also.iter().cloned());
    also.chain([id.clone()]).collect()
}

/// The widest tier that is open to a contact that has waited so long in a line of that length.
fn open(queue: &Queue, waited: Duration, length: usize) -> usize {
    let by_time = |after: Option<u32>| after.is_some_and(|s| waited >= Duration::from_secs(s.into()));
    let by_length = |most: Option<u32>| most.and_then(|most| usize::try_from(most).ok()).is_some_and(|m| length > m);
    let is_open = |tier: &model::routing::Tier| by_time(tier.after_s) || by_length(tier.longer_than);
    queue.routing.tiers.iter().rposition(is_open).map_or(0, |at| at + 1)
}

/// When the next tier beyond `tier` opens by the time alone.
fn opens_at(queue: &Queue, tier: usize, since: Instant) -> Option<Instant> {
    let later = queue.routing.tiers.iter().skip(tier).filter_map(|tier| tier.after_s).min()?;
    Some(since + Duration::from_secs(later.into()))
}

/// The tier of a contact that has waited since `since` in a line of `length`, itself included.
pub(crate) fn now(now: Instant, queue: &Queue, (since, stay): (Instant, Stay), length: usize) -> usize {
    if stay == Stay::Guest { 0 } else { open(queue, now.saturating_duration_since(since), length) }
}

impl Acd {
    /// The contact's time has come.
    pub(crate) fn tier_due(&mut self, now: Instant, contact: ContactId) {
        self.widen(now, contact);
        self.time_tier(now, contact);
        self.serve_contact(now, contact);
    }

    /// Sets the timer of the next tier.
    pub(crate) fn time_tier(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact).filter(|entry| entry.stay != Stay::Guest) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        let at = opens_at(&queue.config, entry.wish.tier, entry.place.since).filter(|at| *at > now);
        match at {
            Some(at) => self.timers.set(Timer::Tier(contact), at),
            None => self.timers.cancel(&Timer::Tier(contact)),
        }
    }

    /// The line has grown by one. Past the bound of a tier, everybody in it has that tier.
    pub(crate) fn widen_by_length(&mut self, now: Instant, id: &QueueId) {
        let Some(queue) = self.queues.get(id) else { return };
        let length = queue.line.len();
        // Only the contact that makes it longer than a bound changes anything for the others.
        let bound = |most: u32| usize::try_from(most).is_ok_and(|most| most.checked_add(1) == Some(length));
        if !queue.config.routing.tiers.iter().filter_map(|tier| tier.longer_than).any(bound) {
            return;
        }
        let contacts: Vec<ContactId> = queue.line.iter().map(|place| place.contact).collect();
        for contact in &contacts {
            self.widen(now, *contact);
            self.time_tier(now, *contact);
        }
        self.serve_in_turn(now, contacts);
    }

    fn widen(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        let tier = self::now(now, &queue.config, (entry.place.since, entry.stay), queue.line.len());
        if tier <= entry.wish.tier {
            return;
        }
        let (wish, queue) = (Wish { tier, skills: entry.wish.skills.clone() }, entry.queue.clone());
        // A queue with too many lanes leaves the contact where it is: it can still be served there.
        let Some(lane) = self.lane_of(&queue, &wish) else { return };
        let waits = self.leave_lane(contact);
        let Some(entry) = self.contacts.get_mut(&contact) else { return };
        (entry.wish, entry.lane) = (wish, lane);
        self.enter_lane(contact, waits);
    }
}
