//! The surface named by `SURFACE` under libFuzzer. More than 10 ms of processor time in one run is a fault like a panic.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use fuzz::Surface;
use rustix::time::{ClockId, Timespec, clock_gettime};

const RUN_MAX: Duration = Duration::from_millis(10);

static SURFACE: LazyLock<&'static Surface> = LazyLock::new(|| {
    let name = std::env::var("SURFACE").unwrap_or_default();
    fuzz::surface(&name).expect("SURFACE names one of the surfaces")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Interrupts count as ours, so one slow run proves nothing, and five do.
    let fast = (0..5).map(|_| timed(data)).any(|took| took <= RUN_MAX);
    assert!(fast, "slower than {RUN_MAX:?} five times");
});

/// Of this thread, not of the wall: others work on the machine too.
fn timed(data: &[u8]) -> Duration {
    let began = spent();
    (SURFACE.run)(data);
    spent().saturating_sub(began)
}

fn spent() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(tv_sec).unwrap_or_default(), nanos)
}
