//! Sockets: the router on a loopback port, in the clear or by TLS, with connections that can break off.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower::Service;

use crate::server::{ConnectionReset, MockError};

/// The certificate that `--tls` shows: for 127.0.0.1 and localhost, signed by itself.
pub const CERTIFICATE: &str = include_str!("test-only-certificate.pem");
const KEY: &str = include_str!("test-only-key.pem");

/// In the extensions of a request that came by TLS.
#[derive(Clone, Copy, Debug)]
pub struct Secure;

/// A mock that listens. It stops when dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    scheme: &'static str,
    _stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Where it listens: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Serves until the server ends by itself.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn wait(self) -> std::io::Result<()> {
        self.task.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}

/// Serves a router on an address.
pub(crate) async fn listen(router: Router, address: SocketAddr, tls: bool) -> Result<Running, MockError> {
    let failed = |source| MockError::Listen { address, source };
    let acceptor = if tls { Some(acceptor()?) } else { None };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let scheme = if tls { "https" } else { "http" };
    let task = tokio::spawn(accept(listener, router, acceptor, stopped));
    Ok(Running { address, scheme, _stop: stop, task })
}

fn acceptor() -> Result<TlsAcceptor, MockError> {
    let damaged = |error: &dyn std::fmt::Display| MockError::Tls(error.to_string());
    let certificate =
        CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).map_err(|error| damaged(&error))?;
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).map_err(|error| damaged(&error))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(|error| damaged(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections until told to stop; those that are open then are dropped.
async fn accept(
    listener: TcpListener,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    mut stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A dropped sender stops it as well as a sent word.
            _ = &mut stopped => return Ok(()),
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => {
                // A connection that went away before it was taken is none of the others' concern.
                let Ok((stream, _)) = accepted else { continue };
                stream.set_nodelay(true)?;
                let service = Breaking { router: router.clone(), is_secure: acceptor.is_some() };
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    match acceptor {
                        None => serve(stream, service).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, service).await;
                            }
                        }
                    }
                });
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: Breaking) {
    let mut builder = Builder::new(TokioExecutor::new());
    // The tenant's clock says what `Date` shows, and a fault may leave it out.
    builder.http1().auto_date_header(false);
    builder.http2().auto_date_header(false);
    // How a connection ends is between its two ends.
    drop(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await);
}

/// The router, whose reset connections are errors that end the connection without an answer.
#[derive(Clone)]
struct Breaking {
    router: Router,
    is_secure: bool,
}

impl<B> Service<Request<B>> for Breaking
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        if self.is_secure {
            request.extensions_mut().insert(Secure);
        }
        let answer = self.router.call(request);
        Box::pin(async move {
            let answer: Result<Response<Body>, Infallible> = answer.await;
            match answer {
                Ok(answer) if answer.extensions().get::<ConnectionReset>().is_some() => {
                    Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by the fault rules"))
                }
                Ok(answer) => Ok(answer),
                Err(never) => match never {},
            }
        })
    }
}
