//! How a ring is made.

/// How a ring is made.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Entries that can be handed in with one system call.
    pub entries: u32,
    /// Completions that can wait to be taken.
    pub completions: u32,
    /// A thread of the kernel's looks for entries, for so many milliseconds after the last, so that none takes a system call.
    pub kernel_thread_idle_ms: Option<u32>,
    /// How many buffers are received into, a power of two.
    pub receive_buffers: u16,
    /// Bytes of each.
    pub receive_buffer_bytes: u32,
    /// Descriptors are registered under their own numbers, which have to be smaller than this.
    pub descriptors: u32,
    /// The most threads of the kernel's that wait for files.
    pub file_workers: u32,
}
