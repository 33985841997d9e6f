//! TLS: a proxy that opens it under a root of its own, and certificates that are somebody else's or too old.

use std::net::TcpListener;
use std::path::PathBuf;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum_server::tls_rustls::RustlsConfig;
use mock_graph::{MockGraph, Secure, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::task::JoinSet;

use super::{Row, Scene, text};

/// The mock behind a certificate of a root that nobody knows, in this process.
struct Proxy {
    base: String,
    /// The root, as whoever runs the proxy would hand it out.
    root: PathBuf,
    mock: MockGraph,
    _serving: JoinSet<()>,
}

async fn proxy(scene: &Scene, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Proxy {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Contoso web proxy");
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.signed_by(&key, &root).unwrap();
    let file = scene.folder.path().join(format!("{name}.pem"));
    std::fs::write(&file, root.pem()).unwrap();

    let mock = MockGraph::from_value(scene.mock.tenant.clone(), Settings::default()).unwrap();
    let router = mock.router().layer(middleware::from_fn(|mut request: Request, next: Next| {
        request.extensions_mut().insert(Secure);
        next.run(request)
    }));
    stanch::transport::install();
    let config = RustlsConfig::from_pem(certificate.pem().into_bytes(), key.serialize_pem().into_bytes())
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let mut serving = JoinSet::new();
    let server = axum_server::from_tcp_rustls(listener, config).unwrap();
    serving.spawn(async move { server.serve(router.into_make_service()).await.unwrap() });
    Proxy { base, root: file, mock, _serving: serving }
}

fn row(name: &'static str, proxy: &Proxy) -> Row {
    Row::new(name, 1, &["plan", "evict", "--user", "lynne.robbins@contoso.com"])
        .set("AZURE_AUTHORITY_HOST", &proxy.base)
        .set("STANCH_GRAPH_URL", &proxy.base)
}

/// How many requests reached the mock behind a proxy.
async fn requests(proxy: &Proxy) -> usize {
    use tower::ServiceExt as _;
    let request = axum::http::Request::get("/_mock/requests").body(axum::body::Body::empty()).unwrap();
    let answer = proxy.mock.router().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(answer.into_body(), 64 << 20).await.unwrap();
    text(&body).lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_with_its_own_root_is_told_as_that_and_with_the_root_added_all_goes_on() {
    let scene = Scene::with(|_| ());
    let proxy = proxy(&scene, "root", |_| ()).await;
    scene.judge(&[row("a proxy with its own root", &proxy)
        .says(&["could not reach `127.0.0.1:", "issued by nobody that this machine trusts"])
        .next(&["a proxy of the company's", "`SSL_CERT_FILE`", "listening in"])]);
    assert_eq!(requests(&proxy).await, 0, "something was said to whoever sits in between");

    if cfg!(target_os = "linux") {
        let output = scene
            .command()
            .env("AZURE_AUTHORITY_HOST", &proxy.base)
            .env("STANCH_GRAPH_URL", &proxy.base)
            .env("SSL_CERT_FILE", &proxy.root)
            .args(["plan", "evict", "--user", "lynne.robbins@contoso.com"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(requests(&proxy).await > 0);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_a_known_root_that_is_too_old_or_of_another_name_is_told_as_that() {
    let scene = Scene::with(|_| ());
    let old = proxy(&scene, "old", |own| own.not_after = rcgen::date_time_ymd(2020, 1, 1)).await;
    let foreign = proxy(&scene, "foreign", |own| {
        *own = CertificateParams::new(vec!["login.example.com".to_owned()]).unwrap();
    })
    .await;
    let trusting = |name, proxy: &Proxy| row(name, proxy).set("SSL_CERT_FILE", proxy.root.to_str().unwrap());
    scene.judge(&[
        trusting("too old", &old)
            .says(&["its certificate is not valid at the time of this machine"])
            .next(&["check the clock"]),
        trusting("of another name", &foreign)
            .says(&["its certificate is made out to another name"])
            .next(&["check the address and the proxy"]),
    ]);
    assert_eq!(requests(&old).await + requests(&foreign).await, 0);
}
