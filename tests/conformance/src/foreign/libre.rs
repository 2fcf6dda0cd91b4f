//! libre, which baresip is made of, through a small program in C that is compiled when it is needed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;

use super::{ADDRESSES, Reading};
use crate::tape;

/// Everything that it says of a message.
pub fn parts() -> Vec<&'static str> {
    let parts = [
        "uri",
        "method",
        "status",
        "from",
        "from-tag",
        "to",
        "to-tag",
        "call-id",
        "cseq",
        "cseq-method",
        "vias",
        "branch",
        "contact",
        "length",
        "body",
        "audio",
        "fault",
    ];
    parts.into_iter().chain(ADDRESSES).collect()
}

/// A reading of each message, in order; `folder` takes the program.
pub fn read(folder: &Path, messages: &[Bytes]) -> Vec<Reading> {
    let program = compiled(folder);
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the reader");
    let mut stdin = child.stdin.take().expect("its input");
    let input: Vec<u8> = messages.iter().flat_map(|message| tape::framed(message)).collect();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("its output");
    writer.join().expect("no panic").expect("it reads all");
    assert!(output.status.success(), "libre ended with {}", output.status);
    let readings: Vec<Reading> = String::from_utf8_lossy(&output.stdout).lines().map(Reading::told).collect();
    assert_eq!(readings.len(), messages.len(), "a line for each message");
    readings
}

fn compiled(folder: &Path) -> std::path::PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/foreign/libre.c");
    let program = folder.join("libre");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-Wall", "-Werror", "-I/usr/include/re", "-o"]).arg(&program).arg(source).arg("-lre");
    let output = cc.output().expect("cc");
    assert!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
    program
}
