//! Where sounds come from: the prompts' folder, and the box's voice, whose words are kept unless they are about one caller.
//! A file is decoded beside the relay, all of them when the process begins and each again when it has changed: music of
//! ten minutes takes seconds, in which nobody is to be without sound.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, sync_channel},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use media::{
    engine::{Awaited, Prompts, SoundId},
    plane::Speech,
    prompt::Prompt,
};
use tracing::warn;

use super::{
    relay::{Request, ToRelay},
    speech::Voice,
};

/// Bytes of one file: ten minutes of 48 kHz stereo.
const FILE_BYTES_MAX: u64 = 120 * 1024 * 1024;
/// Prompts kept encoded, and as many sentences.
const KEPT_MAX: usize = 2_000;
/// How a prompt's file ends; of several of one name the last changed counts.
const ENDINGS: [&str; 3] = ["wav", "opus", "ogg"];
/// Sounds of files are numbered from here; those of the voice from nothing.
const FILES: u64 = 1 << 63;

pub struct Shelf {
    folder: PathBuf,
    kept: BTreeMap<PathBuf, Kept>,
    loader: SyncSender<Job>,
    last: u64,
    voice: Option<Voice>,
    said: BTreeMap<Speech, Prompt>,
    /// Sentences that are being said, and are of use to whoever asks next.
    asked: BTreeMap<Speech, SoundId>,
}

struct Kept {
    changed: SystemTime,
    /// None: the file is no prompt, which is told once.
    sound: Option<Awaited>,
}

struct Job {
    id: SoundId,
    path: PathBuf,
}

impl Shelf {
    /// Reads what is in the folder, the small ones first.
    pub fn new(folder: PathBuf, voice: Option<Voice>, relay: ToRelay) -> anyhow::Result<Self> {
        let (loader, jobs) = sync_channel::<Job>(KEPT_MAX);
        let load = move || {
            for Job { id, path } in jobs {
                let loaded = load(&path);
                let told = |error| warn!(prompt = %path.display(), "a prompt cannot be played: {error:#}");
                let sound = loaded.map_err(told).ok();
                while !relay.send(Request::Ready(id, sound.clone())) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        };
        std::thread::Builder::new().name("prompts".into()).spawn(load).context("the prompts' thread cannot start")?;
        let (kept, said, asked) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut shelf = Self { folder, kept, loader, last: FILES, voice, said, asked };
        for (_, changed, path) in files(&shelf.folder) {
            shelf.take(path, changed);
        }
        Ok(shelf)
    }

    /// The file of a prompt: `greeting`, or in a language where there is such, `de-at/greeting`, and `de/greeting` else.
    fn find(&self, name: &str) -> anyhow::Result<(SystemTime, PathBuf)> {
        let (language, name) = name.rsplit_once('/').unwrap_or(("", name));
        // Both are slugs: no path can be made of them (S-41).
        let id = model::PromptId::new(name)?;
        let mut folders = vec![self.folder.clone()];
        if !language.is_empty() {
            folders.splice(..0, spoken(&model::LanguageId::new(language)?).map(|language| self.folder.join(language)));
        }
        let changed = |path: PathBuf| Some((std::fs::metadata(&path).ok()?.modified().ok()?, path));
        let there = |folder: &PathBuf| {
            let files = ENDINGS.iter().map(|ending| folder.join(format!("{id}.{ending}")));
            files.filter_map(changed).max()
        };
        folders.iter().find_map(there).with_context(|| format!("there is no {id}.wav, .opus or .ogg"))
    }

    fn take(&mut self, path: PathBuf, changed: SystemTime) -> Option<Awaited> {
        if let Some(kept) = self.kept.get(&path).filter(|kept| kept.changed == changed) {
            return kept.sound.clone();
        }
        self.last += 1;
        let id = SoundId(self.last);
        if self.loader.try_send(Job { id, path: path.clone() }).is_err() {
            warn!(prompt = %path.display(), "too many prompts are being read");
            return None;
        }
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_first();
        }
        self.kept.insert(path, Kept { changed, sound: Some(Awaited::Soon(id)) });
        Some(Awaited::Soon(id))
    }

    /// What was awaited is here; None: there is no such sound.
    pub fn ready(&mut self, id: SoundId, sound: Option<&Prompt>) {
        let awaits = |kept: &&mut Kept| matches!(kept.sound, Some(Awaited::Soon(soon)) if soon == id);
        if let Some(kept) = self.kept.values_mut().find(awaits) {
            kept.sound = sound.cloned().map(Awaited::Here);
            return;
        }
        let Some((words, _)) = self.asked.iter().find(|(_, asked)| **asked == id) else { return };
        let words = words.clone();
        self.asked.remove(&words);
        if let Some(sound) = sound {
            // What is still in use is soon said again.
            if self.said.len() >= KEPT_MAX {
                self.said.clear();
            }
            self.said.insert(words, sound.clone());
        }
    }
}

impl Prompts for Shelf {
    fn prompt(&mut self, name: &str) -> Option<Awaited> {
        let found = self.find(name).map_err(|error| warn!(prompt = name, "a prompt cannot be played: {error:#}"));
        let (changed, path) = found.ok()?;
        self.take(path, changed)
    }

    fn speak(&mut self, speech: &Speech) -> Option<Awaited> {
        if let Some(prompt) = self.said.get(speech) {
            return Some(Awaited::Here(prompt.clone()));
        }
        if let Some(id) = self.asked.get(speech) {
            return Some(Awaited::Soon(*id));
        }
        let id = self.voice.as_mut()?.say(speech)?;
        if !speech.personal {
            self.asked.insert(speech.clone(), id);
        }
        Some(Awaited::Soon(id))
    }
}

/// Folders of a language, the nearest first: `de-at` is German too, and `cmn` another name of what is `zh` here.
fn spoken(language: &model::LanguageId) -> impl Iterator<Item = String> {
    let own = language.to_string();
    let root = own.split('-').next().unwrap_or_default();
    let root = if root == "cmn" { "zh" } else { root };
    let root = Some(root.to_owned()).filter(|root| *root != own);
    [own].into_iter().chain(root)
}

/// Size, time and path of each, the small ones first; of the folder itself and of its languages'.
fn files(folder: &Path) -> Vec<(u64, SystemTime, PathBuf)> {
    let list = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_language = |path: &PathBuf| {
        path.is_dir() && path.file_name().and_then(|name| model::LanguageId::new(name.to_str()?).ok()).is_some()
    };
    let mut all = Vec::new();
    for folder in std::iter::once(folder.to_path_buf()).chain(list(folder).filter(is_language)) {
        let is_prompt = |path: &PathBuf| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| ENDINGS.contains(&ending))
        };
        for path in list(&folder).filter(is_prompt).take(KEPT_MAX) {
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            all.extend(metadata.modified().ok().map(|changed| (metadata.len(), changed, path)));
        }
    }
    all.sort_unstable();
    all.truncate(KEPT_MAX);
    all
}

fn load(path: &Path) -> anyhow::Result<Prompt> {
    let file = File::open(path)?;
    anyhow::ensure!(file.metadata()?.len() <= FILE_BYTES_MAX, "it is larger than {FILE_BYTES_MAX} bytes: cut it");
    Ok(Prompt::read(file)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::relay;

    const TONE: &[u8] = include_bytes!("../../../media/src/prompt/fixtures/mono.opus");
    const SHORT: &[u8] = include_bytes!("../../../media/src/prompt/fixtures/bits16.wav");

    struct Scene {
        folder: tempfile::TempDir,
        shelf: Shelf,
        inbox: relay::Inbox,
    }

    impl Scene {
        fn of(files: &[(&str, &[u8])]) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            for (name, bytes) in files {
                put(folder.path(), name, bytes);
            }
            let (to_relay, inbox) = relay::channel().expect("a way");
            let shelf = Shelf::new(folder.path().to_path_buf(), None, to_relay).expect("a shelf");
            Self { folder, shelf, inbox }
        }

        /// Frames of the prompt, once it is there.
        fn frames(&mut self, name: &str) -> Option<usize> {
            let asked = self.shelf.prompt(name)?;
            if let Awaited::Soon(awaited) = asked {
                let mut came = None;
                while came != Some(awaited) {
                    let request = self.inbox.0.recv_timeout(Duration::from_secs(20));
                    let Ok(Request::Ready(id, sound)) = request else { panic!("{name} never came") };
                    self.shelf.ready(id, sound.as_ref());
                    came = Some(id);
                }
            }
            match self.shelf.prompt(name)? {
                Awaited::Here(prompt) => {
                    Some((0..).take_while(|at| prompt.frame(media::plane::Codec::Pcma, *at).is_some()).count())
                }
                Awaited::Soon(_) => panic!("{name} is not kept"),
            }
        }
    }

    fn put(folder: &Path, name: &str, bytes: &[u8]) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("written");
    }

    #[test]
    fn a_prompt_is_opus_or_wav_and_the_one_that_was_changed_last() {
        let mut scene = Scene::of(&[("greeting.wav", SHORT), ("music.opus", TONE), ("beep.ogg", TONE)]);
        assert_eq!(scene.frames("greeting"), Some(5));
        assert_eq!((scene.frames("music"), scene.frames("beep"), scene.frames("other")), (Some(35), Some(35), None));
        put(scene.folder.path(), "greeting.opus", TONE);
        let later = SystemTime::now() + Duration::from_secs(60);
        let file = File::options().write(true).open(scene.folder.path().join("greeting.opus")).expect("there");
        file.set_modified(later).expect("changed");
        assert_eq!(scene.frames("greeting"), Some(35));
    }

    #[test]
    fn a_language_falls_back_to_its_root_and_to_the_house_s_own() {
        let mut scene = Scene::of(&[
            ("greeting.wav", SHORT),
            ("goodbye.wav", SHORT),
            ("de/greeting.wav", TONE),
            ("zh/greeting.wav", TONE),
        ]);
        for (name, frames) in [
            ("greeting", Some(5)),
            ("de/greeting", Some(35)),
            ("de-at/greeting", Some(35)),
            ("cmn/greeting", Some(35)),
            ("zh-hk/greeting", Some(35)),
            ("fr/greeting", Some(5)),
            ("de/goodbye", Some(5)),
            ("de/nothing", None),
            ("../greeting", None),
            ("de/../greeting", None),
            ("/etc/passwd", None),
        ] {
            assert_eq!(scene.frames(name), frames, "{name}");
        }
    }

    #[test]
    fn what_is_no_prompt_is_left_out_until_it_is_changed() {
        let mut scene = Scene::of(&[("greeting.wav", b"no sound")]);
        assert_eq!((scene.frames("greeting"), scene.frames("greeting")), (None, None));
        put(scene.folder.path(), "greeting.wav", SHORT);
        let later = SystemTime::now() + Duration::from_secs(60);
        let file = File::options().write(true).open(scene.folder.path().join("greeting.wav")).expect("there");
        file.set_modified(later).expect("changed");
        assert_eq!(scene.frames("greeting"), Some(5));
    }
}
