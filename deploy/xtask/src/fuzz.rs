//! `cargo xtask fuzz SURFACE`: libFuzzer on stable Rust. The coverage flags are the compiler's own; nothing is sanitised,
//! for nothing here is unsafe. Inputs grow in `target/fuzz/SURFACE`; `--shrink` keeps of them what the corpus needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

#[derive(clap::Args)]
pub struct Args {
    surface: Surface,
    /// Stop after so many runs.
    #[arg(long, default_value_t = 1_000_000)]
    runs: u64,
    /// Longest input, in bytes.
    #[arg(long)]
    bytes_max: Option<u32>,
    /// Put into the corpus the fewest inputs, of it and of what was found, that reach all that was reached.
    #[arg(long)]
    shrink: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Surface {
    /// One SIP message.
    Message,
    /// Messages, answers, commands and time, through the whole endpoint.
    Sequence,
    /// One SDP body.
    Sdp,
    /// Datagrams to the audio ports of calls.
    Rtp,
    /// Datagrams to their report ports.
    Rtcp,
    /// Datagrams to ports whose parties are found by ICE and proven by DTLS.
    Stun,
    /// Datagrams to calls that are decoded.
    Sound,
    /// A prompt's file.
    Prompt,
    /// A recording's file.
    Journal,
    /// A WebSocket connection, from its first byte.
    Websocket,
}

impl Surface {
    fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Sequence => "sequence",
            Self::Sdp => "sdp",
            Self::Rtp => "rtp",
            Self::Rtcp => "rtcp",
            Self::Stun => "stun",
            Self::Sound => "sound",
            Self::Prompt => "prompt",
            Self::Journal => "journal",
            Self::Websocket => "websocket",
        }
    }

    /// What has to be built beside the engine.
    fn features(self) -> &'static str {
        match self {
            Self::Message | Self::Sequence => "libfuzzer",
            Self::Sdp | Self::Rtp | Self::Rtcp | Self::Stun | Self::Sound | Self::Prompt | Self::Journal => {
                "libfuzzer,media"
            }
            Self::Websocket => "libfuzzer,websocket",
        }
    }

    fn bytes_max(self) -> u32 {
        match self {
            Self::Message | Self::Sdp | Self::Rtp | Self::Stun | Self::Sound | Self::Prompt | Self::Journal => 512,
            Self::Sequence => 128,
            Self::Rtcp | Self::Websocket => 256,
        }
    }
}

const TARGET: &str = "x86_64-unknown-linux-gnu";
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Ccodegen-units=1 -Coverflow-checks --cfg fuzzing";

/// What libFuzzer ends with when it is told to (its `-interrupted`, not a fault).
const INTERRUPTED: i32 = 72;

pub fn run(args: &Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the root")?;
    let (home, name) = (root.join("tests/fuzz"), args.surface.name());
    let corpus = home.join("corpus").join(name);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("fuzz");
    let (grown, faults) = (target.join(name), target.join("faults"));
    std::fs::create_dir_all(&grown)?;
    std::fs::create_dir_all(&faults)?;
    build(&target, args.surface)?;
    let mut fuzz = Command::new(target.join(TARGET).join("release/fuzz"));
    fuzz.env("SURFACE", name);
    fuzz.arg(format!("-max_len={}", args.bytes_max.unwrap_or(args.surface.bytes_max())));
    if args.shrink {
        let fewest = target.join(format!("{name}-fewest"));
        let _none = std::fs::remove_dir_all(&fewest);
        std::fs::create_dir_all(&fewest)?;
        fuzz.arg("-set_cover_merge=1").args([&fewest, &corpus, &grown]);
        ensure!(fuzz.status()?.success(), "the corpus could not be shrunk");
        return replace(&corpus, &fewest);
    }
    let words = home.join(format!("{name}.dict"));
    if words.exists() {
        fuzz.arg(format!("-dict={}", words.display()));
    }
    fuzz.arg(format!("-runs={}", args.runs)).arg(format!("-artifact_prefix={}/{name}-", faults.display()));
    fuzz.args(["-print_final_stats=1", "-use_memcmp=0", "-timeout=10"]).args([&grown, &corpus]);
    let status = fuzz.status()?;
    ensure!(status.code() != Some(INTERRUPTED), "interrupted; what was found until then is in {}", grown.display());
    ensure!(status.success(), "something does not hold; the input is in {}", faults.display());
    Ok(())
}

/// In a folder of its own: other flags make other packages of all of them. With a target named, build scripts are
/// built without the flags.
fn build(target: &Path, surface: Surface) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo)
        .env("RUSTFLAGS", FLAGS)
        .args(["build", "--release", "--locked", "--package", "fuzz", "--bin", "fuzz", "--no-default-features"])
        .args(["--features", surface.features(), "--target", TARGET, "--target-dir"])
        .arg(target)
        .status()
        .context("cargo cannot be started")?;
    ensure!(status.success(), "the fuzzer could not be built");
    Ok(())
}

/// Inputs with a name of their own stay: each was a fault once, or is a document's.
fn replace(corpus: &Path, fewest: &Path) -> anyhow::Result<()> {
    let is_found = |name: &str| name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    for entry in std::fs::read_dir(corpus)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_found) {
            std::fs::remove_file(entry.path())?;
        }
    }
    for entry in std::fs::read_dir(fewest)? {
        let entry = entry?;
        std::fs::copy(entry.path(), corpus.join(entry.file_name()))?;
    }
    Ok(())
}
