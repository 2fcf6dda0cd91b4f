//! The import table of ARCHITECTURE.md, as data. A crate may import what stands beside it, and nothing else of ours.

/// Crates that decide and touch nothing: no async, no sockets, no files, no clock.
pub const ENGINES: &[&str] = &[
    "sip",
    "media",
    "call",
    "ivr",
    "acd",
    "floor",
    "report",
    "drill",
    "ticket",
    "model",
    "flow",
    "config",
    "gate",
    "wire",
    "ota",
    "lab",
    "provision",
    "fleet",
];

/// (crate, what it may import of the house). Tests may import anything; nothing imports tests.
pub const IMPORTS: &[(&str, &[&str])] = &[
    ("sip", &[]),
    ("media", &[]),
    ("model", &[]),
    ("ota", &[]),
    ("pages", &[]),
    ("provision", &[]),
    ("flow", &["model"]),
    ("config", &["flow", "model"]),
    ("gate", &["model"]),
    ("ivr", &["model"]),
    ("acd", &["model"]),
    ("ticket", &["model"]),
    ("wire", &["model"]),
    ("link", &["wire"]),
    ("call", &["sip", "media", "model"]),
    ("floor", &["call", "ivr", "acd", "model"]),
    // It judges the past: nothing on a call's way imports it.
    ("report", &["floor", "acd", "model"]),
    ("drill", &["model"]),
    // The lab reads with the front door and the digest client of the box, and knows nothing of its calls.
    ("lab", &["sip", "media"]),
    ("ledger", &["wire", "config", "gate", "model"]),
    ("desk", &["floor", "report", "ticket", "ledger", "model", "pages"]),
    (
        "boxd",
        &[
            "sip",
            "media",
            "call",
            "ivr",
            "acd",
            "floor",
            "ledger",
            "desk",
            "report",
            "drill",
            "ticket",
            "link",
            "wire",
            "flow",
            "config",
            "gate",
            "model",
            "lab",
            "provision",
        ],
    ),
    ("fleet", &["model"]),
    ("db", &["model"]),
    ("cloudd", &["db", "fleet", "link", "wire", "flow", "config", "gate", "model", "pages"]),
    ("cli", &["model"]),
    ("otad", &["ota"]),
    ("xtask", &["ota"]),
];

/// Crates from outside that an engine may not even name.
pub const BANNED_IN_ENGINES: &[&str] = &[
    "tokio",
    "quinn",
    "axum",
    "rusqlite",
    "socket2",
    "nix",
    "zbus",
    "reqwest",
    "rustls",
    "async-trait",
    "futures-util",
];

/// Folders whose direct children are crates.
pub const FLOORS: &[&str] = &["edge", "sync", "cloud", "firmware", "tests"];

/// What stands at the top; the customer fixed it.
pub const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "ARCHITECTURE.md",
    "README.md",
    "LICENSE",
    "clippy.toml",
    "rustfmt.toml",
    "deny.toml",
    "edge",
    "cloud",
    "sync",
    "firmware",
    "deploy",
    "tests",
];

/// A file above this many lines wants to be two.
pub const LINES_MAX: usize = 900;

/// Names that say nothing about what is inside.
pub const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "manager", "misc", "stuff"];
