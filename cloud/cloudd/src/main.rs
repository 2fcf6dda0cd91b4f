//! The cloud's daemon; see [`cloudd::command`].

use clap::Parser;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match cloudd::command::Args::parse().execute().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloudd: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
