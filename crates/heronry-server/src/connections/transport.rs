//! A transport that notes the times at which its peer sends, and takes bytes.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    linger::{Linger, Lingering},
    pace::Pace,
};

/// A stream of bytes in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A transport that notes when its peer sends and when it takes what is sent. Where a request was not
/// read to its end, it lingers before it is closed.
pub(super) struct Transport {
    stream: Box<dyn Duplex>,
    pace: Pace,
    lingering: Lingering,
    close: Close,
}

/// The stage of closing a transport.
enum Close {
    /// Nobody has begun to close it.
    Open,
    /// The peer was told that nothing more comes, and still sends.
    Lingering(Linger),
    /// The transport is closed.
    Over,
}

impl Transport {
    /// Returns the transport over a stream.
    pub(super) fn new(stream: Box<dyn Duplex>, pace: Pace, lingering: Lingering) -> Self {
        Self {
            stream,
            pace,
            lingering,
            close: Close::Open,
        }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(count)) if *count > 0 => self.pace.written(),
            Poll::Ready(_) => {}
            Poll::Pending => self.pace.blocked(),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pace.received();
        }
        read
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            this.close = match &mut this.close {
                Close::Open => {
                    ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                    let lingers = this.pace.is_broken_off();
                    let linger = lingers.then(|| this.lingering.begin()).flatten();
                    linger.map_or(Close::Over, Close::Lingering)
                }
                Close::Lingering(_) if this.pace.is_stopped() => Close::Over,
                Close::Lingering(linger) => {
                    ready!(linger.poll_over(&mut this.stream, cx));
                    Close::Over
                }
                Close::Over => return Poll::Ready(Ok(())),
            };
        }
    }
}
