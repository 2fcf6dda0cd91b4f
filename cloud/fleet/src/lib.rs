//! What is rolled out to many sites, in which order, and when it stops: decided from what boxes report, and carried out
//! by others. [`waves`] makes the order, [`rollout`] is the machine, [`destructive`] says what one person alone may not
//! do. Writing configuration, the database and the clock are left to `cloudd`.

pub mod destructive;
pub mod rollout;
pub mod waves;

pub use destructive::{is_destructive, wants_second};
pub use rollout::{Evidence, Input, Output, Plan, Rollout, Standing, State, Why};
pub use waves::{Order, Unfit, waves};

/// Sites of one roll-out.
pub const SITES_MAX: usize = 2_000;
/// Waves of one roll-out.
pub const WAVES_MAX: usize = 10;
/// Longest that a wave is watched before the next, and that a branch may take to run by what it was given: a week, in ms.
pub const WAIT_MS_MAX: i64 = 7 * 86_400_000;
