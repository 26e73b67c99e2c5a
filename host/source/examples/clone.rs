//! Measures fetching from Git beside `git` itself: `cargo run --release -p sluice-source --example clone -- [FILES]`.
//!
//! A repository of so many files is made and served, then cloned by both, each in a process of its own; then one more commit
//! lands and is fetched.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is for people, who see where it breaks

mod measure;

use measure::{now, peak};
use sluice_source::{
    Addresses, Credentials, GitFetcher, GitRequest, Limits, Outcome, Reference, Tls, fetch::LocalAccess,
};
use sluice_testkit::git_server::{GitServer, Repository};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// How often each side clones; the fastest counts.
const RUNS: usize = 5;
/// Files that a directory of the repository has.
const DIRECTORY: usize = 100;

fn main() {
    let argument = std::env::args().nth(1);
    match argument.as_deref().map(str::parse) {
        None => compare(20_000),
        Some(Ok(files)) => compare(files),
        Some(Err(_)) => clone(argument.unwrap()),
    }
}

fn compare(files: usize) {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init(&folder.path().join("big.git"));
    let contents: Vec<(String, String)> = (0..files).map(file).collect();
    let size: usize = contents.iter().map(|(_, content)| content.len()).sum();
    repository.commit(
        contents
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str())),
        "big",
    );
    let server = GitServer::start(folder.path());
    let url = server.url("big.git");
    println!("repository: {files} files, {} MiB", size >> 20);

    let theirs = (0..RUNS).map(|run| git_clone(&url, &folder.path().join(format!("theirs-{run}"))));
    println!("git: {:?}", theirs.min().unwrap());

    let mut ours = Ours::default();
    for run in 0..RUNS {
        ours.keep_best(Ours::measure(&url, || {
            repository.commit([("README.md", format!("{run}\n").as_str())], "one more");
        }));
    }
    println!("sluice: {:?}", ours.clone);
    println!("memory above idle: {} KiB", ours.grown);
    println!("one more commit: {:?}", ours.refetch);
    println!("nothing new: {:?}", ours.look);
}

/// Text that compresses as manifests do.
fn file(number: usize) -> (String, String) {
    let path = format!("apps/{}/manifest-{number}.yaml", number / DIRECTORY);
    let mut content =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number}\ndata:\n");
    for line in 0..40 {
        let value = (number * 7919 + line * 104_729).wrapping_mul(2_654_435_761);
        content += &format!("  setting-{line}: \"{value:016x}\"\n");
    }
    (path, content)
}

fn git_clone(url: &str, to: &Path) -> Duration {
    let started = now();
    let status = Command::new("git")
        .args(["clone", "--quiet", "--depth", "1", "--bare", url])
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success());
    started.elapsed()
}

/// What one process of ours took.
#[derive(Default)]
struct Ours {
    clone: Duration,
    /// Most resident memory above what the process had before, in KiB.
    grown: u64,
    refetch: Duration,
    look: Duration,
}

impl Ours {
    /// Clones in a new process, lands a commit, and has it fetched.
    fn measure(url: &str, commit: impl FnOnce()) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut number = || lines.next().unwrap().unwrap().parse::<u64>().unwrap();
        let (idle, clone, peak) = (number(), number(), number());
        commit();
        writeln!(input).unwrap();
        let (refetch, look) = (number(), number());
        assert!(child.wait().unwrap().success());
        Self {
            clone: Duration::from_nanos(clone),
            grown: peak - idle,
            refetch: Duration::from_nanos(refetch),
            look: Duration::from_nanos(look),
        }
    }

    fn keep_best(&mut self, other: Self) {
        let least = |best: Duration, other: Duration| if best.is_zero() { other } else { best.min(other) };
        self.clone = least(self.clone, other.clone);
        self.refetch = least(self.refetch, other.refetch);
        self.look = least(self.look, other.look);
        self.grown = self.grown.max(other.grown);
    }
}

/// Prints memory, how long a clone takes, and memory; waits for a line; prints how long the next commit takes, and nothing new.
#[tokio::main(flavor = "current_thread")]
async fn clone(url: String) {
    let home = tempfile::tempdir().unwrap();
    let fetcher = GitFetcher::new(
        home.path(),
        Limits::default(),
        LocalAccess::Denied,
        Addresses::any(),
    )
    .unwrap();
    let request = GitRequest {
        url,
        reference: Reference {
            branch: Some("main".to_owned()),
            ..Reference::default()
        },
        credentials: Credentials::None,
        identity: None,
        ssh: None,
        tls: Tls::default(),
        proxy: None,
        timeout: Duration::from_secs(600),
        last_revision: None,
        recurse_submodules: false,
    };
    let fetch = async |last: Option<String>| {
        let started = now();
        let request = GitRequest {
            last_revision: last.clone(),
            ..request.clone()
        };
        let revision = match fetcher.fetch(request).await.unwrap() {
            Outcome::Fetched(fetched) => Some(fetched.revision.to_string()),
            _ => last,
        };
        (started.elapsed().as_nanos(), revision)
    };
    println!("{}", peak());
    let (took, revision) = fetch(None).await;
    println!("{took}\n{}", peak());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let (took, revision) = fetch(revision).await;
    println!("{took}");
    println!("{}", fetch(revision).await.0);
}
