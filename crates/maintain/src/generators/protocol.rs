//! What generators and server speak.

/// HTTP/1.1 or HTTP/2, in the clear or over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Protocol {
    /// HTTP/1.1 in the clear
    Http,
    /// HTTP/1.1 over TLS
    Https,
    /// HTTP/2 in the clear, with prior knowledge
    H2c,
    /// HTTP/2 over TLS
    H2,
}

impl Protocol {
    pub(super) const ALL: [Self; 4] = [Self::Http, Self::Https, Self::H2c, Self::H2];

    pub(super) fn is_http2(self) -> bool {
        matches!(self, Self::H2c | Self::H2)
    }

    /// The options by which `archbench serve` speaks it.
    pub(super) fn options(self) -> &'static str {
        match self {
            Self::Http => "",
            Self::Https => "--tls",
            Self::H2c => "--http2 on",
            Self::H2 => "--tls --http2 on",
        }
    }

    /// Its name for a person.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP/1.1",
            Self::Https => "HTTP/1.1 over TLS",
            Self::H2c => "HTTP/2 in the clear",
            Self::H2 => "HTTP/2 over TLS",
        }
    }
}
