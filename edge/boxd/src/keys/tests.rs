//! Keys in their places, and in shares. A TPM is in the end-to-end tests.

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

fn at(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("branch.key")
}

#[test]
fn a_key_in_a_file_is_made_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(at(&folder), Arc::new(Plain));
    assert!(keys.load().unwrap().is_none());
    let made = keys.load_or_create().unwrap();
    assert_eq!(keys.load_or_create().unwrap().bytes(), made.bytes());
    assert_eq!(fs::metadata(at(&folder)).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    assert!(!keys.keep(&BranchKey::new([3; 32])).unwrap(), "a key is never written over");
    assert_eq!(keys.load_or_create().unwrap().bytes(), made.bytes());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    for bad in [[0; 32].as_slice(), b"", &[7; 31], &[7; 33]] {
        fs::write(at(&folder), bad).unwrap();
        assert!(keys.load_or_create().is_err(), "{bad:?} is no key, and nothing takes its place");
        assert_eq!(fs::read(at(&folder)).unwrap(), bad);
    }
    fs::write(at(&folder), b"short").unwrap();
    let error = format!("{:#}", keys.load_or_create().unwrap_err());
    assert!(error.contains("branch.key cannot be used") && error.contains("[key] in = \"tpm\""), "{error}");
}

#[test]
fn a_handed_key_asks_neither_the_disk_nor_the_chip() {
    let keys = Keys::new("/nowhere/branch.key".into(), Arc::new(Plain));
    assert!(keys.load_or_create().is_err());
    let handed = keys.clone().handed(Some(BranchKey::new([5; 32])));
    assert_eq!(handed.load_or_create().unwrap().bytes(), &[5; 32]);
    let folder = tempfile::tempdir().unwrap();
    let locked = keys.beside(at(&folder)).handed(None);
    assert!(locked.load_or_create().is_err(), "what did not open for the supervisor is asked by nobody else");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "and no other key is made");
}

/// Seals by turning each byte round; for what happens to the file.
#[derive(Debug)]
struct Turning;

impl Vault for Turning {
    fn seal(&self, key: &BranchKey) -> anyhow::Result<Vec<u8>> {
        Ok([b"sealed ".to_vec(), key.bytes().iter().map(|byte| !byte).collect()].concat())
    }

    fn open(&self, kept: &[u8]) -> anyhow::Result<BranchKey> {
        let sealed = kept.strip_prefix(b"sealed ").context("no seal")?;
        plain(&sealed.iter().map(|byte| !byte).collect::<Vec<_>>()).context("no key")
    }
}

#[test]
fn a_key_that_lay_open_is_sealed_on_demand_and_its_bytes_are_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let made = Keys::new(at(&folder), Arc::new(Plain)).load_or_create().unwrap();
    // The bytes that lay on the disk, by another name.
    let before = folder.path().join("before");
    fs::hard_link(at(&folder), &before).unwrap();
    let keys = Keys::new(at(&folder), Arc::new(Turning));
    assert!(keys.load_or_create().is_err(), "nobody's key is taken for ours because it lies there");
    assert!(keys.seal().unwrap());
    assert!(!keys.seal().unwrap(), "once");
    assert_eq!(keys.load_or_create().unwrap().bytes(), made.bytes());
    assert!(fs::read(at(&folder)).unwrap().starts_with(b"sealed "));
    assert_eq!(fs::read(&before).unwrap(), [0; 32]);
    fs::write(at(&folder), b"sealed half").unwrap();
    assert!(keys.load_or_create().is_err(), "half a seal opens nothing, and no new key takes its place");
    assert_eq!(fs::read(at(&folder)).unwrap(), b"sealed half");
}

#[test]
fn the_box_and_whoever_changes_its_key_are_alone() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let held = alone(&run).unwrap();
    assert!(held.is_some() && alone(&run).unwrap().is_none());
    drop(held);
    assert!(alone(&run).unwrap().is_some());
}

#[test]
fn a_tpm_that_is_not_there_says_so_and_makes_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let vault = |program: &str| Tpm { program: program.into(), device: "swtpm:port=1".into(), pcrs: String::new() };
    let keys = Keys::new(at(&folder), Arc::new(vault("systemd-creds")));
    let error = format!("{:#}", keys.load_or_create().unwrap_err());
    assert!(error.contains("does not seal the branch key"), "{error}");
    let keys = Keys::new(at(&folder), Arc::new(vault("no-such-program")));
    assert!(format!("{:#}", keys.load_or_create().unwrap_err()).contains("no-such-program cannot be started"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn two_of_three_make_the_key_again_and_one_does_not() {
    let key = BranchKey::new([9; 32]);
    let shares = split(&key, 2, 3).unwrap();
    for (a, b) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
        let pair = [shares[a].clone(), shares[b].clone()];
        assert_eq!(combine(&pair).unwrap().bytes(), key.bytes());
    }
    assert_eq!(combine(&shares).unwrap().bytes(), key.bytes());
    let too_few = |shares: &[Share]| format!("{:#}", combine(shares).unwrap_err());
    assert_eq!(too_few(&shares[..1]), "2 different shares are needed, and there are 1");
    assert_eq!(too_few(&[shares[0].clone(), shares[0].clone()]), "2 different shares are needed, and there are 1");
    let other = split(&BranchKey::new([8; 32]), 2, 3).unwrap();
    assert_eq!(too_few(&[shares[0].clone(), other[1].clone()]), "these are shares of different keys");
    let pasted_twice = [shares[0].clone(), shares[0].clone(), shares[2].clone()];
    assert_eq!(combine(&pasted_twice).unwrap().bytes(), key.bytes());
    let again = split(&key, 2, 3).unwrap();
    let mixed = too_few(&[shares[0].clone(), again[1].clone()]);
    assert!(mixed.starts_with("these shares were made at different times"), "{mixed}");
    for (need, of) in [(1, 3), (4, 3), (0, 0), (2, 17)] {
        assert!(split(&key, need, of).is_err(), "{need} of {of}");
    }
    assert!(!format!("{shares:?}").contains("BLK1"), "a share is not printed by mistake");
}

proptest! {
    #[test]
    fn shares_survive_paper_and_a_slip_of_the_pen_is_seen(bytes in any::<[u8; 32]>(), need in 2_u8..5, more in 0_u8..4, slip in 5_usize..90, with in "[A-Z2-7]") {
        let key = BranchKey::new(bytes);
        let shares = split(&key, need, need + more).unwrap();
        let read: Vec<Share> = shares.iter().map(|share| share.to_string().to_lowercase().replace('-', " ").parse().unwrap()).collect();
        prop_assert_eq!(&read, &shares);
        let from = usize::from(more);
        let made = combine(&read[from..]).unwrap();
        prop_assert_eq!(made.bytes(), key.bytes());

        let text = shares[0].to_string();
        let slip = slip % text.len();
        if slip > 4 && text.as_bytes()[slip] != b'-' && text[slip..=slip] != with {
            let wrong = format!("{}{with}{}", &text[..slip], &text[slip + 1..]);
            prop_assert!(wrong.parse::<Share>().is_err());
        }
        prop_assert!(text[..slip].parse::<Share>().is_err());
    }
}
