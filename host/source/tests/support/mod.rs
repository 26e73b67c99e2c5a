//! What the tests of fetching share.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic)]

pub mod oci;

use std::{path::Path, sync::OnceLock, time::Duration};

use sluice_artifact::{Artifact, Store, Tree, store};
use sluice_source::{
    Addresses, Credentials, Fetched, GitFetcher, GitRequest, Limits, Outcome, Reference, Tls, archive,
    fetch::{Error, LocalAccess},
};
use sluice_testkit::{
    git_server::{GitServer, Repository},
    ssh_server::{
        new_key,
        ssh_keys::{Algorithm, HashAlg, encode_pkcs8_pem},
    },
};
use tempfile::TempDir;

/// A private key of RSA in PEM, one for all tests: making it takes a while.
pub fn rsa_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut pem = Vec::new();
        let key = new_key(Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        });
        encode_pkcs8_pem(&key, &mut pem).unwrap();
        String::from_utf8(pem).unwrap()
    })
}

/// A repository, its server, a fetcher and a store.
pub struct Scene {
    pub root: TempDir,
    pub home: TempDir,
    pub repository: Repository,
    pub server: GitServer,
    pub fetcher: GitFetcher,
    pub store: Store,
}

impl Scene {
    pub fn new() -> Scene {
        Scene::with(GitServer::start, Limits::default())
    }

    pub fn with(start: impl FnOnce(&Path) -> GitServer, limits: Limits) -> Scene {
        let (root, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let repository = Repository::init(&root.path().join("shop"));
        let server = start(root.path());
        let fetcher = GitFetcher::new(
            &home.path().join("git"),
            limits,
            LocalAccess::Denied,
            Addresses::any(),
        )
        .unwrap();
        std::fs::create_dir(home.path().join("artifacts")).unwrap();
        let store = Store::open(&home.path().join("artifacts"), store::Limits::default()).unwrap();
        Scene {
            root,
            home,
            repository,
            server,
            fetcher,
            store,
        }
    }

    pub fn request(&self) -> GitRequest {
        GitRequest {
            url: self.server.url("shop"),
            reference: branch("main"),
            credentials: Credentials::None,
            identity: None,
            ssh: None,
            tls: Tls::default(),
            proxy: None,
            timeout: Duration::from_secs(30),
            last_revision: None,
            recurse_submodules: false,
        }
    }

    pub async fn fetch(&self, request: GitRequest) -> Result<Outcome, Error> {
        self.fetcher.fetch(request).await
    }

    /// Fetches what must be fetchable.
    pub async fn fetched(&self, request: GitRequest) -> Fetched {
        match self.fetch(request).await {
            Ok(Outcome::Fetched(fetched)) => fetched,
            Ok(Outcome::Unchanged(revision)) => panic!("unchanged: {revision}"),
            Err(error) => panic!("{error}"),
        }
    }

    /// The message of a failure, without what differs from run to run.
    pub async fn failure(&self, request: GitRequest) -> String {
        match self.fetch(request).await {
            Ok(outcome) => panic!("{outcome:?}"),
            Err(error) => error
                .to_string()
                .replace(&self.server.url(""), "https://git.example/"),
        }
    }

    pub fn archive(&self, fetched: &Fetched, ignore: Option<&str>) -> Result<Artifact, archive::Error> {
        let path = format!("gitrepository/ns/shop/{}.tar.gz", fetched.commit());
        let selection = archive::Selection {
            ignore: ignore.map(str::to_owned),
            ..archive::Selection::default()
        };
        archive::store(fetched, &selection, &self.store, &path.parse().unwrap())
    }

    /// The paths of the artifact made from a commit.
    pub fn archived(&self, fetched: &Fetched, ignore: Option<&str>) -> Vec<String> {
        let artifact = self.archive(fetched, ignore).unwrap();
        paths(&self.store.tree(&artifact.path).unwrap())
    }
}

pub fn branch(name: &str) -> Reference {
    Reference {
        branch: Some(name.to_owned()),
        ..Reference::default()
    }
}

pub fn paths(tree: &dyn Tree) -> Vec<String> {
    tree.walk("/")
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .collect()
}
