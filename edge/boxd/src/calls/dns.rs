//! Where trunks that are known by name are (RFC 3263): the clock, the sockets and the file around `sip::locate`.
//!
//! Nothing waits for it: calls take what it has said so far. What DNS confirmed is kept in `data/located.json`, so that a
//! box that starts while DNS is dead still finds its carriers.

mod kept;
mod wire;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use sip::{
    endpoint::Transport,
    locate::{Input, Locator, Means, Output, Question, Target, Wish},
};
use tokio::{sync::mpsc, time::sleep_until};
use tracing::{info, warn};

use kept::Kept;

/// Changes that wait for one another; each replaces the one before.
const WAITING_MAX: usize = 64;
/// Awake at least so often.
const IDLE: Duration = Duration::from_secs(3_600);

/// Where a trunk is from now on; no targets: where its configuration says.
#[derive(Debug)]
pub struct Located {
    pub trunk: String,
    pub targets: Vec<Target>,
}

pub struct Dns {
    wishes: mpsc::Sender<BTreeMap<String, Wish>>,
}

impl Dns {
    /// `servers` are asked in order; empty: those of `/etc/resolv.conf`, read anew for each question.
    pub fn start(
        listen: &[(Transport, SocketAddr)],
        servers: Vec<SocketAddr>,
        file: PathBuf,
    ) -> (Self, mpsc::Receiver<Located>) {
        let (wishes, asked) = mpsc::channel(WAITING_MAX);
        let (told, located) = mpsc::channel(WAITING_MAX);
        let ips: Vec<IpAddr> = listen.iter().map(|(_, address)| address.ip()).collect();
        let transports = listen.iter().map(|(transport, _)| *transport).filter(|one| !one.is_websocket()).collect();
        let means = Means { transports, v4: ips.iter().any(IpAddr::is_ipv4), v6: ips.iter().any(IpAddr::is_ipv6) };
        tokio::spawn(run(Locator::new(means), asked, told, Arc::new(wire::Asker::new(servers)), Kept::open(file)));
        (Self { wishes }, located)
    }

    /// Every trunk that has a name.
    pub fn find(&self, wishes: BTreeMap<String, Wish>) {
        if self.wishes.try_send(wishes).is_err() {
            warn!("names of trunks are not looked up: too many changes at once");
        }
    }
}

async fn run(
    mut locator: Locator,
    mut wishes: mpsc::Receiver<BTreeMap<String, Wish>>,
    told: mpsc::Sender<Located>,
    asker: Arc<wire::Asker>,
    mut kept: Kept,
) {
    // As many as there are questions on their way, of which the locator bounds the number.
    let (answered, mut answers) = mpsc::unbounded_channel::<(Question, Option<sip::locate::Answer>)>();
    loop {
        while let Some(output) = locator.poll_output() {
            match output {
                Output::Ask(question) => {
                    let (asker, answered) = (Arc::clone(&asker), answered.clone());
                    tokio::spawn(async move {
                        let answer = asker.ask(&question).await;
                        let _ended = answered.send((question, answer));
                    });
                }
                Output::Located { trunk, targets } => {
                    info!(%trunk, targets = targets.len(), "DNS says where the trunk is");
                    if told.send(Located { trunk, targets }).await.is_err() {
                        return;
                    }
                }
                Output::Confirmed { trunk, wish, targets } => kept.put(trunk, &wish, &targets),
            }
        }
        let wake = locator.poll_timeout().unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            wishes = wishes.recv() => {
                let Some(wishes) = wishes else { return };
                locator.handle_input(Instant::now(), Input::Configure(wishes));
                kept.all().into_iter().for_each(|input| locator.handle_input(Instant::now(), input));
            }
            Some((question, answer)) = answers.recv() => {
                locator.handle_input(Instant::now(), Input::Answered { question, answer });
            }
            () = sleep_until(wake.into()) => locator.handle_timeout(Instant::now()),
        }
    }
}
