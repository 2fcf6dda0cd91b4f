//! Structured logs on standard error, text for people or JSON for collectors. `RUST_LOG` narrows or widens them.
//! People's numbers and names are logged at debug level only, by no line of ours above it.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        eprintln!("logs were started twice: {error}");
    }
}
