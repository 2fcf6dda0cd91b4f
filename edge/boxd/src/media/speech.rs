//! The box's voice: words become sound beside the relay, a few sentences at once. Who speaks stands behind a trait;
//! here it is eSpeak NG, a program of its own that hears the words on its standard input, where nobody else can read
//! them, and may take as long as [`SAID_WITHIN`].

use std::{
    io::Cursor,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use media::{engine::SoundId, plane::Speech, prompt::Prompt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
};
use tracing::warn;

use super::relay::{Request, ToRelay};

/// Sentences that wait.
const WAITING_MAX: usize = 64;
const SAID_WITHIN: Duration = Duration::from_secs(3);
/// Sentences that are said at once, and how long one may wait for its turn: nobody listens to silence for longer.
const AT_ONCE: usize = 3;
const WAITED_MAX: Duration = Duration::from_secs(2);
/// Bytes of sound for one sentence: a minute and a half at eSpeak's 22,050 Hz.
const SOUND_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Words a minute: slower than the program's own, for a telephone.
const PACE: &str = "150";

/// Says words; a WAV file comes back, which may not know its own length.
pub trait Speaker: Send + Sync + 'static {
    /// # Errors
    /// The language is not spoken here, or the program failed.
    fn say(&self, speech: &Speech) -> impl Future<Output = anyhow::Result<Vec<u8>>> + Send;
}

pub struct Espeak {
    program: PathBuf,
}

impl Espeak {
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }
}

impl Speaker for Espeak {
    async fn say(&self, speech: &Speech) -> anyhow::Result<Vec<u8>> {
        let mut child = Command::new(&self.program)
            .args(["-v", &speech.language, "-s", PACE, "--stdin", "--stdout"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let mut stdout = child.stdout.take().context("no standard output")?.take(SOUND_BYTES_MAX);
        let mut wav = Vec::new();
        // Brackets would be read as sounds, letter by letter.
        let words: String = speech.text.chars().filter(|c| !matches!(c, '[' | ']')).collect();
        let tell = async move {
            let told = stdin.write_all(words.as_bytes()).await;
            drop(stdin);
            told
        };
        let (told, heard) = tokio::join!(tell, stdout.read_to_end(&mut wav));
        told.context("it does not listen")?;
        heard.context("it cannot be heard")?;
        ensure!((wav.len() as u64) < SOUND_BYTES_MAX, "more than {SOUND_BYTES_MAX} bytes of sound");
        ensure!(child.wait().await?.success(), "it does not speak {:?}", speech.language);
        Ok(wav)
    }
}

struct Job {
    id: SoundId,
    speech: Speech,
    asked: Instant,
}

/// The way to the voice.
pub struct Voice {
    jobs: Sender<Job>,
    last: u64,
}

impl Voice {
    /// [`Request::Ready`] follows; None: it has too much to say.
    pub fn say(&mut self, speech: &Speech) -> Option<SoundId> {
        let id = SoundId(self.last + 1);
        let job = Job { id, speech: speech.clone(), asked: Instant::now() };
        self.jobs.try_send(job).map_err(|_| warn!("words are left out: too many wait")).ok()?;
        self.last = id.0;
        Some(id)
    }
}

/// The way in, and what is to be run.
pub fn start(speaker: impl Speaker, relay: ToRelay) -> (Voice, impl Future<Output = ()>) {
    let (jobs, waiting) = channel(WAITING_MAX);
    (Voice { jobs, last: 0 }, serve(Arc::new(speaker), waiting, relay))
}

async fn serve(speaker: Arc<impl Speaker>, mut waiting: Receiver<Job>, relay: ToRelay) {
    let mut saying = JoinSet::new();
    while let Some(job) = waiting.recv().await {
        if saying.len() >= AT_ONCE {
            let _ = saying.join_next().await;
        }
        let (speaker, relay) = (speaker.clone(), relay.clone());
        saying.spawn(async move {
            let Job { id, speech, asked } = job;
            let sound = said(&*speaker, &speech, asked).await;
            let sound = sound.map_err(|error| warn!(language = speech.language, "words are left out: {error:#}"));
            relay.send(Request::Ready(id, sound.ok()));
        });
    }
}

async fn said(speaker: &impl Speaker, speech: &Speech, asked: Instant) -> anyhow::Result<Prompt> {
    ensure!(asked.elapsed() <= WAITED_MAX, "too many wait");
    let wav = tokio::time::timeout(SAID_WITHIN, speaker.say(speech)).await.context("it takes too long")??;
    encoded(wav).await
}

/// Elsewhere: it takes a while, in which commands would wait.
async fn encoded(wav: Vec<u8>) -> anyhow::Result<Prompt> {
    Ok(tokio::task::spawn_blocking(move || Prompt::read(Cursor::new(wav))).await??)
}

/// What the program says of itself.
///
/// # Errors
/// It cannot be started, or is none of its kind.
pub fn version(program: &Path) -> anyhow::Result<String> {
    let output = std::process::Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim();
    ensure!(output.status.success() && line.contains("eSpeak"), "{} is not eSpeak NG", program.display());
    Ok(line.chars().take(80).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: &str, text: &str) -> Speech {
        Speech { language: language.to_owned(), text: text.to_owned(), personal: false }
    }

    /// Seconds of sound.
    async fn said(speech: &Speech) -> anyhow::Result<f64> {
        let wav = Espeak::new("espeak-ng".into()).say(speech).await?;
        let prompt = encoded(wav).await?;
        let frames = (0..10_000).take_while(|at| prompt.frame(media::plane::Codec::Pcma, *at).is_some()).count();
        Ok(frames as f64 / 50.0)
    }

    #[tokio::test]
    async fn espeak_says_a_sentence_in_two_languages() {
        let english = said(&words("en", "Your order is on its way.")).await.expect("said");
        let chinese = said(&words("cmn", "您的订单已经发货。")).await.expect("said");
        assert!((1.0..4.0).contains(&english) && (1.0..6.0).contains(&chinese), "{english} {chinese}");
    }

    #[tokio::test]
    async fn what_looks_like_an_option_or_markup_is_only_words() {
        let plain = said(&words("en", "minus w slash etc")).await.expect("said");
        assert!(said(&words("en", "-w /etc/passwd")).await.expect("said") > plain / 2.0);
        assert!(said(&words("en", "[[")).await.is_err(), "nothing is left to be said");
    }

    #[tokio::test]
    async fn a_language_that_nobody_speaks_is_an_error() {
        let error = said(&words("xx", "Hello.")).await.expect_err("not spoken");
        assert!(error.to_string().contains("xx"), "{error:#}");
        let missing = Espeak::new("no-such-program".into()).say(&words("en", "Hello.")).await.expect_err("not there");
        assert!(missing.to_string().contains("no-such-program"));
    }
}
