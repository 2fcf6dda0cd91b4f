//! The house rules against the tree.

use std::collections::BTreeSet;

use tidy::{rules, tree};

#[test]
fn every_crate_imports_only_what_the_table_allows() {
    let crates = tree::crates();
    let ours: BTreeSet<&str> = crates.keys().map(String::as_str).collect();
    for (name, (folder, manifest)) in &crates {
        if folder.starts_with("tests") {
            continue;
        }
        let (_, allowed) = rules::IMPORTS
            .iter()
            .find(|(row, _)| row == name)
            .unwrap_or_else(|| panic!("{name} has no row in the table"));
        for dependency in tree::dependencies(manifest).iter().filter(|dependency| ours.contains(dependency.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "{name} may not import {dependency}");
        }
    }
}

#[test]
fn engines_touch_nothing() {
    let crates = tree::crates();
    for engine in rules::ENGINES {
        let Some((folder, manifest)) = crates.get(*engine) else { continue };
        for dependency in tree::dependencies(manifest) {
            assert!(!rules::BANNED_IN_ENGINES.contains(&dependency.as_str()), "engine {engine} imports {dependency}");
        }
        assert!(
            !tree::root().join(folder).join("clippy.toml").exists(),
            "{engine} is an engine: the root's clippy.toml applies, it may not have its own"
        );
    }
}

#[test]
fn a_crate_is_named_like_its_folder_and_stands_on_a_floor_of_the_house() {
    for (name, (folder, _)) in tree::crates() {
        assert_eq!(folder.file_name().and_then(|file| file.to_str()), Some(name.as_str()), "{}", folder.display());
        let floor = folder.parent().and_then(|parent| parent.to_str()).unwrap_or_default();
        assert!(rules::FLOORS.contains(&floor) || name == "xtask", "{name} stands under {floor}");
    }
}

#[test]
fn the_top_level_is_as_agreed() {
    for file in tree::files() {
        let top = file.components().next().expect("a file has a name").as_os_str().to_string_lossy().into_owned();
        assert!(top.starts_with('.') || rules::TOP.contains(&top.as_str()), "{top} does not belong at the top");
    }
}

/// S-150: a call for help never fails for want of a licence, because there is nothing that could ask for one.
#[test]
fn no_program_of_ours_knows_a_licence() {
    for (file, text) in tree::texts("rs") {
        let ours = ["edge", "sync", "cloud", "firmware"].iter().any(|floor| file.starts_with(floor));
        // A make of telephones has a folder of that name.
        let text = text.to_lowercase().replace("license_directory", "");
        for word in ["licence", "license"] {
            assert!(!ours || !text.contains(word), "{}: {word}", file.display());
        }
    }
}

#[test]
fn no_file_is_the_one_everything_passes_through() {
    for ending in ["rs", "ts", "tsx"] {
        for (file, text) in tree::texts(ending) {
            let lines = text.lines().count();
            assert!(lines <= rules::LINES_MAX, "{} has {lines} lines: cut it", file.display());
        }
    }
}

#[test]
fn every_rust_file_says_what_it_is_for_and_no_name_is_empty() {
    for (file, text) in tree::texts("rs") {
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        assert!(!rules::EMPTY_NAMES.contains(&stem.as_str()), "{}: a name that says nothing", file.display());
        if file.ends_with("build.rs") {
            continue;
        }
        let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!")).unwrap_or_default();
        assert!(first.starts_with("//!"), "{}: the first line says what the file is for", file.display());
    }
}

#[test]
fn nothing_unfinished_is_committed() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];
    for ending in ["rs", "ts", "tsx"] {
        for (file, text) in tree::texts(ending) {
            for word in words {
                assert!(!text.contains(word), "{} holds {word}", file.display());
            }
        }
    }
}

#[test]
fn links_in_documents_lead_somewhere() {
    for (file, text) in tree::texts("md") {
        let folder = tree::root().join(file.parent().expect("a file lies in a folder"));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            assert!(folder.join(target).exists(), "{}: {link} leads nowhere", file.display());
        }
    }
}

#[test]
fn one_cryptographic_library_serves_all() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let tree = std::process::Command::new(cargo)
        .args(["tree", "--workspace", "--locked", "--prefix", "none", "--format", "{p}"])
        .current_dir(tree::root())
        .output()
        .expect("cargo tree");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let built = String::from_utf8_lossy(&tree.stdout).into_owned();
    assert!(built.contains("aws-lc-rs v"), "the list is whole");
    for stranger in ["ring v", "openssl v", "native-tls v"] {
        assert!(!built.lines().any(|line| line.starts_with(stranger)), "{stranger} is built");
    }
}

/// A caller who is spoken to in a language hears all of it.
#[test]
fn every_language_has_every_prompt() {
    let folder = tree::root().join("deploy/prompts");
    let names = |language: &str| {
        let text = std::fs::read_to_string(folder.join(language)).expect("a language's prompts");
        let lines = text.lines().map(|line| line.split_once('|').expect("a name and a text"));
        let spoken = lines.map(|(name, text)| (name.to_owned(), text.trim().len()));
        spoken.inspect(|(name, length)| assert!(*length > 0, "{language}: {name}")).map(|(name, _)| name).collect()
    };
    let english: Vec<String> = names("en.txt");
    let entries = std::fs::read_dir(&folder).expect("the prompts").map(|entry| entry.expect("an entry").file_name());
    let texts: Vec<String> =
        entries.filter_map(|name| name.into_string().ok().filter(|n| n.ends_with(".txt"))).collect();
    assert!(texts.len() >= 8, "{texts:?}");
    for language in texts {
        assert_eq!(names(&language), english, "{language}");
    }
}
