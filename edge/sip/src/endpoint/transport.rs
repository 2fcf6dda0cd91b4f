//! What carries SIP: its names in Via, in URIs, and what may be expected of it.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    /// RFC 7118; a browser's connection can be used, never opened.
    Ws,
    Wss,
}

impl Transport {
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// A connection that delivers what it takes, in order, and that somebody opened and will close.
    pub fn is_connection(self) -> bool {
        self != Self::Udp
    }

    /// RFC 7118 §5: one WebSocket message is one SIP message.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Bytes without borders, to be cut by Content-Length.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// RFC 3261 §20.42, RFC 7118 §5.2.
    pub fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// What a URI of ours says; UDP says nothing. RFC 5630 §3.1.3 wants `sips:` rather than `tls`, but phones and
    /// gateways write `tls` and understand it. RFC 7118 §5.3: `ws` stands for both.
    pub fn uri_param(self) -> Option<&'static str> {
        match self {
            Self::Udp => None,
            Self::Tcp => Some("transport=tcp"),
            Self::Tls => Some("transport=tls"),
            Self::Ws | Self::Wss => Some("transport=ws"),
        }
    }

    /// RFC 3261 §19.1.2; RFC 7118 leaves the ports to HTTP's.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}
