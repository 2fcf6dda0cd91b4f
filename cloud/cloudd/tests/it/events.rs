//! Hints over a WebSocket.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, client::IntoClientRequest, http::HeaderValue, protocol::Message},
};

use crate::support::{ADMIN, Cloud, north};

async fn connect(
    cloud: &Cloud,
    origin: Option<&str>,
    cookie: Option<&str>,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, tungstenite::Error> {
    let mut request = format!("ws://{}/api/events", cloud.address).into_client_request()?;
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
    }
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", HeaderValue::from_str(cookie).unwrap());
    }
    tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
}

#[tokio::test]
async fn an_open_console_hears_once_that_a_site_has_changed() {
    let cloud = Cloud::start().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let mut socket = connect(&cloud, Some(&cloud.origin()), Some(&ann.cookie)).await.unwrap();
    for _ in 0..100 {
        cloud.app.hints.touch(&north());
    }
    let heard = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(heard.into_text().unwrap().as_str(), r#"{"event":"site","site":"north"}"#);
    let more = tokio::time::timeout(Duration::from_millis(2500), socket.next()).await;
    assert!(more.is_err(), "one change is told once: {more:?}");
    cloud.app.stop.cancel();
    let last = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap();
    assert!(matches!(last, Some(Ok(Message::Close(_)))), "{last:?}");
}

#[tokio::test]
async fn a_console_of_another_site_or_of_nobody_hears_nothing() {
    let cloud = Cloud::start().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let own = cloud.origin();
    let cases = [
        (Some("http://evil.example"), Some(ann.cookie.as_str()), 403),
        (Some("null"), Some(ann.cookie.as_str()), 403),
        (None, Some(ann.cookie.as_str()), 403),
        (Some(own.as_str()), None, 401),
        (Some(own.as_str()), Some("branchline=guess"), 401),
    ];
    for (origin, cookie, expected) in cases {
        let Err(tungstenite::Error::Http(response)) = connect(&cloud, origin, cookie).await else {
            panic!("{origin:?} {cookie:?} was let in")
        };
        assert_eq!(response.status().as_u16(), expected, "{origin:?} {cookie:?}");
    }
}
