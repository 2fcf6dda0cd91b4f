//! What is said on the control stream. One frame is `length: u32 big endian`, `format: u8`, then CBOR.

use serde::{Deserialize, Serialize};

/// A firmware bundle on offer. The box fetches it on a *bulk* connection and checks all three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// A file name of `a-z A-Z 0-9 . _ -`, not starting with a dot.
    pub name: String,
    pub size: u64,
    /// In hex.
    pub sha256: String,
}
