//! QUIC carries `wire`: identities, mutual TLS, enrolment, and the three connections of a box: *control* (frames on
//! one stream), *media* (datagrams) and *bulk* (bundles). The same crate at both ends; sessions, retries and what is
//! said belong to `wire` and the daemons.

pub mod bulk;
pub mod client;
pub mod endpoint;
pub mod enrol;
pub mod frames;
pub mod identity;
pub mod opening;
pub mod server;
mod tls;
pub mod transport;
pub mod web;

pub use tls::{Error as TrustError, Trust};

/// Boxes with a certificate.
pub const ALPN_BOX: &[u8] = b"bl/1";
/// A box that asks for its first certificate.
pub const ALPN_ENROL: &[u8] = b"bl-enrol/1";
/// The name in every cloud certificate: a box trusts its organisation's CA and this name, whatever the address.
pub const CLOUD_NAME: &str = "cloud.branchline.internal";

/// Application close codes.
pub mod code {
    use quinn::VarInt;

    pub const DONE: VarInt = VarInt::from_u32(0);
    pub const PROTOCOL: VarInt = VarInt::from_u32(1);
    /// No certificate, or one that names no box.
    pub const IDENTITY: VarInt = VarInt::from_u32(2);
    pub const OVERLOAD: VarInt = VarInt::from_u32(3);
}
