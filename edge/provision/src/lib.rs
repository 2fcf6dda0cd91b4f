//! What a phone is told when it asks for its configuration: which file of which make was asked for, and what stands in
//! it. Four makes, each in the format its current firmware reads. It knows no HTTP, keeps no secret, and makes none:
//! passwords, tokens and the clock come in.

mod asked;
mod clock;
mod dhcp;
mod escape;
mod grandstream;
mod guesses;
mod mac;
mod make;
mod poly;
mod settings;
mod snom;
mod yealink;

pub use asked::{Asked, Part, TOKEN_LEN, asked, is_token};
pub use clock::{Clock, Summer, Turn};
pub use dhcp::{Server as DhcpServer, snippet};
pub use guesses::{Guesses, MISSES_MAX, SOURCES_MAX};
pub use mac::Mac;
pub use make::{Device, Make};
pub use settings::{Authority, Codec, LAMPS_MAX, Lamp, Language, Settings, Srtp, Transport};

/// A file as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub content_type: &'static str,
    pub text: String,
}

/// The file that a phone of this make reads. Values are escaped as the format asks; what no format can carry (control
/// characters) is left out.
pub fn render(make: Make, part: Part, mac: Mac, settings: &Settings) -> File {
    match (make, part) {
        (Make::Yealink, _) => File { content_type: "text/plain; charset=utf-8", text: yealink::file(settings) },
        (Make::Grandstream, _) => File { content_type: "application/xml", text: grandstream::file(mac, settings) },
        (Make::Poly, Part::Index) => File { content_type: "application/xml", text: poly::index() },
        (Make::Poly, Part::Settings) => File { content_type: "application/xml", text: poly::file(settings) },
        (Make::Snom, _) => File { content_type: "application/xml", text: snom::file(settings) },
    }
}
