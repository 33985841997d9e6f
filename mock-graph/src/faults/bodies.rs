//! Bodies that break off, drip, or are not as long as they say.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::Frame;
use tokio::time::{Sleep, sleep};

/// A body of chunks, perhaps with a pause before each but the first, perhaps without an end.
pub struct FaultyBody {
    chunks: VecDeque<Bytes>,
    pause: Option<Duration>,
    waiting: Option<Pin<Box<Sleep>>>,
    is_first: bool,
    breaks_off: bool,
    /// Whether the end may be one that the other end does not expect.
    lingers: bool,
}

impl FaultyBody {
    fn of(chunks: VecDeque<Bytes>, pause: Option<Duration>, breaks_off: bool) -> Body {
        let lingers = pause.is_none();
        Body::new(Self { chunks, pause, waiting: None, is_first: true, breaks_off, lingers })
    }

    /// How long to wait before what comes next. What came so far must be on the wire before the connection breaks.
    fn wait(&self) -> Option<Duration> {
        if self.chunks.is_empty() {
            return self.lingers.then_some(Duration::from_millis(20));
        }
        self.pause.filter(|_| !self.is_first)
    }

    /// The whole of it, its length unsaid.
    pub fn plain(body: Vec<u8>) -> Body {
        Self::of(VecDeque::from([Bytes::from(body)]), None, false)
    }

    /// So much of it, then the connection is gone.
    pub fn broken(mut body: Vec<u8>, bytes: usize) -> Body {
        body.truncate(bytes);
        let chunks = if body.is_empty() { VecDeque::new() } else { VecDeque::from([Bytes::from(body)]) };
        Self::of(chunks, None, true)
    }

    /// So many bytes each second.
    pub fn slow(body: &[u8], bytes_per_second: usize) -> Body {
        let chunks = body.chunks(bytes_per_second.max(1)).map(Bytes::copy_from_slice).collect();
        Self::of(chunks, Some(Duration::from_secs(1)), false)
    }
}

impl http_body::Body for FaultyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(waiting) = &mut self.waiting {
            if waiting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.waiting = None;
            self.lingers = self.lingers && !self.chunks.is_empty();
        } else if let Some(pause) = self.wait() {
            let mut waiting = Box::pin(sleep(pause));
            if waiting.as_mut().poll(context).is_pending() {
                self.waiting = Some(waiting);
                return Poll::Pending;
            }
        }
        self.is_first = false;
        match self.chunks.pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            None if self.breaks_off => {
                self.breaks_off = false;
                let error =
                    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by the fault rules");
                Poll::Ready(Some(Err(error)))
            }
            None => Poll::Ready(None),
        }
    }
}
