//! The B2BUA: legs, bridges, hold, transfer. It owns the SIP endpoint and speaks to the media process; it knows no
//! queue. Whoever owns it (`floor`) sees legs, never dialogs or ports.

pub mod leg;
