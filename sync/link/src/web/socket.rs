//! What quinn takes for a UDP socket. As there, what comes too fast is lost; what is sent waits for its turn.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use tokio::sync::mpsc;

/// Packets that wait to be written: about 80 KB, what the transport keeps of datagrams as well.
const WAITING_MAX: usize = 64;
const ARRIVED_MAX: usize = 256;

/// The side that quinn holds.
pub struct Socket {
    local: SocketAddr,
    remote: SocketAddr,
    waiting: Arc<Waiting>,
    arrived: Mutex<mpsc::Receiver<Bytes>>,
}

/// The side of the WebSocket.
pub struct Pipe {
    waiting: Arc<Waiting>,
    arrived: mpsc::Sender<Bytes>,
}

#[derive(Default)]
struct Waiting(Mutex<Line>);

#[derive(Default)]
struct Line {
    packets: VecDeque<Bytes>,
    writers: Vec<Waker>,
    reader: Option<Waker>,
    over: bool,
}

impl Waiting {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut line = self.line();
        line.over = true;
        line.writers.drain(..).for_each(Waker::wake);
        if let Some(reader) = line.reader.take() {
            reader.wake();
        }
    }
}

impl Socket {
    pub fn new(local: SocketAddr, remote: SocketAddr) -> (Self, Pipe) {
        let waiting = Arc::new(Waiting::default());
        let (sender, arrived) = mpsc::channel(ARRIVED_MAX);
        let socket = Self { local, remote, waiting: waiting.clone(), arrived: Mutex::new(arrived) };
        (socket, Pipe { waiting, arrived: sender })
    }
}

impl Pipe {
    /// The next packet to be written; None when quinn is done.
    pub async fn next(&mut self) -> Option<Bytes> {
        std::future::poll_fn(|context| {
            let mut line = self.waiting.line();
            if let Some(packet) = line.packets.pop_front() {
                line.writers.drain(..).for_each(Waker::wake);
                return Poll::Ready(Some(packet));
            }
            if line.over {
                return Poll::Ready(None);
            }
            line.reader = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// A packet came. There is no room: it is lost, as it would be in a kernel.
    pub fn arrived(&self, packet: Bytes) {
        let _ = self.arrived.try_send(packet);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.waiting.end();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.waiting.end();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebSocket({})", self.remote)
    }
}

/// Not a reset: quinn takes that for something that anybody can send, and reads on.
fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the WebSocket ended")
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Poller(self.waiting.clone()))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let mut line = self.waiting.line();
        if line.over {
            return Err(gone());
        }
        if line.packets.len() >= WAITING_MAX {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        line.packets.push_back(Bytes::copy_from_slice(transmit.contents));
        if let Some(reader) = line.reader.take() {
            reader.wake();
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [io::IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), metas.first_mut()) else { return Poll::Ready(Ok(0)) };
        loop {
            let Some(packet) = ready!(arrived.poll_recv(context)) else { return Poll::Ready(Err(gone())) };
            // One that is longer than what quinn takes is none of its own.
            let Some(room) = buffer.get_mut(..packet.len()) else { continue };
            room.copy_from_slice(&packet);
            *meta = RecvMeta { addr: self.remote, len: packet.len(), stride: packet.len(), ecn: None, dst_ip: None };
            return Poll::Ready(Ok(1));
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

struct Poller(Arc<Waiting>);

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Poller")
    }
}

impl UdpPoller for Poller {
    fn poll_writable(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut line = self.0.line();
        if line.over || line.packets.len() < WAITING_MAX {
            return Poll::Ready(Ok(()));
        }
        // A poller that asks again replaces what it left.
        line.writers.retain(|waker| !waker.will_wake(context.waker()));
        line.writers.push(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> SocketAddr {
        "192.0.2.1:443".parse().unwrap()
    }

    fn transmit(contents: &[u8]) -> Transmit<'_> {
        Transmit { destination: here(), ecn: None, contents, segment_size: None, src_ip: None }
    }

    #[tokio::test]
    async fn what_is_sent_waits_up_to_the_limit_and_goes_on_when_one_is_taken() {
        let (socket, mut pipe) = Socket::new(here(), here());
        for n in 0..WAITING_MAX {
            socket.try_send(&transmit(&[u8::try_from(n).unwrap()])).unwrap();
        }
        assert_eq!(socket.try_send(&transmit(b"more")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut poller = Box::pin(Poller(socket.waiting.clone()));
        assert!(
            futures_util::poll!(std::future::poll_fn(|context| poller.as_mut().poll_writable(context))).is_pending()
        );
        assert_eq!(pipe.next().await.unwrap().as_ref(), [0]);
        std::future::poll_fn(|context| poller.as_mut().poll_writable(context)).await.unwrap();
        socket.try_send(&transmit(b"more")).unwrap();
    }

    #[tokio::test]
    async fn an_end_of_either_side_is_the_end_of_both() {
        let (socket, mut pipe) = Socket::new(here(), here());
        drop(socket);
        assert!(pipe.next().await.is_none());
        let (socket, pipe) = Socket::new(here(), here());
        drop(pipe);
        assert_eq!(socket.try_send(&transmit(b"x")).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let mut bytes = [0; 8];
        let (mut buffers, mut metas) = ([io::IoSliceMut::new(&mut bytes)], [RecvMeta::default()]);
        let end = std::future::poll_fn(|context| socket.poll_recv(context, &mut buffers, &mut metas)).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn what_arrives_too_fast_or_is_too_long_is_lost_and_the_rest_is_read() {
        let (socket, pipe) = Socket::new(here(), here());
        pipe.arrived(Bytes::from(vec![1; 100]));
        for _ in 0..ARRIVED_MAX {
            pipe.arrived(Bytes::from_static(b"ok"));
        }
        let mut bytes = [0; 8];
        let mut seen = 0;
        loop {
            let (mut buffers, mut metas) = ([io::IoSliceMut::new(&mut bytes)], [RecvMeta::default()]);
            let read = std::future::poll_fn(|context| match socket.poll_recv(context, &mut buffers, &mut metas) {
                Poll::Pending => Poll::Ready(None),
                Poll::Ready(read) => Poll::Ready(Some(read)),
            });
            let Some(read) = tokio::task::unconstrained(read).await else { break };
            assert_eq!((read.unwrap(), metas[0].len, metas[0].addr), (1, 2, here()));
            seen += 1;
        }
        assert_eq!(seen, ARRIVED_MAX - 1);
    }
}
