//! What a client may do that costs more than it gains: so much of each kind in a second, and no more.

/// What too much came of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// RST_STREAM of requests that were not answered yet (CVE-2023-44487), and requests that had to be reset.
    Resets,
    /// SETTINGS.
    Settings,
    /// PING.
    Pings,
    /// DATA, HEADERS or CONTINUATION without a byte in it.
    EmptyFrames,
    /// WINDOW_UPDATE beyond what answers give a reason for, and windows of a few bytes.
    Windows,
    /// PRIORITY and PRIORITY_UPDATE, and frames of unknown kinds.
    Priorities,
    /// CONTINUATION (CVE-2024-27316): counted for each head, whatever the time.
    Continuations,
}

impl Flood {
    const KINDS: usize = 7;
    /// How many CONTINUATION frames a header block may have.
    pub(crate) const MOST_CONTINUATIONS: u32 = 32;

    /// How many are borne in a second.
    const fn most(self) -> u32 {
        match self {
            // A browser that leaves a page resets what it had asked for: twice as many as may be under way.
            Flood::Resets => 200,
            Flood::Settings | Flood::Pings | Flood::EmptyFrames => 100,
            Flood::Windows | Flood::Priorities => 1000,
            Flood::Continuations => Flood::MOST_CONTINUATIONS,
        }
    }
}

/// What a client has done in the present second.
#[derive(Debug, Default)]
pub(crate) struct Calm {
    second: Option<u64>,
    counts: [u32; Flood::KINDS],
}

impl Calm {
    /// It does so once more, at that time in seconds. `false`: once too often. Without a clock all of its life is one second.
    #[inline]
    pub(crate) fn bears(&mut self, kind: Flood, now: Option<u64>) -> bool {
        if self.second != now {
            *self = Calm {
                second: now,
                ..Calm::default()
            };
        }
        let count = &mut self.counts[kind as usize];
        *count += 1;
        *count <= kind.most()
    }

    /// It had a reason for so many of them.
    #[inline]
    pub(crate) fn excuse(&mut self, kind: Flood, times: u32) {
        let count = &mut self.counts[kind as usize];
        *count = count.saturating_sub(times);
    }
}
