//! What the engine shows of itself: the board for the desks, figures for Prometheus, the standing for the prober.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Instant,
};

use desk::BoardAt;
use model::cdr::{Cdr, Outcome};
use tracing::{error, info, warn};

use super::engine::Engine;

impl Engine {
    pub fn show(&mut self) {
        let at = Instant::now();
        let board = self.floor.board(at);
        let waiting: u32 = board.queues.iter().map(|queue| queue.waiting).sum();
        self.meters.waiting.set(waiting.into());
        self.meters.connections.set(i64::try_from(self.sockets.connections()).unwrap_or(i64::MAX));
        self.meters.phones.set(i64::try_from(self.phones.len()).unwrap_or(i64::MAX));
        self.meters.trunks_up.set(self.trunks.values().map(|up| i64::from(*up)).sum());
        self.show_trunks();
        self.show_recording_sessions();
        self.show_standing();
        let legs = u32::try_from(self.floor.lines().in_use().legs).unwrap_or(u32::MAX);
        self.standing.calls.store(legs, Ordering::Relaxed);
        self.standing.ledger.store(!self.stay.is_spare() && self.store.is_well(), Ordering::Relaxed);
        self.show_help(board.help);
        self.show_at = None;
        self.board.send_replace(Arc::new(BoardAt { at, board }));
    }

    /// Nobody must learn only when it burns that no call for help can go out.
    fn show_help(&self, help: call::Help) {
        let mut shown = self.standing.help.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.replace(help) == Some(help) {
            return;
        }
        match help {
            call::Help::Ready => info!("calls for help can go out"),
            call::Help::LinesDown => warn!("no line is up: a call for help may not go out"),
            call::Help::NoLine => error!("no call for help can go out: no trunk is configured"),
            call::Help::NoNumber => error!("no call for help can go out: no emergency number is configured"),
        }
    }

    /// What waits, and what did not get so far.
    pub fn show_reception(&mut self) {
        let now = Instant::now();
        for ((cause, status), count) in self.reception.turned_away() {
            self.meters.refused.count_many(now, cause, status, count);
        }
        self.meters.kernel_dropped.inc_by(self.reception.kernel_dropped());
        let (load, lines) = (self.reception.load(), self.floor.lines().load());
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.meters.datagrams_waiting.set(gauge(load.datagrams));
        self.meters.datagrams_waiting_bytes.set(gauge(load.bytes));
        self.meters.calls_rate.set(load.rate.map_or(-1, |rate| i64::try_from(rate).unwrap_or(i64::MAX)));
        self.meters.transactions.set(gauge(lines.transactions));
        self.meters.dialogs.set(gauge(lines.dialogs));
    }

    /// Trunks that left the configuration leave the figures too.
    fn show_trunks(&self) {
        self.meters.trunk_up.reset();
        self.meters.trunk_calls.reset();
        for trunk in self.running.trunks.keys() {
            let lines = self.floor.lines();
            let (inward, outward) = lines.trunk_calls(trunk);
            self.meters.trunk_up.with_label_values(&[trunk.as_str()]).set(lines.is_trunk_up(trunk).into());
            for (way, calls) in [("in", inward), ("out", outward)] {
                let calls = i64::try_from(calls).unwrap_or(i64::MAX);
                self.meters.trunk_calls.with_label_values(&[trunk.as_str(), way]).set(calls);
            }
        }
    }

    fn show_recording_sessions(&self) {
        let (wanted, taken) = self.floor.lines().copies();
        for (what, count) in [("wanted", wanted), ("taken", taken), ("brought", self.floor.lines().brought())] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.meters.recording_sessions.with_label_values(&[what]).set(count);
        }
    }

    pub fn count(&self, cdr: &Cdr) {
        // Counted when it was written first.
        if cdr.wrap_up_ms.is_some() || cdr.corrected.is_some() || self.config.brought(cdr) {
            return;
        }
        self.meters.contacts.inc();
        match cdr.outcome {
            Outcome::Answered => self.meters.answered.inc(),
            Outcome::Abandoned => self.meters.abandoned.inc(),
            Outcome::InFlow | Outcome::Refused => {}
        }
    }
}
