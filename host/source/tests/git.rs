//! Fetching from a real Git server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, sync::Arc, time::Duration};

use crate::support::{Scene, branch, paths};
use expect_test::expect;
use sluice_artifact::{Question, Tree, TreeError, answer};
use sluice_event::Redacted;
use sluice_source::{
    Addresses, Credentials, GitFetcher, GitRequest, Limits, Outcome, Reference, Tls, TreeLimits,
    fetch::{Error, LocalAccess},
};
use sluice_testkit::git_server::{Access, Authority, Fault, GitServer, Repository, git_is_present};

#[tokio::test]
async fn a_branch_is_cloned_and_then_only_the_difference_is_brought() {
    if !git_is_present("git fetch") {
        return;
    }
    let scene = Scene::new();
    let big: String = (0..20_000)
        .map(|number| format!("{}\n", number * 7919 % 104_729))
        .collect();
    let first = scene.repository.commit(
        [("apps/a.yaml", "a: 1\n"), ("big", big.as_str())],
        "first\n\nbody",
    );
    let fetched = scene.fetched(scene.request()).await;
    assert_eq!(fetched.revision.to_string(), format!("main@sha1:{first}"));
    assert_eq!(
        (fetched.subject.as_str(), fetched.commit()),
        ("first", first.as_str())
    );
    assert_eq!(paths(&fetched.tree), ["/apps/a.yaml", "/big"]);
    let packs = |scene: &Scene| {
        let mut sizes = Vec::new();
        let mut stack = vec![scene.home.path().join("git")];
        while let Some(directory) = stack.pop() {
            for entry in fs::read_dir(directory).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    stack.push(path);
                } else if path.extension().is_some_and(|extension| extension == "pack") {
                    sizes.push(entry.metadata().unwrap().len());
                }
            }
        }
        sizes.sort_unstable();
        sizes
    };
    let full = packs(&scene);
    let second = scene.repository.commit([("apps/a.yaml", "a: 2\n")], "second");
    let last_revision = Some(fetched.revision.to_string());
    let fetched = scene
        .fetched(GitRequest {
            last_revision,
            ..scene.request()
        })
        .await;
    assert_eq!(fetched.revision.to_string(), format!("main@sha1:{second}"));
    assert_eq!(&*fetched.tree.read("/apps/a.yaml").unwrap(), b"a: 2\n");
    assert_eq!(fetched.tree.read("/big").unwrap().len(), big.len());
    let both = packs(&scene);
    assert_eq!((full.len(), both.len()), (1, 2));
    assert!(
        both[0] * 20 < full[0],
        "a small pack for a small change: {both:?}"
    );
    let before = scene.store.artifacts().len();
    scene.archive(&fetched, None).unwrap();
    assert_eq!(scene.store.artifacts().len(), before + 1);
}

#[tokio::test]
async fn nothing_new_costs_one_list_of_references() {
    if !git_is_present("git no-op") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a", "1")], "first");
    let revision = scene.fetched(scene.request()).await.revision;
    scene.server.take_seen();
    let again = GitRequest {
        last_revision: Some(revision.to_string()),
        ..scene.request()
    };
    let Ok(Outcome::Unchanged(found)) = scene.fetch(again).await else {
        panic!("must be unchanged")
    };
    assert_eq!(found, revision);
    let seen: String = scene
        .server
        .take_seen()
        .iter()
        .map(|seen| format!("{} {}\n", seen.method, seen.target))
        .collect();
    expect![[r#"
        GET /shop/info/refs?service=git-upload-pack
        POST /shop/git-upload-pack
    "#]]
    .assert_eq(&seen);
}

#[tokio::test]
async fn every_form_of_reference_gives_fluxs_revision() {
    if !git_is_present("git references") {
        return;
    }
    let scene = Scene::new();
    let one = scene.repository.commit([("a", "1")], "one");
    scene.repository.git(&["tag", "1.0.0"]);
    scene
        .repository
        .git(&["tag", "--annotate", "v1.1.0", "--message", "release"]);
    scene.repository.git(&["branch", "feature/x"]);
    let two = scene.repository.commit([("a", "2")], "two");
    scene.repository.git(&["tag", "1.1.0+b2"]);
    scene.repository.git(&["tag", "2.0.0-rc.1"]);
    let three = scene.repository.commit([("a", "3")], "three");
    scene.repository.git(&["update-ref", "refs/pull/1/head", &one]);
    let with = |set: &dyn Fn(&mut Reference)| {
        let mut reference = Reference::default();
        set(&mut reference);
        reference
    };
    let text = |text: &str| Some(text.to_owned());
    let rows: Vec<(&str, Reference)> = vec![
        ("branch", branch("main")),
        ("branch with slash", branch("feature/x")),
        ("tag", with(&|r| r.tag = text("1.0.0"))),
        ("annotated tag", with(&|r| r.tag = text("v1.1.0"))),
        (
            "semver, equal precedence, newest commit",
            with(&|r| r.semver = text("1.x")),
        ),
        ("semver with prereleases", with(&|r| r.semver = text(">=1.0.0-0"))),
        (
            "tag beats semver",
            with(&|r| (r.tag, r.semver) = (text("1.0.0"), text(">=1.0.0-0"))),
        ),
        ("name of a branch", with(&|r| r.name = text("refs/heads/main"))),
        ("name of a tag", with(&|r| r.name = text("refs/tags/v1.1.0"))),
        (
            "name of a peeled tag",
            with(&|r| r.name = text("refs/tags/v1.1.0^{}")),
        ),
        ("name of another", with(&|r| r.name = text("refs/pull/1/head"))),
        ("name HEAD", with(&|r| r.name = text("HEAD"))),
        ("commit", with(&|r| r.commit = text(&two))),
        (
            "commit and branch",
            with(&|r| (r.commit, r.branch) = (text(&one), text("main"))),
        ),
        (
            "commit and name",
            with(&|r| (r.commit, r.name) = (text(&one), text("refs/heads/main"))),
        ),
        (
            "name beats tag",
            with(&|r| (r.name, r.tag) = (text("refs/heads/main"), text("1.0.0"))),
        ),
        ("no such branch", branch("mian")),
        ("default branch", Reference::default()),
        ("no such tag", with(&|r| r.tag = text("9"))),
        ("no such version", with(&|r| r.semver = text(">=9"))),
        ("bad range", with(&|r| r.semver = text("newest"))),
        ("no such name", with(&|r| r.name = text("refs/heads/nope"))),
        ("bad name", with(&|r| r.name = text("refs/heads/"))),
        ("bad commit", with(&|r| r.commit = text("abc"))),
        ("no such commit", with(&|r| r.commit = text(&"1".repeat(40)))),
        ("hostile name", with(&|r| r.name = text("refs/../../x"))),
    ];
    let mut outcomes = String::new();
    for (what, reference) in rows {
        let outcome = match scene
            .fetch(GitRequest {
                reference,
                ..scene.request()
            })
            .await
        {
            Ok(Outcome::Fetched(fetched)) => fetched.revision.to_string(),
            Ok(Outcome::Unchanged(revision)) => format!("unchanged {revision}"),
            Err(error) => error.to_string(),
        };
        let outcome = outcome.replace(&scene.server.url(""), "https://git.example/");
        let outcome = outcome
            .replace(&one, "<one>")
            .replace(&two, "<two>")
            .replace(&three, "<three>");
        outcomes += &format!("{what}: {outcome}\n");
    }
    expect![[r#"
        branch: main@sha1:<three>
        branch with slash: feature/x@sha1:<one>
        tag: 1.0.0@sha1:<one>
        annotated tag: v1.1.0@sha1:<one>
        semver, equal precedence, newest commit: 1.1.0+b2@sha1:<two>
        semver with prereleases: 2.0.0-rc.1@sha1:<two>
        tag beats semver: 1.0.0@sha1:<one>
        name of a branch: refs/heads/main@sha1:<three>
        name of a tag: refs/tags/v1.1.0@sha1:<one>
        name of a peeled tag: refs/tags/v1.1.0^{}@sha1:<one>
        name of another: refs/pull/1/head@sha1:<one>
        name HEAD: sha1:<three>
        commit: sha1:<two>
        commit and branch: main@sha1:<one>
        commit and name: refs/heads/main@sha1:<one>
        name beats tag: refs/heads/main@sha1:<three>
        no such branch: failed to checkout and determine revision: unable to clone 'https://git.example/shop': couldn't find remote ref "refs/heads/mian" (the remote has these branches: main, feature/x)
        default branch: failed to checkout and determine revision: unable to clone 'https://git.example/shop': couldn't find remote ref "refs/heads/master" (the remote has these branches: main, feature/x)
        no such tag: failed to checkout and determine revision: unable to clone 'https://git.example/shop': couldn't find remote ref "refs/tags/9" (the remote has these tags: 1.0.0, 1.1.0+b2, 2.0.0-rc.1, v1.1.0)
        no such version: failed to checkout and determine revision: no match found for semver: >=9 (the remote has these tags: 1.0.0, 1.1.0+b2, 2.0.0-rc.1, v1.1.0)
        bad range: failed to checkout and determine revision: semver parse error: improper constraint: "newest" (correct spec.ref.semver, e.g. '>=1.0.0 <2.0.0')
        no such name: failed to checkout and determine revision: unable to resolve ref 'refs/heads/nope' to a specific commit (the remote has these references: heads/feature/x, heads/main, pull/1/head, tags/1.0.0, tags/1.1.0+b2 …)
        bad name: failed to checkout and determine revision: ref refs/heads/ is invalid; Git refs cannot begin or end with a slash '/' (correct spec.ref.name)
        bad commit: failed to checkout and determine revision: unable to resolve commit object for 'abc': object not found (spec.ref.commit must be a full SHA-1 of 40 hex digits)
        no such commit: failed to checkout and determine revision: unable to resolve commit object for '<hash>': object not found (check spec.ref.commit; the server must be willing to give it)
        hostile name: failed to checkout and determine revision: unable to resolve ref 'refs/../../x' to a specific commit (the remote has these references: heads/feature/x, heads/main, pull/1/head, tags/1.0.0, tags/1.1.0+b2 …)
    "#]].assert_eq(&anonymous(&outcomes));
}

/// R16.
#[tokio::test]
async fn moved_deleted_and_empty_are_told_apart() {
    if !git_is_present("git histories") {
        return;
    }
    let scene = Scene::new();
    let mut outcomes = vec![scene.failure(scene.request()).await];
    let text = |text: &str| Some(text.to_owned());
    for reference in [
        Reference {
            tag: text("v1"),
            ..Reference::default()
        },
        Reference {
            semver: text(">=1.0.0"),
            ..Reference::default()
        },
        Reference {
            name: text("refs/heads/main"),
            ..Reference::default()
        },
    ] {
        let request = GitRequest {
            reference,
            ..scene.request()
        };
        outcomes.push(scene.failure(request).await);
    }
    scene.repository.commit([("a", "1")], "one");
    let first = scene.fetched(scene.request()).await.revision;
    // A force push: another history, an older tree.
    scene
        .repository
        .git(&["checkout", "--quiet", "--orphan", "other"]);
    let forced = scene.repository.commit([("b", "1")], "forced");
    scene.repository.git(&["update-ref", "refs/heads/main", &forced]);
    let last_revision = Some(first.to_string());
    let moved = scene
        .fetched(GitRequest {
            last_revision: last_revision.clone(),
            ..scene.request()
        })
        .await;
    assert_eq!(moved.commit(), forced);
    assert_eq!(paths(&moved.tree), ["/a", "/b"]);
    scene.repository.git(&["update-ref", "-d", "refs/heads/main"]);
    outcomes.push(
        scene
            .failure(GitRequest {
                last_revision,
                ..scene.request()
            })
            .await,
    );
    expect![[r#"
        git repository is empty (push a commit to 'https://git.example/shop')
        failed to checkout and determine revision: unable to clone: remote repository is empty: git repository: 'https://git.example/shop' (push a commit and a tag)
        failed to checkout and determine revision: unable to clone: remote repository is empty: git repository: 'https://git.example/shop' (push a commit and a tag)
        failed to checkout and determine revision: unable to list remote for 'https://git.example/shop': remote repository is empty (push a commit)
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': couldn't find remote ref "refs/heads/main" (the remote has these branches: other)"#]].assert_eq(&anonymous(&outcomes.join("
")));
}

#[tokio::test]
async fn credentials_open_what_is_closed() {
    if !git_is_present("git credentials") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a", "1")], "one");
    let secret = |text: &str| Redacted::new(text.to_owned());
    let basic = |password: &str| Credentials::Basic {
        username: "git".to_owned(),
        password: secret(password),
    };
    let with = |credentials: Credentials| GitRequest {
        credentials,
        ..scene.request()
    };
    scene
        .server
        .require(Access::Basic("git".to_owned(), "s3cr3t/%".to_owned()));
    scene.fetched(with(basic("s3cr3t/%"))).await;
    let mut in_url = scene.request();
    in_url.url = in_url.url.replace("://", "://git:s3cr3t%2F%25@");
    scene.fetched(in_url.clone()).await;
    let mut outcomes = vec![
        scene.failure(scene.request()).await,
        scene.failure(with(basic("n0t-it"))).await,
        scene
            .failure(GitRequest {
                credentials: Credentials::Bearer(secret("t")),
                ..in_url
            })
            .await,
    ];
    scene.server.require(Access::Bearer("t0ken".to_owned()));
    scene.fetched(with(Credentials::Bearer(secret("t0ken")))).await;
    outcomes.push(
        scene
            .failure(with(Credentials::Bearer(secret("line\nbreak"))))
            .await,
    );
    expect![[r#"
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': authentication required: the server answered 401 Unauthorized (name a Secret with username and password, or bearerToken, in spec.secretRef)
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': authentication required: the server answered 401 Unauthorized to these credentials (check the Secret of spec.secretRef: the password or token is wrong or has expired)
        failed to configure authentication options: basic auth and bearer token cannot be set at the same time
        failed to configure authentication options: the credentials hold characters that HTTP cannot carry"#]].assert_eq(&anonymous(&outcomes.join("
")));
    assert!(
        outcomes
            .iter()
            .all(|text| !text.contains("n0t-it") && !text.contains("s3cr3t")),
        "{outcomes:?}"
    );
}

/// N23.
#[tokio::test]
async fn https_trusts_the_authority_it_is_given_and_no_other() {
    if !git_is_present("git over https") {
        return;
    }
    let (authority, stranger) = (Authority::new(), Authority::new());
    let scene = Scene::with(|root| GitServer::start_tls(root, &authority), Limits::default());
    scene.repository.commit([("a", "1")], "one");
    let with = |tls: Tls| GitRequest {
        tls,
        ..scene.request()
    };
    let trusting = |authority: &Authority| Tls {
        ca: Some(authority.pem().into_bytes()),
        identity: None,
    };
    scene.fetched(with(trusting(&authority))).await;
    let other_name = scene.server.url("shop").replace("localhost", "127.0.0.1");
    let outcomes = [
        scene.failure(scene.request()).await,
        scene.failure(with(trusting(&stranger))).await,
        scene
            .failure(GitRequest {
                url: other_name,
                ..with(trusting(&authority))
            })
            .await
            .replace(
                &scene.server.url("").replace("localhost", "127.0.0.1"),
                "https://127.0.0.1/",
            ),
        scene
            .failure(with(Tls {
                ca: Some(b"not PEM".to_vec()),
                identity: None,
            }))
            .await,
    ];
    expect![[r#"
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': tls: failed to verify certificate: x509: certificate signed by unknown authority (put the authority's certificate under 'ca.crt' into the Secret of spec.secretRef)
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': tls: failed to verify certificate: x509: certificate signed by unknown authority (put the authority's certificate under 'ca.crt' into the Secret of spec.secretRef)
        failed to checkout and determine revision: unable to clone 'https://127.0.0.1/shop': tls: failed to verify certificate: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("localhost") (the server's certificate is not one for this host and time)
        failed to configure authentication options: failed to parse CA certificate"#]].assert_eq(&anonymous(&outcomes.join("
")));

    let mutual = Scene::with(
        |root| GitServer::start_mutual_tls(root, &authority),
        Limits::default(),
    );
    mutual.repository.commit([("a", "1")], "one");
    let (certificate, key) = authority.issue("client");
    let identity = Some((certificate.into_bytes(), Redacted::new(key.into_bytes())));
    let tls = Tls {
        identity,
        ..trusting(&authority)
    };
    mutual
        .fetched(GitRequest {
            tls,
            ..mutual.request()
        })
        .await;
    let refused = mutual
        .fetch(GitRequest {
            tls: trusting(&authority),
            ..mutual.request()
        })
        .await;
    assert!(matches!(refused, Err(Error::Unreachable { .. })), "{refused:?}");
}

/// N24.
#[tokio::test]
async fn a_redirect_takes_no_credentials_along() {
    if !git_is_present("git redirects") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a", "1")], "one");
    let elsewhere = GitServer::start(scene.root.path());
    let credentials = Credentials::Basic {
        username: "git".to_owned(),
        password: Redacted::new("p".to_owned()),
    };
    let request = || GitRequest {
        credentials: credentials.clone(),
        ..scene.request()
    };
    for status in [301, 302, 307, 308] {
        scene
            .server
            .misbehave(Fault::Redirect(status, elsewhere.url("shop")));
        elsewhere.take_seen();
        scene
            .fetched(GitRequest {
                timeout: Duration::from_secs(u64::from(status)),
                ..request()
            })
            .await;
        let seen = elsewhere.take_seen();
        assert!(
            !seen.is_empty() && seen.iter().all(|seen| seen.authorization.is_none()),
            "{status}: {seen:?}"
        );
    }
    // To another path of the same origin they do go along.
    scene.server.misbehave(Fault::None);
    let moved = Repository::init(&scene.root.path().join("moved"));
    moved.commit([("b", "1")], "one");
    scene
        .server
        .require(Access::Basic("git".to_owned(), "p".to_owned()));
    assert_eq!(
        paths(
            &scene
                .fetched(GitRequest {
                    url: scene.server.url("moved"),
                    ..request()
                })
                .await
                .tree
        ),
        ["/b"]
    );
    scene.server.require(Access::Open);
    let mut outcomes = Vec::new();
    for target in [
        scene.server.url("shop"),
        "ftp://localhost/shop".to_owned(),
        "file:///etc".to_owned(),
    ] {
        scene.server.misbehave(Fault::Redirect(302, target));
        outcomes.push(scene.failure(request()).await);
    }
    expect![[r#"
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': refused to follow a redirect more than 5 times (put the final address into spec.url)
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': refused to follow a redirect from https://git.example/shop/info/refs to ftp://localhost/shop/info/refs (put the final address into spec.url)
        failed to checkout and determine revision: unable to clone 'https://git.example/shop': refused to follow a redirect from https://git.example/shop/info/refs to file:///etc/info/refs (put the final address into spec.url)"#]].assert_eq(&anonymous(&outcomes.join("
")));
}

/// N32, N33, R14, R15.
#[tokio::test]
async fn lying_and_dying_servers_are_errors_and_what_was_good_stays() {
    if !git_is_present("git faults") {
        return;
    }
    let limits = Limits {
        refs_size_max: 1 << 20,
        pack_size_max: 1 << 20,
        pack_objects_max: 1000,
        ..Limits::default()
    };
    let scene = Scene::with(GitServer::start, limits);
    let first = scene
        .repository
        .commit([("a", "1"), ("b", "text\n".repeat(5000).as_str())], "one");
    let good = scene.fetched(scene.request()).await;
    let artifact = scene.archive(&good, None).unwrap();
    let second = scene
        .repository
        .commit([("a", "2"), ("c", "more\n".repeat(3000).as_str())], "two");
    let hanging = [Fault::HangAtOnce, Fault::HangAfterRefs, Fault::SlowPack];
    let faults = [
        Fault::CutPack(10),
        Fault::CutPack(100),
        Fault::ShortPack(100),
        Fault::FlipPackByte(-1),
        Fault::FlipPackByte(-30),
        Fault::FlipPackByte(2),
        Fault::FlipPackByte(14),
        Fault::ClaimObjects(500),
        Fault::ClaimObjects(u32::MAX),
        Fault::Status(500),
        Fault::Status(403),
        Fault::Status(404),
        Fault::Status(410),
        Fault::WebPage,
        Fault::ReplaceInRefs(second.clone(), "1".repeat(40)),
        Fault::EndlessRefs,
        Fault::EndlessPack,
    ];
    let mut outcomes = String::new();
    for fault in hanging.into_iter().chain(faults) {
        scene.server.misbehave(fault.clone());
        let is_hanging = matches!(fault, Fault::HangAtOnce | Fault::HangAfterRefs | Fault::SlowPack);
        let timeout = if is_hanging {
            Duration::from_secs(1)
        } else {
            Duration::from_secs(20)
        };
        let last_revision = Some(good.revision.to_string());
        let text = scene
            .failure(GitRequest {
                timeout,
                last_revision,
                ..scene.request()
            })
            .await;
        let shown = format!("{fault:?}").replace(&second, "<second>");
        outcomes += &format!(
            "{shown}: {}\n",
            text.replace("https://git.example/shop", "URL")
                .replace(&second, "<second>")
        );
        assert_eq!(&*good.tree.read("/a").unwrap(), b"1", "{fault:?}");
        assert_eq!(
            scene.store.artifact(&artifact.path).as_ref(),
            Some(&artifact),
            "{fault:?}"
        );
    }
    expect![[r#"
        HangAtOnce: failed to checkout and determine revision: unable to list remote for 'URL': context deadline exceeded (the server did not finish within spec.timeout, 1 s)
        HangAfterRefs: failed to checkout and determine revision: unable to clone 'URL': context deadline exceeded (the server did not finish within spec.timeout, 1 s)
        SlowPack: failed to checkout and determine revision: unable to clone 'URL': context deadline exceeded (the server did not finish within spec.timeout, 1 s)
        CutPack(10): failed to checkout and determine revision: unable to clone 'URL': end of file before message length reached (the server is asked again with growing delay)
        CutPack(100): failed to checkout and determine revision: unable to clone 'URL': end of file before message length reached (the server is asked again with growing delay)
        ShortPack(100): failed to checkout and determine revision: unable to clone 'URL': the pack was cut short: failed to fill whole buffer (nothing of it was kept; the last good artifact stays)
        FlipPackByte(-1): failed to checkout and determine revision: unable to clone 'URL': Failed to verify pack checksum in trailer: Hash was <hash>, but should have been <hash> (nothing of it was kept; the last good artifact stays)
        FlipPackByte(-30): failed to checkout and determine revision: unable to clone 'URL': An IO operation failed while streaming an entry: Invalid input data (nothing of it was kept; the last good artifact stays)
        FlipPackByte(2): failed to checkout and determine revision: unable to clone 'URL': Pack data type not recognized (nothing of it was kept; the last good artifact stays)
        FlipPackByte(14): failed to checkout and determine revision: unable to clone 'URL': An IO operation failed while streaming an entry: Invalid input data (nothing of it was kept; the last good artifact stays)
        ClaimObjects(500): failed to checkout and determine revision: unable to clone 'URL': An IO operation failed while streaming an entry: Invalid input data (nothing of it was kept; the last good artifact stays)
        ClaimObjects(4294967295): failed to checkout and determine revision: unable to clone 'URL': the pack has 4294967295 objects, more than the limit of 1000 (pack_objects_max) (nothing of it was kept; the last good artifact stays)
        Status(500): failed to checkout and determine revision: unable to list remote for 'URL': unexpected client error: unexpected requesting "URL/info/refs?service=git-upload-pack" status code: 500 (the server has a problem; it is asked again with growing delay)
        Status(403): failed to checkout and determine revision: unable to list remote for 'URL': authorization failed: the server answered 403 Forbidden (give these credentials the right to read the repository)
        Status(404): failed to checkout and determine revision: unable to list remote for 'URL': repository not found: the server answered 404 Not Found (check spec.url, and spec.secretRef: servers hide private repositories like this)
        Status(410): failed to checkout and determine revision: unable to list remote for 'URL': repository not found: the server answered 410 Gone (check spec.url: the repository was there, and was moved or removed)
        WebPage: failed to checkout and determine revision: unable to list remote for 'URL': the server does not speak Git's smart HTTP protocol (check spec.url: it must be what `git clone` takes, not the address of a web page)
        ReplaceInRefs("<second>", "<hash>"): failed to checkout and determine revision: unable to clone 'URL': the server refused: upload-pack: not our ref <hash> (nothing of it was kept; the last good artifact stays)
        EndlessRefs: failed to checkout and determine revision: unable to list remote for 'URL': the list of references exceeds the limit of 1048576 bytes (refs_size_max) (nothing of it was kept; the last good artifact stays)
        EndlessPack: failed to checkout and determine revision: unable to clone 'URL': the pack exceeds the limit of 1048576 bytes (pack_size_max) (nothing of it was kept; the last good artifact stays)
    "#]].assert_eq(&anonymous(&outcomes));
    scene.server.misbehave(Fault::None);
    let healed = scene.fetched(scene.request()).await;
    assert_eq!(healed.commit(), second);
    assert_ne!(first, second);
    let is_leftover = |path: &String| {
        ["/.tmp", "/tmp_", "artifacts/tmp/", ".keep", ".lock"]
            .iter()
            .any(|part| path.contains(part))
    };
    let home = scene.home.path().display().to_string();
    let leftovers = walk_files(scene.home.path())
        .into_iter()
        .map(|path| path.replace(&home, ""))
        .filter(is_leftover);
    assert_eq!(
        leftovers.collect::<Vec<_>>(),
        Vec::<String>::new(),
        "temporary files go"
    );
}

/// A changed byte anywhere in the checksum of a pack is noticed, on a clone and on an update (N33, R14, R15).
#[tokio::test]
async fn no_byte_of_a_packs_checksum_may_differ() {
    if !git_is_present("checksums of packs") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a", "1")], "one");
    for position in 1..=20 {
        scene.server.misbehave(Fault::FlipPackByte(-position));
        let text = scene.failure(scene.request()).await;
        assert!(
            text.contains("Failed to verify pack checksum"),
            "{position}: {text}"
        );
    }
    scene.server.misbehave(Fault::None);
    scene.fetched(scene.request()).await;
}

fn walk_files(directory: &std::path::Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk_files(&path))
        } else {
            files.push(path.display().to_string())
        }
    }
    files
}

/// R16.
#[tokio::test]
async fn an_old_server_that_gives_branches_only_still_gives_their_commits() {
    if !git_is_present("git commits of old servers") {
        return;
    }
    let scene = Scene::new();
    let one = scene.repository.commit([("a", "1")], "one");
    scene.repository.commit([("a", "2")], "two");
    scene.repository.git(&["config", "protocol.version", "0"]);
    let reference = Reference {
        commit: Some(one.clone()),
        ..Reference::default()
    };
    assert_eq!(
        &*scene
            .fetched(GitRequest {
                reference,
                ..scene.request()
            })
            .await
            .tree
            .read("/a")
            .unwrap(),
        b"1"
    );
}

/// N31, N32.
#[tokio::test]
async fn hostile_trees_are_refused() {
    if !git_is_present("hostile git trees") {
        return;
    }
    let tree = TreeLimits {
        entries_max: 10_000,
        ..TreeLimits::default()
    };
    let scene = Scene::with(
        GitServer::start,
        Limits {
            tree,
            ..Limits::default()
        },
    );
    scene.repository.commit([("a", "1")], "one");
    let blob = scene
        .repository
        .git_with_input(&["hash-object", "-w", "--stdin"], b"evil");
    let link = scene
        .repository
        .git_with_input(&["hash-object", "-w", "--stdin"], b"/etc/passwd");
    let entry = |mode: &str, name: &str, id: &str| Repository::raw_entry(mode, name.as_bytes(), id);
    let inner = scene.repository.git_with_input(
        &["hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
        &entry("100644", "..", &blob),
    );
    let file = |name: &str| entry("100644", name, &blob);
    let mut bomb = blob.clone();
    for level in 0..10 {
        let mode = if level == 0 { "100644" } else { "40000" };
        let tree: Vec<u8> = (0..10)
            .flat_map(|name| entry(mode, &name.to_string(), &bomb))
            .collect();
        bomb = scene.repository.git_with_input(
            &["hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
            &tree,
        );
    }
    let cache = format!("100644,{blob},{}f", "d/".repeat(200));
    scene
        .repository
        .git(&["update-index", "--add", "--cacheinfo", &cache]);
    let deep = scene.repository.git(&["write-tree"]);
    let rows: Vec<(&str, Vec<u8>)> = vec![
        (".git", file(".git")),
        (".GIT", file(".GIT")),
        ("git~1", file("git~1")),
        (".git with an ignorable letter", file(".g\u{200c}it")),
        ("..", file("..")),
        (".", file(".")),
        ("slash", file("a/b")),
        ("absolute", file("/etc")),
        ("backslash", file("..\\b")),
        ("empty name", file("")),
        ("twice", [file("a"), file("a")].concat()),
        (
            "link and directory of one name",
            [entry("120000", "a", &link), entry("40000", "a", &inner)].concat(),
        ),
        (".. below", entry("40000", "sub", &inner)),
        ("a file that is a tree", entry("100644", "a", &inner)),
        ("a tree that is a file", entry("40000", "a", &blob)),
        ("cut short", file("a")[..10].to_vec()),
        ("bomb", entry("40000", "b", &bomb)),
        ("deep", entry("40000", "d", &deep)),
        ("link only", entry("120000", "link", &link)),
        ("odd but harmless", [file("aux.yaml"), file("con")].concat()),
    ];
    let mut outcomes = String::new();
    for (what, tree) in rows {
        scene.repository.commit_raw_tree(&tree);
        let outcome = match scene.fetch(scene.request()).await {
            Ok(Outcome::Fetched(fetched)) => match scene.archive(&fetched, None) {
                Ok(artifact) => paths(&scene.store.tree(&artifact.path).unwrap()).join(" "),
                Err(error) => error.to_string(),
            },
            Ok(Outcome::Unchanged(_)) => "unchanged".to_owned(),
            Err(error) => error
                .to_string()
                .replace(&scene.server.url(""), "https://git.example/"),
        };
        outcomes += &format!("{what}: {outcome}\n");
    }
    expect![[r#"
        .git: failed to checkout and determine revision: directory '/' of the commit is refused: entry '.git' has a name that is not allowed: The .git name may never be used
        .GIT: failed to checkout and determine revision: directory '/' of the commit is refused: entry '.GIT' has a name that is not allowed: The .git name may never be used
        git~1: failed to checkout and determine revision: directory '/' of the commit is refused: entry 'git~1' has a name that is not allowed: The .git name may never be used
        .git with an ignorable letter: failed to checkout and determine revision: directory '/' of the commit is refused: entry '.g\u{200c}it' has a name that is not allowed: The .git name may never be used
        ..: failed to checkout and determine revision: directory '/' of the commit is refused: entry '..' has a name that is not allowed: Relative components '.' and '..' are disallowed
        .: failed to checkout and determine revision: directory '/' of the commit is refused: entry '.' has a name that is not allowed: Relative components '.' and '..' are disallowed
        slash: failed to checkout and determine revision: directory '/' of the commit is refused: entry 'a/b' has a name that is not allowed: Path separators like / or \ are not allowed
        absolute: failed to checkout and determine revision: directory '/' of the commit is refused: entry '/etc' has a name that is not allowed: Path separators like / or \ are not allowed
        backslash: failed to checkout and determine revision: directory '/' of the commit is refused: entry '..\\b' has a name that is not allowed: it holds a backslash
        empty name: failed to checkout and determine revision: unable to clone 'https://git.example/shop': the pack was cut short: failed to fill whole buffer (nothing of it was kept; the last good artifact stays)
        twice: failed to checkout and determine revision: directory '/' of the commit is refused: entry 'a' appears twice
        link and directory of one name: failed to checkout and determine revision: directory '/' of the commit is refused: entry 'a' appears twice
        .. below: failed to checkout and determine revision: directory '/sub' of the commit is refused: entry '..' has a name that is not allowed: Relative components '.' and '..' are disallowed
        a file that is a tree: failed to checkout and determine revision: object <hash> is a tree, not a blob
        a tree that is a file: failed to checkout and determine revision: unable to clone 'https://git.example/shop': the pack was cut short: failed to fill whole buffer (nothing of it was kept; the last good artifact stays)
        cut short: failed to checkout and determine revision: unable to clone 'https://git.example/shop': the pack was cut short: failed to fill whole buffer (nothing of it was kept; the last good artifact stays)
        bomb: failed to checkout and determine revision: the commit is refused: its number of files exceeds the limit of 10000 (entries_max)
        deep: failed to checkout and determine revision: the commit is refused: its depth exceeds the limit of 128 (depth_max)
        link only: 
        odd but harmless: /aux.yaml /con
    "#]].assert_eq(&anonymous(&outcomes));
}

/// N12.
#[tokio::test]
async fn links_of_every_kind_are_dropped() {
    if !git_is_present("links in git trees") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a", "1"), ("dir/b", "2")], "one");
    let targets = [
        ("file", "a"),
        ("directory", "dir"),
        ("chain", "file"),
        ("loop", "loop"),
        ("absolute", "/etc/passwd"),
        ("up", "../../../etc/passwd"),
        ("proc", "/proc/self/environ"),
        ("token", "/var/run/secrets/kubernetes.io/serviceaccount/token"),
    ];
    for (name, target) in targets {
        let hash = ["hash-object", "-w", "--stdin"];
        let blob = scene.repository.git_with_input(&hash, target.as_bytes());
        let entry = format!("120000,{blob},{name}");
        scene
            .repository
            .git(&["update-index", "--add", "--cacheinfo", &entry]);
        let below = format!("120000,{blob},dir/{name}");
        scene
            .repository
            .git(&["update-index", "--add", "--cacheinfo", &below]);
    }
    scene.repository.git(&["commit", "--quiet", "--message", "links"]);
    let fetched = scene.fetched(scene.request()).await;
    let artifact = scene.archive(&fetched, None).unwrap();
    let tree = scene.store.tree(&artifact.path).unwrap();
    assert_eq!(paths(&tree), ["/a", "/dir/b"]);
    for (name, _) in targets {
        assert_eq!(tree.read(&format!("/{name}")), Err(TreeError::NotFound), "{name}");
        assert_eq!(
            tree.read(&format!("/dir/{name}")),
            Err(TreeError::NotFound),
            "{name}"
        );
    }
}

#[tokio::test]
async fn many_sources_of_one_remote_share_one_look() {
    if !git_is_present("shared git fetches") {
        return;
    }
    let scene = Arc::new(Scene::new());
    scene.repository.commit([("a", "1")], "one");
    let fetches = (0..20).map(|_| scene.fetch(scene.request()));
    for outcome in futures::future::join_all(fetches).await {
        assert!(matches!(outcome, Ok(Outcome::Fetched(_))), "{outcome:?}");
    }
    let posts = scene
        .server
        .take_seen()
        .into_iter()
        .filter(|seen| seen.method == "POST")
        .count();
    assert_eq!(posts, 2, "one list, one pack");
    // A failure is shared too: twenty sources do not wait for twenty timeouts.
    scene.server.misbehave(Fault::Status(503));
    let fetches = (0..20).map(|_| scene.fetch(scene.request()));
    assert!(
        futures::future::join_all(fetches)
            .await
            .iter()
            .all(Result::is_err)
    );
    assert_eq!(scene.server.take_seen().len(), 1);
}

#[tokio::test]
async fn the_store_survives_restarts_and_is_made_anew_when_damaged() {
    if !git_is_present("git stores") {
        return;
    }
    let scene = Scene::new();
    scene
        .repository
        .commit([("a", "1"), ("b", "text\n".repeat(500).as_str())], "one");
    scene.fetched(scene.request()).await;
    let home = scene.home.path().join("git");
    let restarted = GitFetcher::new(&home, Limits::default(), LocalAccess::Denied, Addresses::any()).unwrap();
    scene.server.take_seen();
    assert!(matches!(
        restarted.fetch(scene.request()).await,
        Ok(Outcome::Fetched(_))
    ));
    assert_eq!(
        scene.server.take_seen().len(),
        2,
        "the commit was here already: no pack is asked for"
    );
    // The disk loses the pack behind our back; the next fetch counts on it in vain and starts anew.
    for path in walk_files(&home) {
        if path.ends_with(".pack") {
            fs::remove_file(&path).unwrap();
            fs::write(path, b"PACKgarbage").unwrap();
        }
    }
    let second = scene.repository.commit([("a", "2")], "two");
    let restarted = GitFetcher::new(&home, Limits::default(), LocalAccess::Denied, Addresses::any()).unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        match restarted.fetch(scene.request()).await {
            Ok(Outcome::Fetched(fetched)) => {
                assert_eq!(fetched.commit(), second);
                outcomes.push(
                    scene
                        .archive(&fetched, None)
                        .map(|artifact| paths(&scene.store.tree(&artifact.path).unwrap())),
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        outcomes[0]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("cannot be read"),
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes[1].as_ref().unwrap(),
        &["/a", "/b"],
        "the second attempt is whole"
    );
}

/// R19: the commit that is asked for is the one that was lost, and the store says that it has it.
#[tokio::test]
async fn a_commit_that_the_disk_lost_is_fetched_again() {
    if !git_is_present("git lost commits") {
        return;
    }
    let scene = Scene::new();
    let commit = scene.repository.commit([("a", "1")], "one");
    scene.fetched(scene.request()).await;
    let home = scene.home.path().join("git");
    let lose = || {
        for path in walk_files(&home) {
            if path.ends_with(".pack") {
                fs::remove_file(&path).unwrap();
                fs::write(path, b"PACKgarbage").unwrap();
            }
        }
    };
    let pinned = Reference {
        commit: Some(commit.clone()),
        ..branch("main")
    };
    for reference in [branch("main"), pinned] {
        lose();
        let restarted =
            GitFetcher::new(&home, Limits::default(), LocalAccess::Denied, Addresses::any()).unwrap();
        let request = GitRequest {
            reference,
            ..scene.request()
        };
        let Ok(Outcome::Fetched(fetched)) = restarted.fetch(request).await else {
            panic!("the commit is there again")
        };
        assert_eq!(fetched.commit(), commit);
        assert_eq!(&*fetched.tree.read("/a").unwrap(), b"1");
    }
}

#[tokio::test]
async fn urls_that_cannot_be_used_are_refused_before_anything_is_done() {
    let home = tempfile::tempdir().unwrap();
    let fetcher = GitFetcher::new(
        home.path(),
        Limits::default(),
        LocalAccess::Denied,
        Addresses::any(),
    )
    .unwrap();
    let mut outcomes = String::new();
    for url in [
        "",
        "shop",
        "/etc",
        "file:///etc",
        "ssh://git@github.com/org/repo",
        "ssh://-oProxyCommand=touch%20pwned/x",
        "git://host/x",
        "ext::sh -c touch% pwned",
        "https://user:p4ss@",
        "http://",
    ] {
        let request = GitRequest {
            url: url.to_owned(),
            reference: Reference::default(),
            credentials: Credentials::None,
            tls: Tls::default(),
            proxy: None,
            timeout: Duration::from_secs(1),
            last_revision: None,
            identity: None,
            ssh: None,
            recurse_submodules: false,
        };
        outcomes += &format!("{url}: {}\n", fetcher.fetch(request).await.unwrap_err());
    }
    expect![[r#"
        : failed to parse url '': relative URL without a base; it must be an http, https or ssh URL
        shop: failed to parse url 'shop': relative URL without a base; it must be an http, https or ssh URL
        /etc: failed to parse url '/etc': relative URL without a base; it must be an http, https or ssh URL
        file:///etc: failed to parse url 'file:///etc': file URLs are for `sluice dev` only; use http, https or ssh
        ssh://git@github.com/org/repo: failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required
        ssh://-oProxyCommand=touch%20pwned/x: failed to parse url 'ssh://-oProxyCommand=touch%20pwned/x': it has no host, or one with characters that no host has
        git://host/x: failed to parse url 'git://host/x': scheme 'git' is not supported; use http, https or ssh
        ext::sh -c touch% pwned: failed to parse url 'ext::sh -c touch% pwned': scheme 'ext' is not supported; use http, https or ssh
        https://user:p4ss@: failed to parse url '<redacted>': empty host; it must be an http, https or ssh URL
        http://: failed to parse url 'http://': empty host; it must be an http, https or ssh URL
    "#]].assert_eq(&anonymous(&outcomes));
}

#[tokio::test]
async fn in_development_a_directory_is_a_remote_and_is_left_alone() {
    if !git_is_present("local git repositories") {
        return;
    }
    let scene = Scene::new();
    let commit = scene.repository.commit([("a", "1"), ("d/b", "2")], "one");
    fs::write(scene.repository.directory().join("uncommitted"), "x").unwrap();
    let before = walk_files(scene.repository.directory());
    let home = tempfile::tempdir().unwrap();
    let fetcher = GitFetcher::new(
        home.path(),
        Limits::default(),
        LocalAccess::Allowed,
        Addresses::any(),
    )
    .unwrap();
    let directory = scene.repository.directory().display().to_string();
    for url in [
        directory.clone(),
        format!("file://{directory}"),
        format!("{directory}/.git"),
    ] {
        let request = GitRequest {
            url,
            reference: Reference::default(),
            ..scene.request()
        };
        let Ok(Outcome::Fetched(fetched)) = fetcher.fetch(request).await else {
            panic!("must be fetched")
        };
        assert_eq!(
            fetched.revision.to_string(),
            format!("main@sha1:{commit}"),
            "the branch that is checked out"
        );
        assert_eq!(paths(&fetched.tree), ["/a", "/d/b"], "what counts is committed");
        assert_eq!(scene.archived(&fetched, None), ["/a", "/d/b"]);
    }
    let mut after = walk_files(scene.repository.directory());
    let mut before = before;
    (before.sort(), after.sort());
    assert_eq!(before, after);
    let again = GitRequest {
        url: directory.clone(),
        last_revision: Some(format!("main@sha1:{commit}")),
        reference: Reference::default(),
        ..scene.request()
    };
    assert!(matches!(fetcher.fetch(again).await, Ok(Outcome::Unchanged(_))));
    let request = GitRequest {
        url: directory,
        reference: branch("nope"),
        ..scene.request()
    };
    let error = fetcher.fetch(request).await.unwrap_err().to_string();
    assert!(error.contains("the remote has these branches: main"), "{error}");
}

#[tokio::test]
async fn a_git_tree_answers_as_every_other_tree() {
    if !git_is_present("git trees") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit(
        [("a", "1"), ("a-b", "22"), ("d/b", ""), ("d/e/f", "x"), ("é", "y")],
        "one",
    );
    let fetched = scene.fetched(scene.request()).await;
    let artifact = scene.archive(&fetched, None).unwrap();
    let stored = scene.store.tree(&artifact.path).unwrap();
    for path in [
        "/", "/a", "/a-b", "/d", "/d/e", "/d/e/f", "/none", "/a/x", "/é", "", "/d/",
    ] {
        let tree = &fetched.tree;
        assert_eq!(tree.read(path), stored.read(path), "{path}");
        assert_eq!(tree.read_dir(path), stored.read_dir(path), "{path}");
        assert_eq!(tree.walk(path), stored.walk(path), "{path}");
        assert_eq!(
            tree.answer_digest(Question::Read, path),
            answer::of_read(&stored.read(path)),
            "{path}"
        );
        assert_eq!(
            tree.answer_digest(Question::ReadDir, path),
            answer::of_read_dir(&stored.read_dir(path)),
            "{path}"
        );
        assert_eq!(
            tree.answer_digest(Question::Walk, path),
            answer::of_walk(path, &stored.walk(path)),
            "{path}"
        );
    }
}

/// Hashes depend on the clock of the commits, which all tests share.
fn anonymous(text: &str) -> String {
    let is_hash = |part: &str| part.len() == 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let shown = parts.map(|part| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_hash(word) {
            part.replace(word, "<hash>")
        } else {
            part.to_owned()
        }
    });
    shown.collect()
}
