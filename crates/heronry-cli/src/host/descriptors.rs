//! Descriptors: how many this process may have open, and how many connections that is enough for.

use heronry_server::ConnectionLimits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The number of descriptors that the process needs beside its connections: for the store, logs,
/// listeners, and the pipes of members that it runs.
const RESERVED: u64 = 512;

/// Raises what this process may open to what the connections need; where that is not allowed, lowers
/// how many there may be, and says so.
pub(crate) fn make_room(mut limits: ConnectionLimits) -> ConnectionLimits {
    let needed = limits.descriptors().saturating_add(RESERVED);
    let present = getrlimit(Resource::Nofile);
    // No limit is a limit that everything fits under.
    let (soft, hard) = (
        present.current.unwrap_or(u64::MAX),
        present.maximum.unwrap_or(u64::MAX),
    );
    if soft >= needed {
        return limits;
    }
    let wanted = Rlimit {
        current: Some(needed.min(hard)),
        maximum: present.maximum,
    };
    let soft = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => needed.min(hard),
        // The limit of before holds, and is reckoned with.
        Err(_) => soft,
    };
    let fitting = fitting(limits, soft);
    if fitting < limits.connections_max {
        tracing::warn!(
            connections_max = fitting,
            wanted = limits.connections_max,
            descriptors = soft,
            "fewer connections are taken: this process may not open more descriptors; raise its \
             limit (ulimit -n, LimitNOFILE)"
        );
        limits.connections_max = fitting;
    }
    limits
}

/// Returns the number of connections that this many descriptors are enough for: at least one.
fn fitting(limits: ConnectionLimits, descriptors: u64) -> u32 {
    let others = limits.descriptors() - u64::from(limits.connections_max);
    let room = descriptors.saturating_sub(others.saturating_add(RESERVED));
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    room.clamp(1, limits.connections_max.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_connections_fit_as_there_are_descriptors_beside_the_reserve() {
        let mut limits = ConnectionLimits::default();
        limits.connections_max = 1_000;
        let beside = u64::from(ConnectionLimits::REFUSALS_MAX) + RESERVED;
        for (descriptors, expected) in [
            (0, 1),
            (beside, 1),
            (beside + 1, 1),
            (beside + 2, 2),
            (beside + 999, 999),
            (beside + 1_000, 1_000),
            (beside + 1_001, 1_000),
            (u64::MAX, 1_000),
        ] {
            assert_eq!(fitting(limits, descriptors), expected, "{descriptors}");
        }
    }
}
