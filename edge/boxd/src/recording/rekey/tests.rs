//! S-181: whenever the power fails, everything opens; and at the end, by the new key alone.

use ledger::{Batch, Credential, CredentialChange, CredentialKind, Ledger, Options, Secret};
use media::{
    plane::{Codec, Side},
    record::{Batch as Frames, Heard, Writer},
};
use model::TrunkId;

use super::*;

const RECORDINGS: u8 = 5;

fn trunk() -> CredentialKind {
    CredentialKind::Trunk { trunk: TrunkId::new("sip").expect("a name") }
}

/// A box that is stopped: recordings, one of them torn by a crash, one of another box's, and a ledger.
fn stopped(folder: &Path) -> (BoxConfig, BranchKey) {
    let file = folder.join("box.toml");
    let text = "site = \"branch-a\"\ndata = \"data\"\nrun = \"run\"\nprompts = \"prompts\"\n[sip]\ndomain = \"a.example\"\n\
                listen = [\"udp:127.0.0.1:5060\"]\n[rtp]\nip = \"127.0.0.1\"\nports = [20000, 20998]\n\
                [desk]\nlisten = \"127.0.0.1:8080\"\n";
    fs::write(&file, text).expect("written");
    let config = crate::config::load(&file).expect("a good file");
    fs::create_dir_all(config.recordings()).expect("a folder");
    let key = config.keys.load_or_create().expect("a key");
    for n in 0..=RECORDINGS {
        let of = if n == RECORDINGS { BranchKey::new([1; 32]) } else { key.clone() };
        let name = format!("{n:032x}");
        let (mut writer, mut bytes) = Writer::begin(&name, "branch-a", 0, of.bytes(), &[n; 44]).expect("begun");
        let mut frames = Frames::default();
        frames.push(&Heard { side: Side::Caller, codec: Codec::Pcma, timestamp: 0, at_ms: 0, payload: &[n; 160] });
        bytes.extend_from_slice(writer.seal(&mut frames).expect("sealed"));
        if n > 0 {
            bytes.extend(writer.end().expect("ended").0);
        }
        fs::write(config.recordings().join(name).with_extension("blr"), bytes).expect("written");
    }
    fs::write(config.recordings().join("torn.blr"), b"BLR2").expect("written");
    let ledger = Ledger::open(&config.ledger_file(), key.clone(), Options::default()).expect("a ledger");
    let put = CredentialChange::Put(Credential { kind: trunk(), secret: Secret::new("secret") });
    ledger.writer().submit(Batch { credentials: vec![put], ..Batch::default() }).wait().expect("durable");
    ledger.close();
    (config, key)
}

/// Recordings that a key opens.
fn opened(config: &BoxConfig, key: &BranchKey) -> usize {
    let all = files(&config.recordings()).expect("the folder");
    all.iter().filter(|file| record::read(&fs::read(file).expect("a file"), key.bytes()).is_ok()).count()
}

fn credential(config: &BoxConfig, key: &BranchKey) -> Result<Option<Secret>, ledger::Error> {
    let ledger = Ledger::open(&config.ledger_file(), key.clone(), Options::default()).expect("a ledger");
    let found = ledger.reader().expect("a reader").credential(&trunk());
    ledger.close();
    found
}

#[test]
fn a_power_cut_after_any_step_leaves_nothing_unreadable_and_the_next_start_goes_on() {
    for steps in 0_usize.. {
        let folder = tempfile::tempdir().expect("a folder");
        let (config, old) = stopped(folder.path());
        let mut rekey = Rekey::begin(&config).expect("begun");
        let mut ended = false;
        for _ in 0..steps {
            ended = !rekey.step().expect("a step");
        }
        drop(rekey);
        let named = config.keys.load_or_create().expect("a key");
        assert_eq!(opened(&config, &named), usize::from(RECORDINGS), "after {steps} steps");
        let done =
            Rekey::interrupted(&config).expect("to be gone on with").map(|rekey| rekey.finish().expect("the end"));
        assert_eq!(done.is_none(), ended, "after {steps} steps");
        let new = config.keys.load_or_create().expect("a key");
        assert_ne!(new.bytes(), old.bytes());
        assert_eq!((opened(&config, &new), opened(&config, &old)), (usize::from(RECORDINGS), 0), "after {steps} steps");
        assert_eq!(credential(&config, &new), Ok(Some(Secret::new("secret"))));
        assert_eq!(credential(&config, &old), Err(ledger::Error::Sealed));
        assert!(Rekey::interrupted(&config).expect("readable").is_none(), "it is over");
        if ended {
            assert!(steps > 2 * usize::from(RECORDINGS), "{steps} steps");
            return;
        }
    }
}

#[test]
fn what_was_done_is_counted_and_a_box_that_runs_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, _) = stopped(folder.path());
    let done = Rekey::begin(&config).expect("begun").finish().expect("the end");
    assert_eq!(done, Summary { recordings: u64::from(RECORDINGS), foreign: 2, rows: 1, rows_lost: 0 });
    let _running = alone(&config.run).expect("a folder").expect("nobody runs");
    let refused = Rekey::begin(&config).map(|_| ()).expect_err("it runs");
    assert!(refused.to_string().contains("stop it first"), "{refused}");
}
