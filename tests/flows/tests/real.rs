//! The stories on a real kube-apiserver, a few at a time on one server. Skipped, loudly, where there is none.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use futures::future::LocalBoxFuture;
use futures::{FutureExt, StreamExt, stream};
use sluice_testkit::cluster::{Cluster, Options};
use sluice_testkit::world::World;
use tokio::task::LocalSet;

/// Stories that are told at once; each has a namespace and a controller of its own.
const AT_ONCE: usize = 4;

type Story = (&'static str, LocalBoxFuture<'static, ()>);

macro_rules! tell {
    ([$($any:ident)*] [$($embedded:ident)*] [$($connected:ident)*]) => {
        fn stories(config: &kube::Config) -> Vec<Story> {
            $( eprintln!("SKIPPED: {} on a real API server: needs what only the embedded one has", stringify!($embedded)); )*
            vec![$(tell!(@ config $any),)* $(tell!(@ config $connected),)*]
        }
    };
    (@ $config:ident $story:ident) => {{
        let config = $config.clone();
        let story = async move {
            let mut world = World::connected(config).await;
            sluice_flows::stories::$story::tell(&mut world).await;
            world.stop().await;
        };
        (stringify!($story), story.boxed_local())
    }};
}

sluice_flows::stories!(tell);

/// Tells all of them, also where one fails. Answers with those that failed.
async fn tell_all(config: &kube::Config) -> Vec<&'static str> {
    let told = stories(config).into_iter().map(|(name, story)| async move {
        let told = tokio::task::spawn_local(story).await;
        let has_failed = told.is_err();
        eprintln!("story {name}: {}", if has_failed { "FAILED" } else { "ok" });
        has_failed.then_some(name)
    });
    let told: Vec<Option<&str>> = stream::iter(told).buffer_unordered(AT_ONCE).collect().await;
    told.into_iter().flatten().collect()
}

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
    let kubeconfig = kube::config::Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    let failed = LocalSet::new().run_until(tell_all(&config)).await;
    assert!(failed.is_empty(), "{failed:?}");
}
