//! Requests over real sockets.
pub struct SocketTransport;
pub struct SocketTransportError;
