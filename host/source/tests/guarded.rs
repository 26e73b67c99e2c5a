//! Where chart repositories and Git servers lead: to no machine that sources may not ask (N21). Registries are in `oci.rs`,
//! SSH in `git_ssh.rs`, proxies in `proxy.rs`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use sluice_source::{
    Addresses, Credentials, GitFetcher, GitRequest, HelmFetcher, Limits, Tls, Transport,
    fetch::LocalAccess,
    helm::{ChartRepository, HelmLimits, HelmRequest, Look},
};
use sluice_testkit::canned::Canned;

use crate::support::branch;

const REFUSED: &str = "is one that sources may not ask";
const TIMEOUT: Duration = Duration::from_secs(30);
/// Where the servers of tests are.
const HERE: [&str; 2] = ["127.0.0.0/8", "::1"];

fn guarded(allowed: &[&str]) -> Addresses {
    let allowed: Vec<String> = allowed.iter().map(|&text| text.to_owned()).collect();
    Addresses::guarded(vec![], &allowed).unwrap()
}

/// The server by its name and by its numbers, and a metadata service.
fn addresses(server: &Canned) -> Vec<String> {
    let base = server.base();
    let port = base.trim_end_matches('/').rsplit(':').next().unwrap();
    let numbers = ["127.0.0.1", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"];
    let mut urls: Vec<String> = numbers
        .iter()
        .map(|host| format!("http://{host}:{port}/"))
        .collect();
    urls.push(base);
    urls.push("http://169.254.169.254/".to_owned());
    urls
}

#[tokio::test]
async fn a_chart_repository_leads_nowhere_that_sources_may_not_go() {
    let (server, home) = (Canned::start(), tempfile::tempdir().unwrap());
    let repository = |allowed: &[&str], url: &str| -> ChartRepository {
        let charts = HelmFetcher::new(home.path(), HelmLimits::default(), guarded(allowed)).unwrap();
        let request = HelmRequest {
            url: url.to_owned(),
            credentials: Credentials::None,
            passes_credentials: false,
            transport: Transport::default(),
            timeout: TIMEOUT,
        };
        charts.repository(&request).unwrap()
    };
    for url in addresses(&server) {
        let asked = repository(&[], &url).fetch(None).await.map(drop);
        let error = asked.unwrap_err().to_string();
        assert!(error.contains(REFUSED), "{url}: {error}");
    }
    assert!(server.take_asked().is_empty());

    // nor by redirect
    let elsewhere = "http://169.254.169.254/index.yaml";
    server.answer_with("GET /index.yaml", 302, &[("Location", elsewhere)], "");
    let ours = repository(&HERE, &server.base());
    let error = ours.fetch(None).await.map(drop).unwrap_err().to_string();
    assert!(error.contains(REFUSED), "{error}");

    // nor by what an index names
    let index = "apiVersion: v1\nentries:\n  shop:\n  - name: shop\n    version: 1.0.0\n    urls: [\"http://169.254.169.254/shop.tgz\"]\n";
    server.answer("GET /index.yaml", 200, index);
    let Ok(Look::Fetched(mut index)) = ours.fetch(None).await else {
        panic!("there is an index now");
    };
    let versions = index.versions("shop").unwrap().unwrap();
    let error = ours.download(&versions[0]).await.unwrap_err().to_string();
    assert!(error.contains(REFUSED), "{error}");
}

#[tokio::test]
async fn a_git_server_leads_nowhere_that_sources_may_not_go() {
    let (server, home) = (Canned::start(), tempfile::tempdir().unwrap());
    let ask = async |folder: &str, allowed: &[&str], url: &str| {
        let (limits, local) = (Limits::default(), LocalAccess::Denied);
        let git = GitFetcher::new(&home.path().join(folder), limits, local, guarded(allowed)).unwrap();
        let request = GitRequest {
            url: format!("{url}shop"),
            reference: branch("main"),
            credentials: Credentials::None,
            identity: None,
            ssh: None,
            tls: Tls::default(),
            proxy: None,
            timeout: TIMEOUT,
            last_revision: None,
            recurse_submodules: false,
        };
        git.fetch(request).await.unwrap_err().to_string()
    };
    for url in addresses(&server).iter().filter(|url| !url.contains('[')) {
        let error = ask("none", &[], url).await;
        assert!(error.contains(REFUSED), "{url}: {error}");
    }
    assert!(server.take_asked().is_empty());

    let elsewhere = "http://169.254.169.254/shop/info/refs?service=git-upload-pack";
    server.answer_with("GET /shop/info/refs", 302, &[("Location", elsewhere)], "");
    let error = ask("here", &HERE, &server.base()).await;
    assert!(error.contains(REFUSED), "{error}");
    assert!(!server.take_asked().is_empty());
}
