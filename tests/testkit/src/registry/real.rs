//! Real registries and clients, built once with Go at fixed versions and kept outside the repository.

use std::{
    io::BufRead,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Programs that tests talk with: name, and module with version.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "crane",
        "github.com/google/go-containerregistry/cmd/crane@v0.21.6",
    ),
    ("oras", "oras.land/oras/cmd/oras@v1.3.6"),
    ("helm", "helm.sh/helm/v4/cmd/helm@v4.3.2"),
    ("cosign", "github.com/sigstore/cosign/v3/cmd/cosign@v3.0.2"),
    (
        "notation",
        "github.com/notaryproject/notation/cmd/notation@v1.3.2",
    ),
];

/// Programs that take minutes to build: only where they are there already, or `SLUICE_BUILD_TOOLS` is set.
const LARGE: &[&str] = &["helm", "cosign", "notation"];

/// Where a program lies. None, after a loud line, where it cannot be had: the caller returns.
#[allow(clippy::print_stderr)]
pub fn program(name: &str, what: &str) -> Option<PathBuf> {
    match find(name) {
        Ok(path) => Some(path),
        Err(why) => {
            eprintln!("SKIPPED: {what}: {name}: {why}");
            None
        }
    }
}

fn find(name: &str) -> Result<PathBuf, String> {
    let (_, module) = PROGRAMS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or("no such program")?;
    let version = module.rsplit('@').next().unwrap_or_default();
    let folder = cache()
        .ok_or("no cache folder: set SLUICE_CACHE")?
        .join("tools")
        .join(version);
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    if LARGE.contains(&name) && std::env::var_os("SLUICE_BUILD_TOOLS").is_none() {
        return Err("takes minutes to build: set SLUICE_BUILD_TOOLS=1".to_owned());
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // built beside and moved: two tests that build at once leave one whole program
    let building = tempfile::tempdir_in(&folder).map_err(|error| error.to_string())?;
    let mut go = Command::new("go");
    go.args(["install", module])
        .env("GOBIN", building.path())
        .env("CGO_ENABLED", "0");
    let built = go.output().map_err(|_| "Go is not installed".to_owned())?;
    if !built.status.success() {
        let output = String::from_utf8_lossy(&built.stderr);
        return Err(format!("go install {module}: {}", output.trim()));
    }
    std::fs::rename(building.path().join(name), &path).map_err(|error| error.to_string())?;
    Ok(path)
}

fn cache() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("SLUICE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("sluice")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/sluice")))
}

/// `crane registry serve`: the registry of go-containerregistry, contents on disk. It stops when dropped.
pub struct RealRegistry {
    child: Child,
    lifeline: Option<ChildStdin>,
    host: String,
    _folder: tempfile::TempDir,
}

/// Ends the program when standard input closes, which the kernel does when the test is gone.
const GUARD: &str = r#""$@" </dev/null & child=$!; read -r _; kill -9 $child 2>/dev/null; wait"#;

impl RealRegistry {
    /// Starts it on a free port. None, after a loud line, where it cannot be had.
    pub fn start(what: &str) -> Option<RealRegistry> {
        let crane = program("crane", what)?;
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(crane)
            .args(["registry", "serve", "--address", "127.0.0.1:0", "--disk"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let lifeline = child.stdin.take();
        let log = std::io::BufReader::new(child.stderr.take().expect("stderr is piped"));
        // `2026/01/01 00:00:00 serving on port 40123`
        let mut lines = log.lines().map_while(Result::ok);
        let port = lines
            .find_map(|line| line.split("serving on port ").nth(1)?.trim().parse::<u16>().ok())
            .expect("the registry says its port");
        std::thread::spawn(move || lines.for_each(drop));
        Some(RealRegistry {
            child,
            lifeline,
            host: format!("localhost:{port}"),
            _folder: folder,
        })
    }

    /// `localhost:<port>`.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _waited = self.child.wait();
    }
}
