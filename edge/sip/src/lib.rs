//! SIP for a box that answers calls: strict front door, transactions, dialogs, registrar, endpoint. RFC 3261 and family.
//! An engine: no sockets, no clock. It knows nothing of media beyond carrying SDP bytes.

pub mod endpoint;
