//! A TPM 2.0 in software (swtpm), for the chip that these machines lack. Each has a state of its own, as another machine
//! has another chip. The kernel clears up after those who speak to a chip; here a script does it.

use std::{fs, net::TcpStream, os::unix::fs::PermissionsExt, process::Command, time::Duration};

use crate::process::{Program, free_ports, wait_for};

pub struct SoftTpm {
    port: u16,
    program: Program,
    state: tempfile::TempDir,
}

const CREDS: &str = "systemd-creds";

impl SoftTpm {
    pub fn start() -> anyhow::Result<Self> {
        let state = tempfile::tempdir()?;
        // Its control port follows its own.
        let port = free_ports(2);
        let mut command = Command::new("swtpm");
        command.args(["socket", "--tpm2", "--flags", "startup-clear,not-need-init"]);
        command.arg("--tpmstate").arg(format!("dir={}", state.path().display()));
        command.args(["--server", &format!("type=tcp,port={port}")]);
        command.args(["--ctrl", &format!("type=tcp,port={}", port + 1)]);
        let program = Program::start("swtpm", command, &state.path().join("swtpm.log"))?;
        let listens = || TcpStream::connect(("127.0.0.1", port + 1)).ok();
        wait_for("the TPM", Duration::from_secs(10), listens)?;
        let script = state.path().join(CREDS);
        let clear = format!(
            "#!/bin/sh\nsystemd-creds \"$@\"\nsaid=$?\nexport TPM2TOOLS_TCTI=swtpm:port={port}\n\
             for kind in -t -l -s; do tpm2_flushcontext $kind >/dev/null 2>&1; done\nexit $said\n"
        );
        fs::write(&script, clear)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok(Self { port, program, state })
    }

    /// The chip dies.
    pub fn stop(&mut self) {
        self.program.stop();
    }

    /// What `box.toml` says of it.
    pub fn section(&self) -> String {
        let program = self.state.path().join(CREDS);
        format!("[key]\nin = \"tpm\"\ndevice = \"swtpm:port={}\"\nprogram = \"{}\"\n", self.port, program.display())
    }
}
