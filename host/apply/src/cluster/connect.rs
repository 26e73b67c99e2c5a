//! How connections to API servers are made. Whoever writes a kubeconfig names the server, so what a name resolves to is looked
//! at.

use super::bounded::Bound;
use futures::future::{BoxFuture, FutureExt};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use sluice_api::none_of_the_node;
use std::io;
use std::net::SocketAddr;
use std::vec::IntoIter;
use tower::util::{ServiceFn, service_fn};
use tower::{BoxError, ServiceBuilder};

type Lookup = BoxFuture<'static, io::Result<IntoIter<SocketAddr>>>;
type Connector = HttpConnector<ServiceFn<fn(Name) -> Lookup>>;

/// Connects to the addresses of a name, none of which may be the node's own.
pub(super) fn connector(config: &Config) -> Connector {
    let mut tcp = HttpConnector::new_with_resolver(service_fn(lookup as fn(Name) -> Lookup));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    tcp
}

fn lookup(name: Name) -> Lookup {
    async move {
        let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
        none_of_the_node(name.as_str(), found)
            .map_err(|refused| io::Error::other(format!("{refused} and no API server")))
    }
    .boxed()
}

/// The client of kube, for what streams. Where a proxy stands between, that one resolves the name.
///
/// # Errors
/// A certificate, a key or a header of the configuration cannot be used.
pub(super) fn client(config: Config) -> kube::Result<Client> {
    if config.proxy_url.is_some() {
        return Ok(ClientBuilder::try_from(config)?
            .with_layer(&Bound::default())
            .build());
    }
    let mut connector =
        TimeoutConnector::new(config.rustls_https_connector_with_connector(connector(&config))?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(Builder::new(TokioExecutor::new()).build::<_, Body>(connector));
    let namespace = config.default_namespace.clone();
    Ok(ClientBuilder::new(service, namespace)
        .with_layer(&Bound::default())
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number is a name that needs no server to be resolved.
    #[tokio::test]
    async fn a_name_is_refused_by_what_it_resolves_to() {
        let refused = lookup("2852039166".parse().unwrap()).await;
        assert_eq!(
            refused.map(drop).unwrap_err().to_string(),
            "'2852039166' is at 169.254.169.254, which is a service of the node itself and no API server"
        );
        assert!(lookup("localhost".parse().unwrap()).await.is_ok());
    }

    #[tokio::test]
    async fn neither_requests_nor_watches_go_there() {
        let config = Config::new("http://2852039166".parse().unwrap());
        let direct = super::super::connections::Direct::new(&config).unwrap().unwrap();
        let request = http::Request::get("/").body(Body::empty()).unwrap();
        let told = direct.ask(request).await.map(drop).unwrap_err();
        assert!(
            sluice_event::cause::whole(&*told).contains("a service of the node itself"),
            "{told}"
        );
        let request = http::Request::get("/").body(Vec::new()).unwrap();
        let told = client(config).unwrap().request_text(request).await.unwrap_err();
        assert!(
            sluice_event::cause::whole(&told).contains("a service of the node itself"),
            "{told}"
        );
    }
}
