//! RAUC over D-Bus (`de.pengutronix.rauc.Installer`). `Completed` is subscribed to before `InstallBundle` is called;
//! the useful words of a failure are in `LastError`.

use std::{collections::HashMap, path::Path};

use anyhow::Context;
use futures_util::StreamExt;
use ota::Slot;
use zbus::Variant;

#[zbus::proxy(interface = "de.pengutronix.rauc.Installer", default_service = "de.pengutronix.rauc", default_path = "/")]
trait Installer {
    fn install_bundle(&self, source: &str, args: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    fn mark(&self, state: &str, slot_identifier: &str) -> zbus::Result<(String, String)>;
    fn get_primary(&self) -> zbus::Result<String>;
    #[zbus(signal)]
    fn completed(&self, result: i32) -> zbus::Result<()>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn last_error(&self) -> zbus::Result<String>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn boot_slot(&self) -> zbus::Result<String>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn compatible(&self) -> zbus::Result<String>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn operation(&self) -> zbus::Result<String>;
}

pub struct Rauc {
    installer: InstallerProxy<'static>,
}

impl Rauc {
    /// `bus` is `system` or a D-Bus address.
    pub async fn connect(bus: &str) -> anyhow::Result<Self> {
        let builder = match bus {
            "system" => zbus::connection::Builder::system(),
            address => zbus::connection::Builder::address(address),
        };
        let connection = builder.build().await.context("the D-Bus that RAUC lives on cannot be reached")?;
        let installer = InstallerProxy::new(&connection).await.context("the RAUC service cannot be reached")?;
        Ok(Self { installer })
    }

    /// The slot this system was booted from.
    pub async fn booted(&self) -> anyhow::Result<Slot> {
        let name = self.installer.boot_slot().await.context("RAUC does not say which slot was booted")?;
        Slot::from_bootname(&name).with_context(|| format!("RAUC booted {name:?}; slots are named A and B"))
    }

    /// What the system is, in RAUC's words: a bundle must say the same.
    pub async fn compatible(&self) -> anyhow::Result<String> {
        self.installer.compatible().await.context("RAUC does not say what it is compatible with")
    }

    /// RAUC's slot that boots next, such as `rootfs.1`.
    pub async fn primary(&self) -> anyhow::Result<String> {
        self.installer.get_primary().await.context("RAUC does not say which slot is primary")
    }

    /// Writes the bundle to the other slot. `Err(Ok(why))` is RAUC's refusal, `Err(Err(_))` a broken connection.
    pub async fn install(&self, bundle: &Path) -> anyhow::Result<Result<(), String>> {
        let mut completed = self.installer.receive_completed().await.context("cannot subscribe to RAUC's signals")?;
        let source = bundle.to_str().context("a bundle's path is UTF-8")?;
        if let Err(error) = self.installer.install_bundle(source, HashMap::new()).await {
            return Ok(Err(error.to_string()));
        }
        let signal = completed.next().await.context("the RAUC service went away while it installed")?;
        match signal.args()?.result {
            0 => Ok(Ok(())),
            _ => Ok(Err(self.installer.last_error().await.unwrap_or_else(|error| error.to_string()))),
        }
    }

    pub async fn mark(&self, state: &str, slot: &str) -> anyhow::Result<()> {
        let (name, message) =
            self.installer.mark(state, slot).await.with_context(|| format!("RAUC refuses to mark {slot} {state}"))?;
        tracing::info!(slot = name, message, "marked");
        Ok(())
    }
}
