//! Asks other systems what flows want to know: a bounded number at once, at addresses that `box.toml` allows, and nowhere
//! else. A name is looked up here and the address that was allowed is the one that is connected to; nothing is followed
//! anywhere.

mod http;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use ::flow::url::Url;
use floor::LookUp;
use model::{fact::LookUpFailed, flow::Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, mpsc},
    time::timeout,
};

use crate::config::Allowed;

/// Questions at once; one more is answered by `Busy`.
const AT_ONCE_MAX: usize = 32;
/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// What a question came to.
#[derive(Debug)]
pub struct Answer {
    pub question: u64,
    pub said: Result<BTreeMap<String, Value>, LookUpFailed>,
}

pub struct LookUps {
    allowed: Arc<[Allowed]>,
    room: Arc<Semaphore>,
    told: mpsc::Sender<Answer>,
}

impl LookUps {
    pub fn start(allowed: &[Allowed]) -> (Self, mpsc::Receiver<Answer>) {
        // Everybody who asks has a place for the answer, and who may not ask, too.
        let (told, answers) = mpsc::channel(AT_ONCE_MAX * 2);
        (Self { allowed: allowed.into(), room: Arc::new(Semaphore::new(AT_ONCE_MAX)), told }, answers)
    }

    pub fn ask(&self, question: u64, ask: LookUp) {
        let (told, allowed) = (self.told.clone(), Arc::clone(&self.allowed));
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
            // With no room for this either, the flow's own time ends the wait.
            let _ = told.try_send(Answer { question, said: Err(LookUpFailed::Busy) });
            return;
        };
        tokio::spawn(async move {
            let said = timeout(ask.wait, answer(&allowed, &ask)).await.unwrap_or(Err(LookUpFailed::TimedOut));
            let _ = told.send(Answer { question, said }).await;
            drop(place);
        });
    }
}

async fn answer(allowed: &[Allowed], ask: &LookUp) -> Result<BTreeMap<String, Value>, LookUpFailed> {
    let url = Url::parse(&ask.url).ok_or(LookUpFailed::NotAllowed)?;
    let address = address(allowed, &url).await?;
    let body = serde_json::to_vec(&ask.send).map_err(|_| LookUpFailed::Unusable)?;
    let mut stream = TcpStream::connect(address).await.map_err(|_| LookUpFailed::Unreachable)?;
    let request = http::request(&url, &body);
    stream.write_all(&request).await.map_err(|_| LookUpFailed::Unreachable)?;
    let mut bytes = Vec::new();
    let read = stream.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut bytes).await;
    read.map_err(|_| LookUpFailed::Unreachable)?;
    if bytes.len() as u64 > ANSWER_BYTES_MAX {
        return Err(LookUpFailed::Unusable);
    }
    http::object(&bytes)
}

/// The first address of the name that may be asked.
async fn address(allowed: &[Allowed], url: &Url) -> Result<SocketAddr, LookUpFailed> {
    // Nobody is asked about a name on a port that no address is allowed for.
    if !allowed.iter().any(|one| one.port == url.port) {
        return Err(LookUpFailed::NotAllowed);
    }
    let found = tokio::net::lookup_host((url.host.as_str(), url.port)).await.map_err(|_| LookUpFailed::Unreachable)?;
    let may = |address: &SocketAddr| {
        allowed.iter().any(|one| one.port == address.port() && one.network.contains(address.ip()))
    };
    let mut found = found.take(16).peekable();
    if found.peek().is_none() {
        return Err(LookUpFailed::Unreachable);
    }
    found.find(may).ok_or(LookUpFailed::NotAllowed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    /// Time for what should be there at once.
    const PATIENCE: Duration = Duration::from_secs(10);

    async fn asked(
        allow: &[(&str, u16)],
        url: String,
        wait: Duration,
    ) -> Result<BTreeMap<String, Value>, LookUpFailed> {
        let allow: Vec<Allowed> = allow
            .iter()
            .map(|(network, port)| Allowed { network: network.parse().expect("a network"), port: *port })
            .collect();
        let (look_ups, mut answers) = LookUps::start(&allow);
        let send = BTreeMap::from([("phone".to_owned(), Value::Text("86131".into()))]);
        look_ups.ask(7, LookUp { url, send, take: BTreeMap::new(), wait });
        let answer = timeout(PATIENCE, answers.recv()).await.expect("an answer").expect("an answer");
        assert_eq!(answer.question, 7);
        answer.said
    }

    /// Says this to whoever comes, and passes on what it was asked.
    async fn server(says: &'static [u8]) -> (u16, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let (told, heard) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 4096];
                let len = stream.read(&mut bytes).await.unwrap_or(0);
                let _ = told.try_send(String::from_utf8_lossy(&bytes[..len]).into_owned());
                let _ = stream.write_all(says).await;
            }
        });
        (port, heard)
    }

    #[tokio::test]
    async fn an_allowed_address_is_asked_and_what_it_says_is_values() {
        let says = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"gold\":true,\"level\":3,\"name\":\"A\",\"list\":[1],\"none\":null,\"half\":0.5}";
        let (port, mut heard) = server(says).await;
        let said = asked(&[("127.0.0.1/32", port)], format!("http://127.0.0.1:{port}/who"), PATIENCE).await;
        let expected = [
            ("gold".to_owned(), Value::Flag(true)),
            ("level".to_owned(), Value::Number(3)),
            ("name".to_owned(), Value::Text("A".into())),
        ];
        assert_eq!(said, Ok(expected.into()));
        let request = heard.recv().await.expect("a request");
        assert!(request.starts_with("POST /who HTTP/1.0\r\nHost: 127.0.0.1:"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"phone\":\"86131\"}"), "{request}");
    }

    #[tokio::test]
    async fn nothing_else_is_asked_whatever_its_name() {
        let (port, mut heard) = server(b"HTTP/1.0 200 OK\r\n\r\n{}").await;
        let not_allowed = Err(LookUpFailed::NotAllowed);
        // Nothing is allowed; another port is; another network is.
        for allow in [&[][..], &[("127.0.0.1/32", 1)], &[("10.0.0.0/8", port)]] {
            for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
                let said = asked(allow, format!("http://{host}:{port}/"), PATIENCE).await;
                assert_eq!(said, not_allowed, "{host} with {allow:?}");
            }
        }
        assert!(heard.try_recv().is_err(), "nobody came");
    }

    #[tokio::test]
    async fn what_leads_elsewhere_is_too_long_or_takes_too_long_is_of_no_use() {
        let all = |port| [("127.0.0.0/8", port)];
        let (port, _heard) = server(b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n").await;
        let said = asked(&all(port), format!("http://127.0.0.1:{port}/"), PATIENCE).await;
        assert_eq!(said, Err(LookUpFailed::Refused));
        let long = [b"HTTP/1.0 200 OK\r\n\r\n{\"a\":\"".as_slice(), &vec![b'x'; 64 * 1024], b"\"}"].concat();
        let (port, _heard) = server(long.leak()).await;
        let said = asked(&all(port), format!("http://127.0.0.1:{port}/"), PATIENCE).await;
        assert_eq!(said, Err(LookUpFailed::Unusable));
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = silent.local_addr().expect("an address").port();
        let said = asked(&all(port), format!("http://127.0.0.1:{port}/"), Duration::from_millis(100)).await;
        assert_eq!(said, Err(LookUpFailed::TimedOut));
        drop(silent);
        let said = asked(&all(port), format!("http://127.0.0.1:{port}/"), PATIENCE).await;
        assert_eq!(said, Err(LookUpFailed::Unreachable));
    }

    #[tokio::test]
    async fn so_many_may_ask_at_once() {
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = silent.local_addr().expect("an address").port();
        let (look_ups, mut answers) =
            LookUps::start(&[Allowed { network: "127.0.0.1/32".parse().expect("a network"), port }]);
        for question in 0..=AT_ONCE_MAX as u64 {
            let url = format!("http://127.0.0.1:{port}/");
            look_ups.ask(question, LookUp { url, send: BTreeMap::new(), take: BTreeMap::new(), wait: PATIENCE });
        }
        let answer = answers.recv().await.expect("an answer");
        assert_eq!((answer.question, answer.said), (AT_ONCE_MAX as u64, Err(LookUpFailed::Busy)));
    }
}
