//! The socket: plain on loopback, TLS anywhere else. A stop lets the requests in flight end.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Handle, Server};
use tokio::task::JoinSet;

use crate::engine::StopSignal;

/// The head of a request comes within this.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Requests in flight end within this after a stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Certificate and key, as PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Plain http where others can read along.
    #[error("`{address}` is no loopback address, and plain http is for loopback only")]
    Plain {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be had.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("cannot use the certificate `{certificate}` with its key")]
    Certificate {
        /// The certificate's file.
        certificate: String,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
}

impl ListenError {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "plain_http",
            Self::Bind { .. } => "cannot_listen",
            Self::Certificate { .. } => "tls_certificate",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Plain { .. } => {
                "give `--tls-cert` and `--tls-key`; or listen on 127.0.0.1, behind a proxy that does TLS"
                    .to_owned()
            }
            Self::Bind { .. } => {
                "name another address with `--listen`, or stop what listens there".to_owned()
            }
            Self::Certificate { .. } => "give PEM files of one certificate and its own key".to_owned(),
        }
    }
}

/// A server that listens.
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// Whether by TLS.
    pub is_tls: bool,
    tasks: JoinSet<std::io::Result<()>>,
}

impl Listening {
    /// Waits until it has stopped.
    ///
    /// # Errors
    /// When the socket failed.
    pub async fn ended(mut self) -> std::io::Result<()> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(std::io::Error::other)??;
        }
        Ok(())
    }
}

/// Listens until the stop is given.
///
/// # Errors
/// When the address cannot be had, or may not be without TLS.
pub async fn listen(
    router: Router,
    address: SocketAddr,
    tls: Option<&Tls>,
    mut stop: StopSignal,
) -> Result<Listening, ListenError> {
    if tls.is_none() && !address.ip().is_loopback() {
        return Err(ListenError::Plain { address });
    }
    let bind = |source| ListenError::Bind { address, source };
    let listener = TcpListener::bind(address).map_err(bind)?;
    let bound = listener.local_addr().map_err(bind)?;
    let handle = Handle::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut tasks = JoinSet::new();
    if let Some(tls) = tls {
        let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await.map_err(|source| {
            ListenError::Certificate { certificate: tls.certificate.display().to_string(), source }
        })?;
        let server = axum_server::from_tcp_rustls(listener, config).map_err(bind)?;
        let server = bounded(server).handle(handle.clone());
        tasks.spawn(async move { server.serve(service).await });
    } else {
        let server = bounded(axum_server::from_tcp(listener).map_err(bind)?).handle(handle.clone());
        tasks.spawn(async move { server.serve(service).await });
    }
    tasks.spawn(async move {
        stop.given().await;
        handle.graceful_shutdown(Some(STOP_WITHIN));
        Ok(())
    });
    Ok(Listening { address: bound, is_tls: tls.is_some(), tasks })
}

/// A head that never ends must not hold a connection.
fn bounded<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    server.http_builder().http1().header_read_timeout(HEAD_WITHIN);
    server.first_request_timeout(HEAD_WITHIN)
}
