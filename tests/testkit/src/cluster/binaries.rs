//! The programs of a real cluster: found where the user has them, else built once with Go and kept.

use crate::{repository, tools};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of the programs that `tests/cluster` builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers of the built-in kinds: garbage collection, Deployments, namespaces.
    ControllerManager,
    /// The command line client.
    Kubectl,
}

impl Program {
    /// The file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
        }
    }
}

const PROGRAMS: [Program; 4] = [
    Program::Etcd,
    Program::ApiServer,
    Program::ControllerManager,
    Program::Kubectl,
];

/// Why the programs could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    /// Go is not installed.
    #[error(
        "no Go toolchain: install Go 1.26 or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver"
    )]
    NoGo,
    /// There is neither SLUICE_CACHE, XDG_CACHE_HOME nor HOME.
    #[error("no cache folder: set SLUICE_CACHE")]
    NoCache,
    /// `go build` failed.
    #[error("go build of {program} failed: {output}")]
    Build {
        /// What was being built.
        program: &'static str,
        /// The last lines Go printed.
        output: String,
    },
    /// A file of the Go module could not be read, or a folder not be made.
    #[error("{path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// A folder that holds at least etcd and kube-apiserver.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// The folder `KUBEBUILDER_ASSETS` names, else what [`Binaries::build`] kept for these very sources.
    pub fn find() -> Option<Self> {
        let own = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        own.or_else(|| kept().ok())
            .map(|folder| Self { folder })
            .filter(Self::is_complete)
    }

    /// Builds with Go what is not there yet: about five CPU-minutes the first time, nothing after.
    pub fn build(progress: impl Fn(&str)) -> Result<Self, BinariesError> {
        if let Some(found) = Self::find().filter(|found| PROGRAMS.iter().all(|p| found.path(*p).is_some())) {
            return Ok(found);
        }
        // A folder of the user's own is taken as it is.
        if let Some(own) = Self::find().filter(|_| std::env::var_os("KUBEBUILDER_ASSETS").is_some()) {
            return Ok(own);
        }
        let go = Command::new("go").arg("version").output();
        if !go.is_ok_and(|go| go.status.success()) {
            return Self::find().ok_or(BinariesError::NoGo);
        }
        let folder = kept()?;
        std::fs::create_dir_all(&folder).map_err(|source| BinariesError::Io {
            path: folder.clone(),
            source,
        })?;
        for program in PROGRAMS {
            let target = folder.join(program.name());
            if !target.is_file() {
                progress(&format!(
                    "building {} {} with Go",
                    program.name(),
                    kubernetes_version()?
                ));
                build_one(program, &target)?;
            }
        }
        Ok(Self { folder })
    }

    /// Where a program lies, if it is there.
    pub fn path(&self, program: Program) -> Option<PathBuf> {
        Some(self.folder.join(program.name())).filter(|path| path.is_file())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn is_complete(&self) -> bool {
        [Program::Etcd, Program::ApiServer]
            .iter()
            .all(|program| self.path(*program).is_some())
    }
}

/// Whether a real API server can be started now, without building anything.
pub fn available() -> bool {
    Binaries::find().is_some()
}

fn module() -> PathBuf {
    repository().join("tests/cluster")
}

fn read(path: &Path) -> Result<Vec<u8>, BinariesError> {
    std::fs::read(path).map_err(|source| BinariesError::Io {
        path: path.to_owned(),
        source,
    })
}

/// The cache folder for exactly these sources: another version of Kubernetes gets another folder.
fn kept() -> Result<PathBuf, BinariesError> {
    let cache = tools::cache().ok_or(BinariesError::NoCache)?;
    let sources = ["go.mod", "go.sum"].into_iter().map(PathBuf::from);
    let sources = sources.chain(PROGRAMS.map(|program| source_of(program).join("main.go")));
    let sources: Vec<PathBuf> = sources.map(|source| module().join(source)).collect();
    let digest = tools::digest(&sources).map_err(|(path, source)| BinariesError::Io { path, source })?;
    Ok(cache.join("cluster").join(digest))
}

fn source_of(program: Program) -> PathBuf {
    Path::new("cmd").join(program.name())
}

/// The version `go.mod` requires: what `/version` shall say.
fn kubernetes_version() -> Result<String, BinariesError> {
    let text = String::from_utf8_lossy(&read(&module().join("go.mod"))?).into_owned();
    let version = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    Ok(version.unwrap_or("v0.0.0").trim().to_owned())
}

fn build_one(program: Program, target: &Path) -> Result<(), BinariesError> {
    let version = kubernetes_version()?;
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or("0"), parts.next().unwrap_or("0"));
    let package = "k8s.io/component-base/version";
    let flags = format!(
        "-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} \
         -X {package}.gitMinor={minor} -X {package}.gitTreeState=clean"
    );
    // Built beside its place and renamed: a build cut short must not look finished.
    let partial = target.with_extension("partial");
    let built = Command::new("go")
        .args(["build", "-trimpath", "-ldflags", &flags, "-o"])
        .arg(&partial)
        .arg(format!("./{}", source_of(program).display()))
        .env("CGO_ENABLED", "0")
        .current_dir(module())
        .output()
        .map_err(|source| BinariesError::Io {
            path: module(),
            source,
        })?;
    if !built.status.success() {
        let text = String::from_utf8_lossy(&built.stderr).into_owned();
        let tail: Vec<&str> = text.lines().rev().take(10).collect();
        let output = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        return Err(BinariesError::Build {
            program: program.name(),
            output,
        });
    }
    std::fs::rename(&partial, target).map_err(|source| BinariesError::Io {
        path: target.to_owned(),
        source,
    })
}
