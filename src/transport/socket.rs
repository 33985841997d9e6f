//! Requests over real sockets: reqwest with rustls, no redirects, bounded in time and size. Repeating is deliberately
//! absent: who sends again must know what the request does.

use std::time::Duration;

use super::{CertificateFault, Transport, TransportError};
use crate::domain::BoxFuture;
use crate::domain::net::is_nearby;

/// How long a connection may take to be made.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long one request may take, with its whole answer. Graph itself gives up on a heavy log query before that.
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer: a page of a thousand sign-ins is some 10 MB.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// Why there is no transport.
#[derive(Debug, thiserror::Error)]
pub enum SocketTransportError {
    /// TLS or the proxy settings could not be set up.
    #[error("the HTTPS client could not be set up")]
    SetUp(#[source] reqwest::Error),
}

/// Installs the TLS provider of the process; a second call changes nothing.
pub fn install() {
    // An error says only that a provider is there already, which is all that is wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Sends over sockets.
#[derive(Clone, Debug)]
pub struct SocketTransport {
    client: reqwest::Client,
    /// For this machine and its own link, which no proxy stands before: a mock, a platform's metadata service.
    direct: reqwest::Client,
    largest_body: usize,
}

impl SocketTransport {
    /// Sets the client up; the operating system's roots and proxy settings count.
    ///
    /// # Errors
    /// When TLS or the proxy settings cannot be set up.
    pub fn new() -> Result<Self, SocketTransportError> {
        install();
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_DEADLINE)
                .timeout(REQUEST_DEADLINE)
                // HTTP/2's "this was not processed" is repeated by the library unless told otherwise: repeating is ours.
                .retry(reqwest::retry::never())
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| SocketTransportError::SetUp(error.without_url()))
        };
        Ok(Self {
            client: build(builder())?,
            direct: build(builder().no_proxy())?,
            largest_body: LARGEST_BODY,
        })
    }

    async fn send_once(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let target = Target::of(&request);
        let client =
            if is_nearby(request.uri().host().unwrap_or_default()) { &self.direct } else { &self.client };
        let request = reqwest::Request::try_from(request).map_err(|error| target.not_sent(error))?;
        #[expect(clippy::disallowed_methods, reason = "this is the one way out")]
        let sent = client.execute(request).await;
        let mut answer = sent.map_err(|error| {
            if let Some(fault) = certificate_fault(&error) {
                target.untrusted(fault, error)
            } else if error.is_connect() || error.is_builder() {
                target.not_sent(error)
            } else {
                target.no_answer(error)
            }
        })?;
        let mut whole = http::Response::new(Vec::new());
        *whole.status_mut() = answer.status();
        *whole.headers_mut() = answer.headers().clone();
        while let Some(chunk) = answer.chunk().await.map_err(|error| target.no_answer(error))? {
            if whole.body().len().saturating_add(chunk.len()) > self.largest_body {
                return Err(TransportError::TooLarge {
                    method: target.method,
                    path: target.path,
                    limit: self.largest_body,
                });
            }
            whole.body_mut().extend_from_slice(&chunk);
        }
        Ok(whole)
    }
}

impl Transport for SocketTransport {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, TransportError>> {
        Box::pin(self.send_once(request))
    }
}

/// What an error may name of a request: never its query, which holds names and tokens of pages.
struct Target {
    host: String,
    method: String,
    path: String,
}

impl Target {
    fn of(request: &http::Request<Vec<u8>>) -> Self {
        Self {
            host: request.uri().authority().map_or_else(String::new, |authority| {
                authority.port().map_or_else(
                    || authority.host().to_owned(),
                    |port| format!("{}:{port}", authority.host()),
                )
            }),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
        }
    }

    fn not_sent(&self, error: reqwest::Error) -> TransportError {
        TransportError::NotSent { host: self.host.clone(), source: Box::new(error.without_url()) }
    }

    fn untrusted(&self, fault: CertificateFault, error: reqwest::Error) -> TransportError {
        TransportError::Untrusted { host: self.host.clone(), fault, source: Box::new(error.without_url()) }
    }

    fn no_answer(&self, error: reqwest::Error) -> TransportError {
        TransportError::NoAnswer {
            method: self.method.clone(),
            path: self.path.clone(),
            source: Box::new(error.without_url()),
        }
    }
}

/// Finds out whether a connection failed for the other end's certificate.
fn certificate_fault(error: &reqwest::Error) -> Option<CertificateFault> {
    let mut cause = std::error::Error::source(error);
    while let Some(own) = cause {
        if let Some(rustls::Error::InvalidCertificate(fault)) = tls_error_in(own) {
            return Some(sort_fault(fault));
        }
        cause = own.source();
    }
    None
}

/// The error of TLS in an error of I/O, however deep: as its source such an error tells what is behind that, not what
/// it holds.
fn tls_error_in<'error>(error: &'error (dyn std::error::Error + 'static)) -> Option<&'error rustls::Error> {
    let mut inner = error;
    loop {
        if let Some(found) = inner.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        inner = inner.downcast_ref::<std::io::Error>()?.get_ref()?;
    }
}

fn sort_fault(fault: &rustls::CertificateError) -> CertificateFault {
    use rustls::CertificateError as Fault;
    match fault {
        Fault::UnknownIssuer => CertificateFault::UnknownIssuer,
        Fault::Expired
        | Fault::ExpiredContext { .. }
        | Fault::NotValidYet
        | Fault::NotValidYetContext { .. } => CertificateFault::OutOfTime,
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => CertificateFault::OtherName,
        // The operating system's verifier has its own words for a root that it does not know.
        Fault::Other(other) if other.to_string().to_ascii_lowercase().contains("trust") => {
            CertificateFault::UnknownIssuer
        }
        _ => CertificateFault::Other,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers every connection with these bytes, after a whole request head has come, and closes.
    async fn serve(bytes: Vec<u8>) -> (u16, tokio::task::JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                    let mut buffer = [0u8; 1024];
                    match socket.read(&mut buffer).await {
                        Ok(count) if count > 0 => head.extend_from_slice(&buffer[..count]),
                        _ => break,
                    }
                }
                socket.write_all(&bytes).await.ok();
                socket.shutdown().await.ok();
            }
        });
        (port, tasks)
    }

    fn get(port: u16) -> http::Request<Vec<u8>> {
        http::Request::get(format!("http://127.0.0.1:{port}/v1.0/users?$filter=secret"))
            .body(Vec::new())
            .unwrap()
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let answer =
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/elsewhere\r\ncontent-length: 0\r\n\r\n";
        let (port, _tasks) = serve(answer.to_vec()).await;
        let answer = SocketTransport::new().unwrap().send(get(port)).await.unwrap();
        assert_eq!(answer.status(), 302);
    }

    #[tokio::test]
    async fn nobody_listening_means_not_sent_and_a_cut_answer_means_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = SocketTransport::new().unwrap().send(get(port)).await.unwrap_err();
        assert!(matches!(error, TransportError::NotSent { .. }), "{error:?}");

        let (port, _tasks) = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()).await;
        let error = SocketTransport::new().unwrap().send(get(port)).await.unwrap_err();
        assert!(matches!(error, TransportError::NoAnswer { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "the query must not show: {error:?}");
    }

    #[tokio::test]
    async fn an_answer_beyond_the_limit_is_refused() {
        let (port, _tasks) = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789".to_vec()).await;
        let transport = SocketTransport { largest_body: 9, ..SocketTransport::new().unwrap() };
        let error = transport.send(get(port)).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { limit: 9, .. }), "{error:?}");
    }
}
