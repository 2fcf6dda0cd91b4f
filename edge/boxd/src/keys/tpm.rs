//! A key that this machine's TPM 2.0 alone opens, while the machine starts as it did when the key was sealed. systemd
//! does the work (`systemd-creds`): sessions with the chip are encrypted, and the seal is bound to platform registers.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::Context;
use ledger::BranchKey;
use zeroize::Zeroizing;

use super::{Vault, plain};

/// A chip that answers takes a second.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// What the seal is called in itself: a seal under another name does not open.
const NAME: &str = "branchline-branch-key";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpm {
    /// `systemd-creds`.
    pub program: PathBuf,
    /// `auto`, or as `systemd-creds --tpm2-device` has it.
    pub device: String,
    /// Platform registers, `7` or `0+7`: another value in one of them, and the seal does not open. Empty: none.
    pub pcrs: String,
}

impl Vault for Tpm {
    fn seal(&self, key: &BranchKey) -> anyhow::Result<Vec<u8>> {
        let pcrs = format!("--tpm2-pcrs={}", self.pcrs);
        let sealed = self.ask(&["encrypt", "--with-key=tpm2", &pcrs], key.bytes())?;
        Ok(sealed.to_vec())
    }

    fn open(&self, kept: &[u8]) -> anyhow::Result<BranchKey> {
        // Whoever could put a key of their own there would read all that is recorded from then on.
        anyhow::ensure!(plain(kept).is_none(), "it lies open on the disk: `boxd key seal` seals it, once");
        let opened = self.ask(&["decrypt"], kept)?;
        plain(&opened).context("what the TPM opened is no branch key")
    }
}

impl Tpm {
    fn ask(&self, how: &[&str], input: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let mut child = Command::new(&self.program)
            .args(how)
            .arg(format!("--name={NAME}"))
            .arg(format!("--tpm2-device={}", self.device))
            .args(["-", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        let mut stdin = child.stdin.take().context("a pipe")?;
        let pid = child.id();
        let (said, says) = mpsc::channel();
        std::thread::spawn(move || said.send(child.wait_with_output()));
        // Who is not interested hangs up, and says why.
        let written = stdin.write_all(input);
        drop(stdin);
        let output = match says.recv_timeout(ANSWERS_WITHIN) {
            Ok(output) => output.context("systemd-creds")?,
            Err(_) => {
                if let Ok(pid) = i32::try_from(pid) {
                    let _gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL);
                }
                anyhow::bail!("the TPM has not answered for {} s", ANSWERS_WITHIN.as_secs());
            }
        };
        let output = (output.status, Zeroizing::new(output.stdout), output.stderr);
        anyhow::ensure!(
            output.0.success(),
            "the TPM ({}) does not {} the branch key: {}; on another machine, or one that starts differently, \
             `boxd key recover` brings it back from its shares",
            self.device,
            if how.first() == Some(&"decrypt") { "open" } else { "seal" },
            last_line(&output.2)
        );
        written.context("systemd-creds did not take the key")?;
        Ok(output.1)
    }
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why").trim().to_owned()
}
