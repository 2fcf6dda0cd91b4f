//! PostgreSQL. The questions block the thread that asks; the connections live on a runtime of their own, so that a
//! question can be asked from any thread.

use std::{cell::RefCell, collections::BTreeMap, ops::ControlFlow, path::PathBuf, sync::Arc, time::Duration};

use futures_util::{StreamExt, pin_mut};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{oneshot, watch},
};
use tokio_postgres::{
    AsyncMessage, Config, Statement,
    types::{IsNull, ToSql, Type, to_sql_checked},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Row, Value};
use crate::{Error, Result};

/// One writer at a time, of all instances, as with the file: rules that look before they write (a watermark, the head of
/// the audit, a limit) hold by that. The number is the lock's name.
pub(super) const BEGIN_WRITE: &str = "BEGIN; SELECT pg_advisory_xact_lock(4242564361)";
/// What an instance that has changed something tells the others with; the rows are the truth, this only wakes.
pub(crate) const CHANNEL: &str = "branchline";
/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Between two attempts to listen again.
const LISTEN_AGAIN: Duration = Duration::from_secs(2);

/// Where the server is and how to sign in.
#[derive(Clone)]
pub struct Server {
    /// `postgres://user@host/database?sslmode=require`, or key-value pairs as libpq takes them.
    pub url: String,
    /// Beside the URL, so that it stands in no process list and no log.
    pub password: Option<String>,
    /// Certificates, PEM, of who may sign the server's; None: those of the URL's host are not asked for.
    pub ca: Option<PathBuf>,
}

// The password is for nobody's log.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("ca", &self.ca).finish_non_exhaustive()
    }
}

/// Opens connections.
pub(crate) struct Pool {
    config: Config,
    tls: MakeRustlsConnect,
    runtime: Option<Runtime>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        // May be dropped on a thread that must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Pool {
    pub(crate) fn new(server: &Server) -> Result<Self> {
        let mut config: Config = server.url.parse().map_err(|error| Error::Address(explain(&error)))?;
        config.application_name("branchline").connect_timeout(CONNECT).keepalives_idle(Duration::from_secs(30));
        if let Some(password) = &server.password {
            config.password(password);
        }
        let mut roots = RootCertStore::empty();
        if let Some(path) = &server.ca {
            let unreadable = |error: &dyn std::fmt::Display| Error::Address(format!("{}: {error}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Address(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("db-net").enable_all().build();
        let runtime = runtime.map_err(|error| Error::corrupt("the database's runtime", error))?;
        Ok(Self { config, tls: MakeRustlsConnect::new(tls), runtime: Some(runtime) })
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or(Error::Stopped)
    }

    /// A connection; blocks until it stands.
    pub(crate) fn connect(&self) -> Result<Client> {
        let (config, tls) = (self.config.clone(), self.tls.clone());
        let (to, from) = oneshot::channel();
        self.runtime()?.spawn(async move {
            match config.connect(tls).await {
                Ok((client, connection)) => {
                    let _ = to.send(Ok(client));
                    if let Err(error) = connection.await {
                        tracing::warn!(error = %explain(&error), "a connection to the database ended");
                    }
                }
                Err(error) => drop(to.send(Err(error))),
            }
        });
        let client = pollster::block_on(from).map_err(|_| Error::Stopped)??;
        Ok(Client { client, statements: RefCell::default() })
    }

    /// Counts up when another instance has said that something changed, and when that may have been missed.
    pub(crate) fn listen(&self) -> Result<watch::Receiver<u64>> {
        let (config, tls) = (self.config.clone(), self.tls.clone());
        let (woken, wakes) = watch::channel(0);
        self.runtime()?.spawn(async move {
            while !woken.is_closed() {
                if let Err(error) = listen(&config, &tls, &woken).await {
                    tracing::warn!(error = %explain(&error), "the database does not tell what changes; asking it instead");
                }
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        });
        Ok(wakes)
    }
}

async fn listen(
    config: &Config,
    tls: &MakeRustlsConnect,
    woken: &watch::Sender<u64>,
) -> std::result::Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(tls.clone()).await?;
    let messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
    pin_mut!(messages);
    let order = format!("LISTEN {CHANNEL}");
    let mut ordered = std::pin::pin!(client.batch_execute(&order));
    let mut pending = true;
    loop {
        tokio::select! {
            done = &mut ordered, if pending => {
                done?;
                pending = false;
                woken.send_modify(|turn| *turn = turn.wrapping_add(1));
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(_))) => woken.send_modify(|turn| *turn = turn.wrapping_add(1)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            () = woken.closed() => return Ok(()),
        }
    }
}

/// A connection and the statements it has prepared.
pub(crate) struct Client {
    client: tokio_postgres::Client,
    statements: RefCell<BTreeMap<String, Statement>>,
}

impl Client {
    /// The server has gone, or has closed the connection.
    pub(crate) fn is_gone(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<usize> {
        let statement = self.prepared(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let rows = pollster::block_on(self.client.execute(&statement, &params))?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    pub(super) fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let statement = self.prepared(sql)?;
        pollster::block_on(async {
            let params = params.iter().map(|param| param as &(dyn ToSql + Sync));
            let rows = self.client.query_raw(&statement, params).await?;
            pin_mut!(rows);
            while let Some(row) = rows.next().await {
                if take(&Row::Postgres(&row?))?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// One statement or many, without parameters: a savepoint, or a step of the schema as it stands in its file.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        Ok(pollster::block_on(self.client.batch_execute(sql))?)
    }

    fn prepared(&self, sql: &str) -> Result<Statement> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        // No statement here holds a question mark but those before the numbers.
        let statement = pollster::block_on(self.client.prepare(&sql.replace('?', "$")))?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// With what the server said: the error alone says `db error`.
pub(crate) fn explain(error: &tokio_postgres::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut bytes::BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) if *kind == Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
            Value::Int(number) => number.to_sql_checked(kind, out),
            Value::Text(text) => text.to_sql_checked(kind, out),
            Value::Bytes(bytes) => bytes.to_sql_checked(kind, out),
            Value::Ints(numbers) => numbers.to_sql_checked(kind, out),
            Value::Texts(texts) => texts.to_sql_checked(kind, out),
        }
    }

    // Looked at with the value, above.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
