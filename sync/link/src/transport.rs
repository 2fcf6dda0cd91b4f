//! How the three kinds of connection behave on the path.

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use quinn::{
    IdleTimeout, MtuDiscoveryConfig, TransportConfig, VarInt,
    congestion::{Controller, ControllerFactory, CubicConfig},
};

/// A path without a sign of life for this long is gone.
pub const IDLE: Duration = Duration::from_secs(15);
pub const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// 64 KiB in flight carry 60 calls of G.711 at 50 ms round trip, and 1 MB/s of bundle.
const FLOOR: u64 = 64 * 1024;
const CEILING: u64 = 4 * 1024 * 1024;
/// About 100 ms of 20 calls: an RTP packet that waited longer is of no use, the oldest is dropped.
const DATAGRAMS: usize = 32 * 1024;

/// Control, and everything on the cloud's side: the cloud sees a connection's kind only after it is accepted, so all
/// of them get the floor. Bulk is paced by a token bucket above, and media is bounded by the number of calls.
pub fn ours() -> TransportConfig {
    let mut transport = base();
    transport.congestion_controller_factory(Arc::new(Floor::NEW));
    transport
}

/// The box's side of a bulk connection yields to everything.
pub fn yielding() -> TransportConfig {
    let mut transport = base();
    transport.congestion_controller_factory(Arc::new(CubicConfig::default()));
    transport
}

fn base() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(IdleTimeout::try_from(IDLE).ok())
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_concurrent_bidi_streams(VarInt::from_u32(4))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        // More than two frames of the largest size, so that two ends that both write never wait for one another.
        .stream_receive_window(VarInt::from_u32(12 * 1024 * 1024))
        .receive_window(VarInt::from_u32(16 * 1024 * 1024))
        .send_window(8 * 1024 * 1024)
        .datagram_receive_buffer_size(Some(4 * DATAGRAMS))
        .datagram_send_buffer_size(DATAGRAMS)
        .mtu_discovery_config(Some(MtuDiscoveryConfig::default()));
    transport
}

/// Additive increase, multiplicative decrease, and never below a floor. Under Cubic or NewReno many RTP flows starve at
/// a loss that they would survive (DESIGN 7); their rate does not answer to a window anyway.
#[derive(Debug, Clone, Copy)]
struct Floor {
    window: u64,
}

impl Floor {
    const NEW: Floor = Floor { window: FLOOR };
}

impl ControllerFactory for Floor {
    fn build(self: Arc<Self>, _: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Floored { window: self.window, mtu: u64::from(current_mtu), reduced: None })
    }
}

#[derive(Debug, Clone)]
struct Floored {
    window: u64,
    mtu: u64,
    /// Packets sent before this are of the last congestion event.
    reduced: Option<Instant>,
}

impl Controller for Floored {
    fn on_end_acks(&mut self, _: Instant, _: u64, app_limited: bool, _: Option<u64>) {
        if !app_limited {
            self.window = self.window.saturating_add(self.mtu).min(CEILING);
        }
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, _: bool, _: u64) {
        if self.reduced.is_some_and(|at| sent <= at) {
            return;
        }
        self.reduced = Some(now);
        self.window = (self.window / 10).saturating_mul(7).max(FLOOR);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = u64::from(new_mtu);
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        FLOOR
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_never_takes_the_window_below_its_floor_and_one_event_counts_once() {
        let now = Instant::now();
        let mut controller = Arc::new(Floor::NEW).build(now, 1200);
        for _ in 0..200 {
            controller.on_end_acks(now, 0, false, None);
        }
        let grown = controller.window();
        assert_eq!(grown, FLOOR + 200 * 1200);
        controller.on_congestion_event(now, now, false, 1200);
        controller.on_congestion_event(now, now, false, 1200);
        assert_eq!(controller.window(), grown / 10 * 7);
        for ms in 1..100 {
            let later = now + Duration::from_millis(ms);
            controller.on_congestion_event(later, later, true, 1200);
        }
        assert_eq!(controller.window(), FLOOR);
    }
}
