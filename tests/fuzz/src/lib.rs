//! What strangers can send, as functions of bytes: each surface takes any input, and panics when something does not
//! hold. `cargo xtask fuzz SURFACE` lets coverage guide the inputs; the tests replay what was found to be worth keeping.

#[cfg(feature = "media")]
mod house;
#[cfg(feature = "media")]
pub mod journal;
pub mod message;
#[cfg(feature = "media")]
pub mod prompt;
#[cfg(feature = "media")]
pub mod rtcp;
#[cfg(feature = "media")]
pub mod rtp;
#[cfg(feature = "media")]
pub mod sdp;
pub mod sequence;
#[cfg(feature = "media")]
pub mod sound;
#[cfg(feature = "media")]
pub mod stun;
#[cfg(feature = "websocket")]
pub mod websocket;

/// A surface, and what an input of it is.
pub struct Surface {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

pub const SURFACES: &[Surface] = &[
    Surface { name: "message", run: message::run },
    Surface { name: "sequence", run: sequence::run },
    #[cfg(feature = "media")]
    Surface { name: "sdp", run: sdp::run },
    #[cfg(feature = "media")]
    Surface { name: "rtp", run: rtp::run },
    #[cfg(feature = "media")]
    Surface { name: "rtcp", run: rtcp::run },
    #[cfg(feature = "media")]
    Surface { name: "stun", run: stun::run },
    #[cfg(feature = "media")]
    Surface { name: "sound", run: sound::run },
    #[cfg(feature = "media")]
    Surface { name: "prompt", run: prompt::run },
    #[cfg(feature = "media")]
    Surface { name: "journal", run: journal::run },
    #[cfg(feature = "websocket")]
    Surface { name: "websocket", run: websocket::run },
];

pub fn surface(name: &str) -> Option<&'static Surface> {
    SURFACES.iter().find(|surface| surface.name == name)
}
