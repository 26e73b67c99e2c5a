//! `sluice build|push|pull|tag|diff artifact` and `list artifacts`, against a registry on this machine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests fail as tests do

use crate::support::SLUICE;
use sluice_artifact::Tree as _;
use sluice_artifact::unpack::{Limits, unpack};
use sluice_testkit::registry::{Access, Fault, Registry};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Exit code, and what was printed on both ways, without names of this machine.
fn sluice(home: &Path, registry: &Registry, args: &[&str]) -> String {
    reading(home, registry, args, "")
}

/// The same with something on standard input.
fn reading(home: &Path, registry: &Registry, args: &[&str], input: &str) -> String {
    let mut running = Command::new(SLUICE)
        .args(args)
        .env("HOME", home)
        .env_remove("DOCKER_CONFIG")
        .env_remove("KUBECONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _not_read = running.stdin.take().unwrap().write_all(input.as_bytes());
    let output = running.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let text = text.concat().replace(&registry.host(), "registry.example");
    let text = text.replace(home.to_str().unwrap(), "/home");
    format!("{}\n{text}", output.status.code().unwrap())
}

#[test]
fn what_is_pushed_is_listed_tagged_and_pulled() {
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    registry.require(Access::Basic("me".to_owned(), "secret".to_owned()));
    let files = home.path().join("files");
    for (path, text) in [
        ("a.yaml", "a: 1"),
        ("deep/b.yaml", "b: 2"),
        ("logo.png", "x"),
        (".git/HEAD", "x"),
    ] {
        let path = files.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let url = registry.url("org/app");
    let (files, version) = (files.to_str().unwrap().to_owned(), format!("{url}:1.0.0"));
    let push = [
        "push",
        "artifact",
        &version,
        "-f",
        &files,
        "--source",
        "https://git.example/app",
        "--revision",
        "main@sha1:0123",
        "--reproducible",
    ];
    let denied = sluice(home.path(), &registry, &push);
    assert!(denied.starts_with("1\n"), "{denied}");
    assert!(
        denied.contains("UNAUTHORIZED: authentication required"),
        "{denied}"
    );

    // Who we are comes from a flag, or from Docker's file.
    let pushed = sluice(
        home.path(),
        &registry,
        &[&push[..], &["--creds", "me:secret"]].concat(),
    );
    assert!(pushed.starts_with("0\n"), "{pushed}");
    assert!(!pushed.contains("secret"), "{pushed}");
    let config = format!(
        r#"{{"auths":{{"{}":{{"auth":"bWU6c2VjcmV0"}}}}}}"#,
        registry.host()
    );
    fs::create_dir(home.path().join(".docker")).unwrap();
    fs::write(home.path().join(".docker/config.json"), config).unwrap();
    let again = sluice(home.path(), &registry, &push);
    // equal files, equal digest
    let digest = again.rsplit("@").next().unwrap().trim();
    let told = format!(
        "► pushing artifact to registry.example/org/app:1.0.0\n✔ artifact successfully pushed to registry.example/org/app@{digest}\n"
    );
    assert_eq!(again, format!("0\n{told}"));
    assert_eq!(
        pushed,
        format!("0\n► logging in to registry with credentials\n{told}")
    );

    let json = sluice(home.path(), &registry, &[&push[..], &["-o", "json"]].concat());
    assert_eq!(
        json,
        format!(
            "0\n{{\n  \"url\": \"oci://registry.example/org/app@{digest}\",\n  \"repository\": \"registry.example/org/app\",\n  \"tag\": \"1.0.0\",\n  \"digest\": \"{digest}\"\n}}\n"
        )
    );

    let tag = sluice(
        home.path(),
        &registry,
        &["tag", "artifact", &version, "--tag", "stable,1.1.0"],
    );
    assert_eq!(
        tag,
        "0\n► tagging artifact\n✔ artifact tagged as registry.example/org/app:stable\n✔ artifact tagged as registry.example/org/app:1.1.0\n"
    );
    let list = |more: &[&str]| {
        sluice(
            home.path(),
            &registry,
            &[&["list", "artifacts", &url], more].concat(),
        )
    };
    let all = list(&[]);
    let rows: Vec<Vec<&str>> = all
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["ARTIFACT", "DIGEST", "SOURCE", "REVISION"]);
    let names: Vec<&str> = rows[1..]
        .iter()
        .map(|row| row[0].rsplit(':').next().unwrap())
        .collect();
    assert_eq!(names, ["stable", "1.1.0", "1.0.0"]);
    assert_eq!(
        rows[1][1..],
        [digest, "https://git.example/app", "main@sha1:0123"]
    );
    assert_eq!(list(&["--filter-semver", ">1.0.0"]).lines().count(), 3);
    assert_eq!(list(&["--filter-regex", "^st"]).lines().count(), 3);

    let out = home.path().join("out");
    let pull = [
        "pull",
        "artifact",
        &format!("{url}:stable"),
        "-o",
        out.to_str().unwrap(),
    ];
    let missing = sluice(home.path(), &registry, &pull);
    assert!(
        missing.starts_with("1\n") && missing.contains("invalid output path"),
        "{missing}"
    );
    fs::create_dir(&out).unwrap();
    assert_eq!(
        sluice(home.path(), &registry, &pull),
        format!(
            "0\n► pulling artifact from registry.example/org/app:stable\n✔ source https://git.example/app\n✔ revision main@sha1:0123\n✔ digest registry.example/org/app@{digest}\n✔ artifact content extracted to /home/out\n"
        )
    );
    assert_eq!(fs::read_to_string(out.join("a.yaml")).unwrap(), "a: 1");
    assert_eq!(fs::read_to_string(out.join("deep/b.yaml")).unwrap(), "b: 2");
    assert!(!out.join("logo.png").exists() && !out.join(".git").exists());
}

#[cfg(unix)]
#[test]
fn a_login_comes_from_the_helper_that_dockers_file_names() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    registry.require(Access::Basic("me".to_owned(), "secret".to_owned()));
    fs::create_dir(home.path().join(".docker")).unwrap();
    let config = home.path().join(".docker/config.json");
    fs::write(&config, r#"{"credsStore": "test"}"#).unwrap();
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let helper = |script: &str| {
        let path = bin.join("docker-credential-test");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = std::env::var("PATH").unwrap();
    let list = |provider: &str| {
        let output = Command::new(SLUICE)
            .args([
                "list",
                "artifacts",
                &registry.url("org/app"),
                "--provider",
                provider,
            ])
            .env("HOME", home.path())
            .env("PATH", format!("{}:{path}", bin.display()))
            .env_remove("DOCKER_CONFIG")
            .output()
            .unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let missing = list("generic");
    assert!(
        missing.contains("docker-credential-test of the docker config (install it, or use --creds)"),
        "{missing}"
    );
    helper("echo credentials not found in native keychain; exit 1");
    let unknown = list("generic");
    assert!(
        unknown.contains("UNAUTHORIZED: authentication required"),
        "{unknown}"
    );
    helper("echo the keychain is locked; exit 1");
    let locked = list("generic");
    assert!(locked.contains("the keychain is locked"), "{locked}");
    let host = registry.host();
    helper(&format!(
        r#"[ "$1 $(cat)" = "get {host}" ] && echo '{{"ServerURL": "{host}", "Username": "me", "Secret": "secret"}}'"#
    ));
    // who we are is known now: what is missing is the repository
    let known = list("generic");
    assert!(
        !known.contains("UNAUTHORIZED") && !known.contains("secret"),
        "{known}"
    );
    // a cloud's login goes to its registries alone
    let elsewhere = list("aws");
    assert!(elsewhere.contains("invalid AWS registry"), "{elsewhere}");
}

#[test]
fn what_cannot_be_done_is_told_in_the_words_of_flux() {
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    let file = home.path().join("a.yaml");
    fs::write(&file, "a: 1").unwrap();
    let file = file.to_str().unwrap();
    let (url, version) = (registry.url("org/app"), registry.url("org/app:1.0.0"));
    let told = |args: &[&str], expected: &str| {
        let told = sluice(home.path(), &registry, args);
        assert!(told.starts_with(&format!("1\n{expected}")), "{args:?}: {told}");
    };
    let push = |url: &str, path: &str, more: &[&str], expected: &str| {
        let args = ["push", "artifact", url, "-f", path, "--source=s", "--revision=r"];
        told(&[&args[..], more].concat(), expected);
    };
    push(
        "https://registry.example/org/app",
        file,
        &[],
        "✗ URL must be in format 'oci://<domain>/<org>/<repo>'\n",
    );
    push(
        "oci://registry.example/Org/app:1",
        file,
        &[],
        "✗ 'oci://registry.example/Org/app:1' invalid URL: could not parse reference: registry.example/Org/app:1: repository can only contain the characters ",
    );
    push(
        &version,
        "/nowhere",
        &[],
        "✗ invalid path '/nowhere', must point to an existing directory or file: ",
    );
    for annotation in ["a=b=c", "a"] {
        let expected = format!("✗ invalid annotation {annotation}, must be in the format key=value\n");
        push(&version, file, &["-a", annotation], &expected);
    }
    push(
        &version,
        file,
        &["-a", "org.opencontainers.image.created=yesterday"],
        "✗ pushing artifact failed: invalid created timestamp \"yesterday\": ",
    );
    let list = |more: &[&str], expected: &str| {
        told(&[&["list", "artifacts"][..], more].concat(), expected);
    };
    list(
        &[&version],
        "✗ listing tags failed: parsing repo \"registry.example/org/app:1.0.0\": ",
    );
    list(
        &[&url, "--filter-semver", "newest"],
        "✗ semver 'newest' parse error: ",
    );
    list(
        &[&url, "--filter-regex", "["],
        "✗ regex '[' parse error: error parsing regexp: ",
    );
    told(
        &["tag", "artifact", &version, "--tag", "stable"],
        "► tagging artifact\n✗ tagging artifact failed: ",
    );
    // who names a cloud wants to be known there
    list(
        &[&url, "--provider", "aws", "--creds", "me:secret"],
        "► logging in to registry with provider credentials\n✗ error during login with provider: could not login to provider aws with url registry.example/org/app: invalid AWS registry: ",
    );
    registry.require(Access::Basic("me".to_owned(), "secret".to_owned()));
    list(&[&url], "✗ listing tags failed: ");
    list(
        &[&url, "--creds", "me:wrong"],
        "► logging in to registry with credentials\n✗ listing tags failed: ",
    );
}

#[cfg(unix)]
#[test]
fn what_is_built_is_what_is_pushed() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    let (files, out) = (home.path().join("files"), home.path().join("out.tgz"));
    fs::create_dir(&files).unwrap();
    for (name, text) in [("a.yaml", "a: 1"), ("logo.png", "x"), ("secret.txt", "x")] {
        fs::write(files.join(name), text).unwrap();
    }
    fs::write(home.path().join("b.yaml"), "b: 2").unwrap();
    symlink("../b.yaml", files.join("b.yaml")).unwrap();
    let (path, out_path) = (files.to_str().unwrap(), out.to_str().unwrap());
    let what = ["--add-ignore-paths=*.txt", "--resolve-symlinks"];
    let build = ["build", "artifact", "-p", path, "-o", out_path];
    let built = sluice(home.path(), &registry, &[&build[..], &what[..]].concat());
    assert_eq!(
        built,
        "0\n► building artifact from /home/files\n✔ artifact created at /home/out.tgz\n"
    );
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let names = |archive: &[u8]| {
        let files = unpack(archive, &Limits::default()).unwrap().walk("/").unwrap();
        files.into_iter().map(|file| file.path).collect::<Vec<_>>()
    };
    let archive = fs::read(&out).unwrap();
    assert_eq!(names(&archive), ["/a.yaml", "/b.yaml"]);

    let url = registry.url("org/app:1.0.0");
    let push = ["push", "artifact", &url, "--source=s", "--revision=r", "-f"];
    let push_path = [&push[..], &[path]].concat();
    let pushed = sluice(home.path(), &registry, &[&push_path[..], &what[..]].concat());
    assert!(pushed.starts_with("0\n"), "{pushed}");
    let layer = || {
        let manifest = registry.manifest("org/app", "1.0.0").unwrap();
        registry
            .blob(manifest["layers"][0]["digest"].as_str().unwrap())
            .unwrap()
    };
    assert!(layer() == archive, "{:?}", names(&layer()));

    // as Flux reads it: without the line breaks at the end
    let text = "c: 3\r\n\n";
    let build_read = ["build", "artifact", "-p", "-", "-o", out_path];
    let built = reading(home.path(), &registry, &build_read, text);
    assert!(built.starts_with("0\n► building artifact from -\n"), "{built}");
    let pushed = reading(home.path(), &registry, &[&push[..], &["-"]].concat(), text);
    assert!(pushed.starts_with("0\n"), "{pushed}");
    for archive in [fs::read(&out).unwrap(), layer()] {
        let tree = unpack(&*archive, &Limits::default()).unwrap();
        assert_eq!(&*tree.read("/stdin.yaml").unwrap(), b"c: 3");
    }

    // a link that leads nowhere is named, and nothing is written
    fs::remove_file(home.path().join("b.yaml")).unwrap();
    fs::remove_file(&out).unwrap();
    for (args, begun) in [
        (&build[..], "building artifact from /home/files"),
        (
            &push_path[..],
            "pushing artifact to registry.example/org/app:1.0.0",
        ),
    ] {
        let told = sluice(home.path(), &registry, &[args, &what[..]].concat());
        let expected =
            format!("1\n► {begun}\n✗ resolving symlinks failed: resolving symlink /home/files/b.yaml: ");
        assert!(told.starts_with(&expected), "{told}");
    }
    assert!(!out.exists());
}

#[test]
fn an_artifact_is_compared_by_its_files() {
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    let files = home.path().join("files");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("a.yaml"), "a: 1").unwrap();
    fs::write(files.join("logo.png"), "x").unwrap();
    let path = files.to_str().unwrap();
    let url = |tag: &str| registry.url(&format!("org/app:{tag}"));
    let push = [
        "push",
        "artifact",
        &url("ours"),
        "-f",
        path,
        "--source=s",
        "--revision=r",
    ];
    let pushed = sluice(home.path(), &registry, &push);
    assert!(pushed.starts_with("0\n"), "{pushed}");
    // another program packs the same files in another way
    registry.push("org/app", "theirs", &[("a.yaml", "a: 1")]);
    registry.push("org/app", "more", &[("a.yaml", "a: 1"), ("b.yaml", "b: 2")]);
    registry.push("org/app", "other", &[("a.yaml", "a: 2")]);
    let diff = |tag: &str, more: &[&str]| {
        let args = ["diff", "artifact", &url(tag), "--path", path];
        sluice(home.path(), &registry, &[&args[..], more].concat())
    };
    let (same, different) = (
        "0\n✔ no changes detected\n",
        "1\n✗ the remote artifact contents differs from the local one\n",
    );
    assert_eq!(diff("ours", &[]), same);
    assert_eq!(diff("theirs", &[]), same);
    assert_eq!(diff("more", &[]), different);
    assert_eq!(diff("other", &[]), different);
    assert_eq!(diff("ours", &["--ignore-paths=nothing"]), different);
    assert_eq!(diff("more", &["--add-ignore-paths=*.yaml"]), different);
    // nobody can say
    let missing = diff("missing", &[]);
    assert!(missing.starts_with("2\n✗ "), "{missing}");
}

#[test]
fn the_time_is_that_of_the_whole_command() {
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    let file = home.path().join("a.yaml");
    fs::write(&file, "a: 1").unwrap();
    let (file, out) = (file.to_str().unwrap(), home.path().to_str().unwrap());
    let (url, version) = (registry.url("org/app"), registry.url("org/app:1.0.0"));
    registry.misbehave(Fault::Hang);
    let push = [
        "push",
        "artifact",
        &version,
        "-f",
        file,
        "--source=s",
        "--revision=r",
    ];
    for (args, code, begun) in [
        (
            push.to_vec(),
            1,
            "► pushing artifact to registry.example/org/app:1.0.0\n",
        ),
        (
            vec!["pull", "artifact", &version, "-o", out],
            1,
            "► pulling artifact from registry.example/org/app:1.0.0\n",
        ),
        (
            vec!["tag", "artifact", &version, "--tag=stable"],
            1,
            "► tagging artifact\n",
        ),
        (vec!["list", "artifacts", &url], 1, ""),
        (vec!["diff", "artifact", &version, "--path", file], 2, ""),
    ] {
        let told = sluice(
            home.path(),
            &registry,
            &[&args[..], &["--timeout=300ms"]].concat(),
        );
        let late = "✗ context deadline exceeded: not done within 300ms; raise --timeout";
        assert_eq!(told, format!("{code}\n{begun}{late}\n"));
    }
}

/// Its end is not waited for: the file that it makes then is not there.
#[cfg(unix)]
#[test]
fn a_helper_that_does_not_answer_is_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    registry.require(Access::Basic("me".to_owned(), "secret".to_owned()));
    fs::create_dir(home.path().join(".docker")).unwrap();
    fs::write(
        home.path().join(".docker/config.json"),
        r#"{"credsStore": "slow"}"#,
    )
    .unwrap();
    let (helper, ended) = (
        home.path().join("docker-credential-slow"),
        home.path().join("ended"),
    );
    // it lets go of what this test reads
    let script = format!(
        "#!/bin/sh\nexec 2>/dev/null\nsleep 20\ntouch {}\n",
        ended.display()
    );
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let listed = Command::new(SLUICE)
        .args(["list", "artifacts", &registry.url("org/app"), "--timeout=300ms"])
        .env("HOME", home.path())
        .env("PATH", format!("{}:{path}", home.path().display()))
        .env_remove("DOCKER_CONFIG")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&listed.stderr);
    assert!(told.starts_with("✗ context deadline exceeded: "), "{told}");
    assert!(!ended.exists());
}

#[test]
fn what_cosign_keeps_beside_artifacts_is_not_listed() {
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    for tag in ["1.0.0", "sha256-0.sig", "sha256-0.att", "sha256-0.sbom"] {
        registry.push("org/app", tag, &[("a.yaml", "a: 1")]);
    }
    let args = ["list", "artifacts", &registry.url("org/app")];
    let listed = sluice(home.path(), &registry, &args);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(listed.contains("registry.example/org/app:1.0.0\t"), "{listed}");
}

#[test]
fn what_is_printed_as_yaml_is_read_as_what_was_pushed() {
    let (home, registry) = (tempfile::tempdir().unwrap(), Registry::start());
    let file = home.path().join("a.yaml");
    fs::write(&file, "a: 1").unwrap();
    let args = [
        "push",
        "artifact",
        &registry.url("org/app:1.10"),
        "--path",
        file.to_str().unwrap(),
        "--source=https://git.example/app",
        "--revision=main@sha1:0123",
        "--annotations=org.opencontainers.image.created=2024-01-02T03:04:05Z",
        "--output=yaml",
    ];
    let pushed = sluice(home.path(), &registry, &args);
    let digest = pushed.rsplit("@").next().unwrap().trim();
    assert_eq!(
        pushed,
        format!(
            "0\ndigest: {digest}\nrepository: registry.example/org/app\ntag: \"1.10\"\nurl: oci://registry.example/org/app@{digest}\n"
        )
    );
    // the config tells the same time as the annotation
    let manifest = registry.manifest("org/app", "1.10").unwrap();
    let config = registry.blob(manifest["config"]["digest"].as_str().unwrap());
    let config: serde_json::Value = serde_json::from_slice(&config.unwrap()).unwrap();
    for time in [
        &config["created"],
        &manifest["annotations"]["org.opencontainers.image.created"],
    ] {
        assert_eq!(time, "2024-01-02T03:04:05Z");
    }
}
