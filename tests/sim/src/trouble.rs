//! What goes wrong in a day, and who edits what: decided in the morning, all of it by the seed.

use std::time::Duration;

use model::change::{Change, Doc};

use crate::{
    dice::Dice,
    event::Event,
    stage::Stage,
    town::{SIDES, Side, id},
};

const SECOND: Duration = Duration::from_secs(1);
/// About as many of each in a day, whatever its length.
const CUTS: u32 = 7;
const CALLS_DEATHS: u32 = 3;
const MEDIA_DEATHS: u32 = 3;
const SYNC_DEATHS: u32 = 3;
const CLOUD_DEATHS: u32 = 4;
const EDITS: u32 = 9;
/// Nothing goes wrong while the boxes begin.
const PEACE: Duration = Duration::from_secs(120);

/// Enters the day's troubles and edits. Whatever breaks is whole again when the day ends.
pub fn decide(stage: &mut Stage) {
    let (seed, length) = (stage.plan.seed, stage.plan.length);
    let mut edits = Dice::new(seed, "edits");
    for side in SIDES {
        each(&mut edits, length, EDITS, |_, at| {
            stage.agenda.at(at, Event::BranchEdits(side));
            at
        });
        each(&mut edits, length, EDITS, |_, at| {
            stage.agenda.at(at, Event::CentreEdits(side));
            at
        });
    }
    if !stage.plan.trouble {
        return;
    }
    let mut dice = Dice::new(seed, "trouble");
    let longest = (length / 6).min(3_600 * SECOND);
    for side in SIDES {
        each(&mut dice, length, CUTS, |dice, at| {
            let until = (at + dice.spread(2 * SECOND, longest)).min(length);
            stage.agenda.at(at, Event::Cut(side));
            stage.agenda.at(until, Event::Mend(side));
            until
        });
        each(&mut dice, length, CALLS_DEATHS, |dice, at| {
            let until = at + dice.between(SECOND, 6 * SECOND);
            stage.agenda.at(at, Event::CallsDie(side));
            stage.agenda.at(until, Event::CallsBegin(side));
            until
        });
        each(&mut dice, length, MEDIA_DEATHS, |_, at| {
            stage.agenda.at(at, Event::MediaDies(side));
            at
        });
        each(&mut dice, length, SYNC_DEATHS, |dice, at| {
            let until = at + dice.between(SECOND, 20 * SECOND);
            stage.agenda.at(at, Event::SyncDies(side));
            stage.agenda.at(until, Event::SyncBegins(side));
            until
        });
    }
    each(&mut dice, length, CLOUD_DEATHS, |dice, at| {
        let until = at + dice.spread(SECOND, 300 * SECOND);
        stage.agenda.at(at, Event::CloudDies);
        stage.agenda.at(until, Event::CloudBegins);
        until
    });
}

/// Something that happens `times` a day, by chance, one after the other: `enter` says when it is over.
fn each(dice: &mut Dice, length: Duration, times: u32, mut enter: impl FnMut(&mut Dice, Duration) -> Duration) {
    let mut at = PEACE;
    loop {
        at += dice.wait(length / times);
        if at + 10 * SECOND >= length {
            return;
        }
        at = enter(dice, at) + SECOND;
    }
}

/// An edit that branch and centre may both make, often of the same field.
fn of_both(dice: &mut Dice, side: Side) -> Change {
    let queue = if dice.chance(0.5) { id("sales") } else { id(side.home_queue()) };
    let (agent, phone, _) = dice.pick(side.people());
    let seconds = |dice: &mut Dice, of: &[u32]| *dice.pick(of);
    match dice.below(6) {
        0 => Change::QueueWrapUp { queue, seconds: seconds(dice, &[10, 20, 25, 30, 40]) },
        1 => Change::QueueRing { queue, seconds: seconds(dice, &[15, 18, 20, 25]) },
        2 => Change::QueuePositionEvery { queue, seconds: seconds(dice, &[0, 30, 45, 60]) },
        3 => Change::AgentBadge { agent: id(agent), badge: format!("A-{phone}-{}", dice.below(10)) },
        4 => Change::AgentSkill { agent: id(agent), skill: id("english"), level: Some(1 + dice.below(10) as u8) },
        _ => {
            Change::HoursClosed { hours: id("office"), day: format!("2027-01-{:02}", 1 + dice.below(28)), closed: true }
        }
    }
}

pub fn branch_edit(dice: &mut Dice, side: Side) -> Change {
    of_both(dice, side)
}

pub fn centre_edit(dice: &mut Dice, side: Side) -> (Doc, Change) {
    match dice.below(5) {
        0 => (Doc::Site, Change::SiteLabel { label: format!("{} {}", side.name(), dice.below(100)) }),
        1 => (Doc::Site, Change::QueueOverflowAfter { queue: id("sales"), seconds: *dice.pick(&[15, 20, 30]) }),
        2 => (Doc::Site, of_both(dice, side)),
        _ => (Doc::Local, of_both(dice, side)),
    }
}
