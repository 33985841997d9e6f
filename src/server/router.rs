//! The routes, and what they share.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::sync::{Notify, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;

use super::answer::bare;
use super::hook::Hook;
use super::sources::Sources;
use super::{health, receive};
use crate::alert::MOST_BYTES;
use crate::config::Guards;
use crate::domain::{Clock, Random};
use crate::store::Inbox;

/// Bodies read at once: as much memory as they may take.
const MOST_AT_ONCE: usize = 100;

/// Of these, as many as may come from addresses that are put off.
const MOST_DOUBTFUL: usize = 10;

/// What the routes share.
pub struct Server {
    pub(super) hooks: BTreeMap<String, Hook>,
    pub(super) inbox: Arc<dyn Inbox>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) subjects_per_hour: u32,
    pub(super) widest: crate::config::WidestBlock,
    pub(super) wake: Arc<Notify>,
    pub(super) at_once: Semaphore,
    pub(super) doubtful: Semaphore,
    pub(super) sources: Sources,
}

impl Server {
    /// A server for these webhooks. `wake` is told of every alert that was taken in.
    pub fn new(
        hooks: Vec<Hook>,
        inbox: Arc<dyn Inbox>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        guards: &Guards,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            hooks: hooks.into_iter().map(|hook| (hook.name.clone(), hook)).collect(),
            inbox,
            clock,
            random,
            subjects_per_hour: guards.max_subjects_per_hour,
            widest: guards.widest_block,
            wake,
            at_once: Semaphore::new(MOST_AT_ONCE),
            doubtful: Semaphore::new(MOST_DOUBTFUL),
            sources: Sources::default(),
        }
    }
}

/// The routes.
pub fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/webhooks/{name}", post(receive::receive))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .fallback(|| async { bare(StatusCode::NOT_FOUND) })
        .method_not_allowed_fallback(|| async { bare(StatusCode::METHOD_NOT_ALLOWED) })
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(CatchPanicLayer::custom(|_| bare(StatusCode::INTERNAL_SERVER_ERROR)))
        .with_state(server)
}
