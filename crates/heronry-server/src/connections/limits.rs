//! The bounds of connections: the time that one may keep the server waiting, and their number.

use heronry_types::Millis;

/// The bounds of every connection. A stream and a long poll are answers under way, not idle: no
/// bound of time ends them while their peer reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// The longest time from the first byte of a request head (of a new connection: from its
    /// beginning) to the end of the head, in milliseconds; over it the connection is cut.
    /// Default: 10 s.
    pub head: Millis,
    /// The longest time from the end of a head to the end of the request's body, in milliseconds;
    /// over it the request is answered with 408 `request-timeout`. Default: 60 s.
    pub body: Millis,
    /// The longest time in which a peer takes not one of the bytes written to it, in milliseconds.
    /// After it the connection is cut. Default: 30 s.
    pub write_stall: Millis,
    /// The longest time between two requests of one connection, in milliseconds; over it the
    /// connection is closed. Default: 120 s, which is longer than common clients keep theirs.
    pub idle: Millis,
    /// The longest time for which a connection is kept after an answer that did not wait for the
    /// body of its request, in milliseconds. Meanwhile the bytes that the peer still sends (at most
    /// 64 MiB) are thrown away, so that the peer sees the answer. After 2 s without a byte the
    /// connection is closed. Default: 10 s.
    pub linger: Millis,
    /// The longest time that a server which stops waits for its connections, in milliseconds; then
    /// the remaining ones are cut, streams included. Default: 5 s.
    pub drain: Millis,
    /// The most connections at once, of all listeners together; each one over it is answered with
    /// 503 `too-many-connections` and closed. Default: 16 384.
    pub connections_max: u32,
    /// The most bytes that the bodies of all requests under way, and the values read from them,
    /// take at once. A body beyond it is answered with 429 `busy`. A quarter of it is left to
    /// operators. Default: 256 MiB.
    pub bodies_bytes_max: u64,
}

impl ConnectionLimits {
    /// The most connections at once that are told that there are too many; further ones wait to be
    /// accepted.
    pub const REFUSALS_MAX: u32 = 64;

    /// The least that a share of the connections has.
    const SHARE_MIN: u32 = 64;

    /// Returns the number of descriptors that these connections need, with the connections that are
    /// only told that there are too many.
    pub fn descriptors(&self) -> u64 {
        u64::from(self.connections_max) + u64::from(Self::REFUSALS_MAX)
    }

    /// Returns the most connections on which nobody has shown a token yet: a quarter of all, and 64 at
    /// least where there are so many.
    pub fn strangers_max(&self) -> u32 {
        let all = self.connections_max;
        (all / 4).max(all.min(Self::SHARE_MIN))
    }

    /// Returns the most connections of one member: an eighth of all, and 64 at least where there are so
    /// many.
    pub fn per_member_max(&self) -> u32 {
        let all = self.connections_max;
        (all / 8).max(all.min(Self::SHARE_MIN))
    }

    /// Returns the most connections of all members together: all but those without a token and a
    /// sixteenth for operators, and at least half of all.
    pub fn members_max(&self) -> u32 {
        let all = self.connections_max;
        let left = all.saturating_sub(self.strangers_max() + all / 16);
        left.max(all.div_ceil(2))
    }

    /// Returns the most connections that linger at once: a sixteenth of all, and 64 at least. One more is
    /// closed at once.
    pub fn lingering_max(&self) -> u32 {
        (self.connections_max / 16).max(Self::SHARE_MIN)
    }

    /// Returns the limits of a connection that is only told that there are too many.
    pub(super) fn of_a_refusal(self) -> Self {
        let brief = |limit: Millis| limit.min(Millis::from_secs(1));
        Self {
            head: brief(self.head),
            body: brief(self.body),
            write_stall: brief(self.write_stall),
            idle: brief(self.idle),
            linger: brief(self.linger),
            ..self
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            head: Millis::from_secs(10),
            body: Millis::from_secs(60),
            write_stall: Millis::from_secs(30),
            idle: Millis::from_secs(120),
            linger: Millis::from_secs(10),
            drain: Millis::from_secs(5),
            connections_max: 16_384,
            bodies_bytes_max: 256 * 1024 * 1024,
        }
    }
}
