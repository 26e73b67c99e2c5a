//! A proxy that a user names is a machine like any other: those that sources may not ask are not asked as proxies either (N21).
//! Where nobody names one, that of the environment is used.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{path::Path, process::Command, time::Duration};

use sluice_event::Redacted;
use sluice_source::{
    Addresses, BucketFetcher, Credentials, GitFetcher, GitRequest, HelmFetcher, Limits, OciFetcher, Proxy,
    Tls, Transport,
    bucket::{Access, BucketLimits, BucketRequest, S3Identity, Sts},
    credential::{
        GitHubApp,
        cloud::{CloudEndpoints, CloudEnvironment, Clouds},
    },
    fetch::LocalAccess,
    helm::{HelmLimits, HelmRequest, Look},
    oci::{Layer, OciLimits, OciReference},
};
use sluice_testkit::canned::Canned;

use crate::support::{branch, oci};

const REFUSED: &str =
    "proxy: connection refused by policy: address 127.0.0.1 is one that sources may not ask";
const TIMEOUT: Duration = Duration::from_secs(30);

fn clouds() -> Clouds {
    let (environment, endpoints) = (CloudEnvironment::default(), CloudEndpoints::default());
    Clouds::new(environment, endpoints, 10, TIMEOUT).unwrap()
}

/// What each kind of source says when it goes this way to servers elsewhere.
async fn ask(home: &Path, transport: &Transport, addresses: &Addresses) -> Vec<String> {
    let mut said = Vec::new();
    let git = GitFetcher::new(
        &home.join("git"),
        Limits::default(),
        LocalAccess::Denied,
        addresses.clone(),
    )
    .unwrap();
    let asked = git.fetch(GitRequest {
        url: "http://git.example/shop".to_owned(),
        reference: branch("main"),
        credentials: Credentials::None,
        identity: None,
        ssh: None,
        tls: Tls::default(),
        proxy: transport.proxy.clone(),
        timeout: TIMEOUT,
        last_revision: None,
        recurse_submodules: false,
    });
    said.extend(asked.await.map_err(|error| error.to_string()).err());

    let registries = OciFetcher::new(home, OciLimits::default(), addresses.clone()).unwrap();
    let url = "oci://registry.example/org/app";
    let mut request = oci::request(url);
    request.transport = transport.clone();
    request.insecure = sluice_source::oci::Insecure::Plain;
    said.push(match registries.repository(&request) {
        Err(error) => error.to_string(),
        Ok(repository) => {
            let wanted = OciReference::default();
            let pulled = oci::pull(&repository, url, &wanted, &Layer::default()).await;
            pulled.map(drop).unwrap_err().to_string()
        }
    });

    let charts = HelmFetcher::new(home, HelmLimits::default(), addresses.clone()).unwrap();
    let request = HelmRequest {
        url: "http://charts.example".to_owned(),
        credentials: Credentials::None,
        passes_credentials: false,
        transport: transport.clone(),
        timeout: TIMEOUT,
    };
    said.push(match charts.repository(&request) {
        Err(error) => error.to_string(),
        Ok(repository) => match repository.fetch(None).await {
            Ok(Look::Unchanged | Look::Fetched(_)) => panic!("nothing can be fetched"),
            Err(error) => error.to_string(),
        },
    });

    let buckets = BucketFetcher::new(home, BucketLimits::default(), addresses.clone()).unwrap();
    let sts = Sts {
        endpoint: "http://sts.example".to_owned(),
        username: "somebody".to_owned(),
        password: Redacted::new("secret".to_owned()),
        transport: transport.clone(),
    };
    let ways = [
        (S3Identity::Anonymous, transport.clone()),
        (S3Identity::Ldap(Box::new(sts)), Transport::default()),
    ];
    for (identity, transport) in ways {
        let bucket = buckets.bucket(&BucketRequest {
            name: "shop".to_owned(),
            access: Access::S3 {
                endpoint: "store.example".to_owned(),
                region: None,
                is_plain: true,
                identity,
            },
            clouds: clouds(),
            prefix: None,
            ignore: None,
            transport,
            timeout: TIMEOUT,
        });
        said.push(match bucket {
            Err(error) => error.to_string(),
            Ok(bucket) => bucket.index().await.unwrap_err().to_string(),
        });
    }
    said
}

#[tokio::test]
async fn a_proxy_that_sources_may_not_ask_is_not_asked() {
    let (proxy, home) = (Canned::start(), tempfile::tempdir().unwrap());
    let address = proxy.base().replace("localhost", "127.0.0.1");
    let through = |address: &str| Transport {
        proxy: Some(Proxy {
            address: address.to_owned(),
            credentials: None,
        }),
        ..Transport::default()
    };
    let guarded = Addresses::guarded(vec![], &[]).unwrap();
    let said = ask(home.path(), &through(&address), &guarded).await;
    assert_eq!(said.len(), 5);
    for said in said {
        assert!(said.contains(REFUSED), "{said}");
    }
    // by its name too
    for said in ask(home.path(), &through(&proxy.base()), &guarded).await {
        assert!(
            said.contains("is one that sources may not ask") || said.contains("store.example"),
            "{said}"
        );
    }
    assert!(proxy.take_asked().is_empty());

    let data = [
        ("githubAppID", "1"),
        ("githubAppPrivateKey", "none"),
        ("githubAppInstallationID", "7"),
    ];
    let data = data.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let app = GitHubApp::from_secret(&data.into()).unwrap().unwrap();
    let given = clouds().github(&app, &through(&address), &guarded).await;
    assert!(given.unwrap_err().to_string().contains(REFUSED));

    // where it may be asked, it is
    ask(home.path(), &through(&address), &Addresses::any()).await;
    let hosts: Vec<String> = proxy
        .take_asked()
        .iter()
        .map(|asked| asked.headers["host"].clone())
        .collect();
    for host in [
        "git.example",
        "registry.example",
        "charts.example",
        "store.example",
        "sts.example",
    ] {
        assert!(hosts.iter().any(|asked| asked == host), "{host}: {hosts:?}");
    }
}

/// Where a server is that is asked straight; set in the process that has proxies in its environment.
const STRAIGHT: &str = "SLUICE_TEST_STRAIGHT";

/// The environment belongs to a process: this test runs itself in another one.
#[tokio::test]
async fn proxies_of_the_environment_are_used() {
    if let Ok(straight) = std::env::var(STRAIGHT) {
        let home = tempfile::tempdir().unwrap();
        ask(home.path(), &Transport::default(), &Addresses::any()).await;
        let charts = HelmFetcher::new(home.path(), HelmLimits::default(), Addresses::any()).unwrap();
        let request = HelmRequest {
            url: straight,
            credentials: Credentials::None,
            passes_credentials: false,
            transport: Transport::default(),
            timeout: TIMEOUT,
        };
        let asked = charts.repository(&request).unwrap().fetch(None).await;
        asked.map(drop).unwrap_err();
        return;
    }
    let (proxy, straight) = (Canned::start(), Canned::start());
    let mut run = Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "proxy::proxies_of_the_environment_are_used"]);
    for name in [
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "no_proxy",
        "REQUEST_METHOD",
    ] {
        run.env_remove(name);
    }
    run.env("HTTP_PROXY", proxy.base())
        .env("NO_PROXY", "localhost")
        .env(STRAIGHT, straight.base());
    let output = run.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    let hosts: Vec<String> = proxy
        .take_asked()
        .iter()
        .map(|asked| asked.headers["host"].clone())
        .collect();
    for host in [
        "git.example",
        "registry.example",
        "charts.example",
        "store.example",
        "sts.example",
    ] {
        assert!(hosts.iter().any(|asked| asked == host), "{host}: {hosts:?}");
    }
    assert!(hosts.iter().all(|host| host.ends_with(".example")), "{hosts:?}");
    assert_eq!(straight.take_asked().len(), 1);
}
