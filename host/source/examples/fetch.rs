//! Fetches a repository twice and archives it, and prints what that cost.
//! `cargo run --release -p sluice-source --example fetch -- URL BRANCH`
#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use sluice_artifact::{Store, store::Limits as StoreLimits};
use sluice_source::{
    Addresses, Credentials, GitFetcher, GitRequest, Limits, Outcome, Reference, Tls, archive,
    fetch::LocalAccess,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), branch) = (arguments.next(), arguments.next()) else {
        return Err("usage: fetch URL [BRANCH]".into());
    };
    let home = tempfile::tempdir()?;
    let fetcher = GitFetcher::new(
        &home.path().join("git"),
        Limits::default(),
        LocalAccess::Allowed,
        Addresses::any(),
    )?;
    std::fs::create_dir(home.path().join("store"))?;
    let store = Store::open(&home.path().join("store"), StoreLimits::default())?;
    let request = GitRequest {
        url,
        reference: Reference {
            branch,
            ..Reference::default()
        },
        credentials: Credentials::None,
        ssh: None,
        tls: Tls::default(),
        proxy: None,
        timeout: Duration::from_secs(600),
        last_revision: None,
        recurse_submodules: false,
    };
    println!("start: {}", peak());
    let started = Instant::now();
    let Outcome::Fetched(fetched) = fetcher.fetch(request.clone()).await? else {
        return Err("nothing was fetched".into());
    };
    println!("fetch: {:?}, {}", started.elapsed(), peak());
    let started = Instant::now();
    let artifact = archive::store(
        &fetched,
        &archive::Selection::default(),
        &store,
        &"gitrepository/x/y/1.tar.gz".parse()?,
    )?;
    println!(
        "archive: {:?}, {} bytes, {}",
        started.elapsed(),
        artifact.size,
        peak()
    );
    let started = Instant::now();
    archive::store(
        &fetched,
        &archive::Selection::default(),
        &store,
        &"gitrepository/x/y/2.tar.gz".parse()?,
    )?;
    println!("archive again: {:?}, {}", started.elapsed(), peak());
    let started = Instant::now();
    let last_revision = Some(fetched.revision.to_string());
    fetcher
        .fetch(GitRequest {
            last_revision,
            ..request
        })
        .await?;
    println!("look again: {:?}, {}", started.elapsed(), peak());
    Ok(())
}

/// Largest resident memory so far, as Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    format!("peak {}", line.map_or("unknown", str::trim))
}
