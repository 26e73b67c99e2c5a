//! The stories on a real kube-apiserver, one after the other on one server. Skipped, loudly, where there is none.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use sluice_testkit::cluster::{Cluster, Options};
use sluice_testkit::world::World;

macro_rules! tell {
    ([$($any:ident)*] [$($embedded:ident)*]) => {
        async fn tell_all(client: &kube::Client) {
            $(
                eprintln!("story: {}", stringify!($any));
                let mut world = World::new(client.clone()).await;
                sluice_flows::stories::$any::tell(&mut world).await;
                world.stop().await;
            )*
            $( eprintln!("SKIPPED: {}: needs what only the embedded server has", stringify!($embedded)); )*
        }
    };
}

sluice_flows::stories!(tell);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stories_on_a_real_server() {
    let options = Options {
        controller_manager: true,
        ..Options::default()
    };
    let server = Cluster::start_or_skip("stories on a real API server", &options)
        .await
        .unwrap();
    let Some(server) = server else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = kube::config::Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    tell_all(&kube::Client::try_from(config).unwrap()).await;
}
