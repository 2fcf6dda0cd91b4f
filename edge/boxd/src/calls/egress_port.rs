//! What left the box, as its desk shows it: read from the ledger on blocking threads.

use std::{io, path::PathBuf, sync::Arc};

use bytes::Bytes;
use desk::{EgressLine, EgressPage, EgressSums, Future, Unavailable, Witnessed};
use ledger::{Ledger, Seen, Witness};
use link::identity::Identity;
use model::Millis;
use tokio::sync::mpsc;
use tracing::warn;

use super::desk_ports::read;
use crate::egress;

/// Lines of one answer.
const LINES_MAX: usize = 200;
/// An exported file goes out in pieces of about so many bytes, of which so many wait.
const PIECE_BYTES: usize = 64 * 1024;
const PIECES_MAX: usize = 4;

pub struct EgressPort {
    pub ledger: Arc<Ledger>,
    /// The folder of the box's certificate.
    pub identity: PathBuf,
    pub has_customer: bool,
}

fn witnessed(seen: Option<Seen>) -> Option<Witnessed> {
    seen.map(|Seen { line, at, .. }| Witnessed { line, at })
}

impl desk::Egress for EgressPort {
    fn sums(&self, from: Millis, until: Millis) -> Future<'_, Result<EgressSums, Unavailable>> {
        let has_customer = self.has_customer;
        Box::pin(read(&self.ledger, move |reader| {
            let classes = reader.egress_by_class(from, until)?;
            Ok(EgressSums {
                classes: classes.into_iter().map(|(class, lines, bytes)| (class.name(), lines, bytes)).collect(),
                lines: reader.egress_lines()?,
                signed: witnessed(reader.seen(Witness::Box)?),
                cloud: witnessed(reader.seen(Witness::Cloud)?),
                customer: witnessed(reader.seen(Witness::Customer)?),
                has_customer,
            })
        }))
    }

    fn lines(&self, page: EgressPage) -> Future<'_, Result<Vec<EgressLine>, Unavailable>> {
        Box::pin(read(&self.ledger, move |reader| {
            let limit = usize::try_from(page.limit).unwrap_or(LINES_MAX).min(LINES_MAX);
            let found = reader.egress_between(page.from, page.until, page.before.unwrap_or(u64::MAX), limit)?;
            let line = |entry: gate::Entry| {
                let body = reader.egress_body(entry.index)?;
                Ok(EgressLine {
                    line: entry.index,
                    at: entry.at,
                    class: entry.kind.name(),
                    bytes: entry.bytes,
                    sha256: hex::encode(entry.sha256),
                    said: body.and_then(|body| egress::words(entry.kind, &body)),
                })
            };
            found.into_iter().map(line).collect()
        }))
    }

    fn export(&self) -> Future<'_, Result<mpsc::Receiver<Bytes>, Unavailable>> {
        let (ledger, folder) = (self.ledger.clone(), self.identity.clone());
        Box::pin(async move {
            let (pieces, export) = mpsc::channel(PIECES_MAX);
            let identity = Identity::load(&folder).map_err(|error| {
                warn!(%error, "a box that is not enrolled has no list of what left it");
                Unavailable
            })?;
            tokio::task::spawn_blocking(move || {
                let mut out = io::BufWriter::with_capacity(PIECE_BYTES, Pieces(pieces));
                let reader = ledger.reader().map_err(anyhow::Error::from);
                if let Err(error) = reader.and_then(|reader| egress::export(&reader, &identity, &mut out)) {
                    warn!(error = format!("{error:#}"), "an export of what left broke off");
                }
            });
            Ok(export)
        })
    }
}

/// Waits for whoever reads; when they are gone, writing ends.
struct Pieces(mpsc::Sender<Bytes>);

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        self.0.blocking_send(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
