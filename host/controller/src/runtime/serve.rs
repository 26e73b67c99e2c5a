//! `/healthz` and `/readyz` on the health port, `/metrics` on the metrics port, as Flux's probes and scrapers expect.

use axum::Router;
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves liveness and readiness until shutdown.
///
/// # Errors
/// Where the address cannot be listened on.
pub(crate) async fn health(
    address: SocketAddr,
    is_ready: Arc<AtomicBool>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let ready = move || async move {
        if is_ready.load(Ordering::Relaxed) {
            (StatusCode::OK, "ok")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "starting")
        }
    };
    serve(
        address,
        Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/readyz", get(ready)),
        shutdown,
    )
    .await
}

/// Serves the metrics until shutdown; `sample` sets those that are asked for only when somebody reads them.
///
/// # Errors
/// Where the address cannot be listened on.
pub(crate) async fn metrics(
    address: SocketAddr,
    sample: impl Fn() + Clone + Send + Sync + 'static,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let metrics = || async move {
        sample();
        (
            [(CONTENT_TYPE, sluice_event::metrics::CONTENT_TYPE)],
            sluice_event::metrics::encode(),
        )
    };
    serve(address, Router::new().route("/metrics", get(metrics)), shutdown).await
}

async fn serve(address: SocketAddr, router: Router, shutdown: CancellationToken) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tokio::spawn(async move {
        let served = axum::serve(listener, router)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, %address, "endpoint stopped");
        }
    });
    Ok(())
}
