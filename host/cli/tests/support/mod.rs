//! Programs under test: the built binary, kubectl beside it, and an API server for them.

pub(crate) mod installed;

use sluice_devcluster::DevCluster;
use sluice_testkit::cluster::{Binaries, Program};
use sluice_testkit::process::Guarded;
use sluice_testkit::world::World;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The binary under test.
pub(crate) const SLUICE: &str = env!("CARGO_BIN_EXE_sluice");
/// Nothing here takes longer on any machine worth testing on.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often is looked.
const PAUSE: Duration = Duration::from_millis(50);

/// A running `sluice`, or what works beside it; killed when dropped.
pub(crate) struct Running {
    process: Guarded,
    log: PathBuf,
}

impl Running {
    /// Starts it; what it prints goes to `folder/name.log`.
    pub(crate) fn start(folder: &Path, name: &str, args: &[&str]) -> Self {
        Self::program(Path::new(SLUICE), folder, name, args)
    }

    /// The same of another program.
    pub(crate) fn program<S: AsRef<OsStr>>(program: &Path, folder: &Path, name: &str, args: &[S]) -> Self {
        let log = folder.join(format!("{name}.log"));
        let process = Guarded::start(program, args, &log).expect("the binary starts");
        Self { process, log }
    }

    /// A controller of a cluster that listens on free ports.
    pub(crate) fn controller(folder: &Path, name: &str, kubeconfig: &Path, more: &[&str]) -> Self {
        let (kubeconfig, storage) = (
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--storage-path={}", folder.join(name).display()),
        );
        let mut args = vec!["controller", &kubeconfig, &storage];
        let nowhere = [
            "--storage-addr=127.0.0.1:0",
            "--metrics-addr=127.0.0.1:0",
            "--health-addr=127.0.0.1:0",
            // the Git server is on this machine
            "--source-allowed-addresses=127.0.0.0/8",
        ];
        args.extend(nowhere);
        args.extend(more);
        Self::start(folder, name, &args)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.process.has_ended()
    }

    /// Asks it to end in an orderly way.
    pub(crate) fn terminate(&self) {
        let pid = self.process.pid().expect("it runs").to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.expect("kill").success());
    }

    /// Waits for a line of its log that contains `text`.
    pub(crate) async fn says(&self, text: &str) -> String {
        let line = || {
            self.log()
                .lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
        };
        until(
            &format!("{text:?} in the log"),
            || line().is_some(),
            || self.log(),
        )
        .await;
        line().expect("it was there")
    }
}

/// A world on an embedded API server that programs reach by its kubeconfig.
pub(crate) struct Reached {
    pub(crate) world: World,
    pub(crate) kubeconfig: PathBuf,
    _server: DevCluster,
}

impl Reached {
    pub(crate) async fn start() -> Self {
        let started = DevCluster::start(sluice_devcluster::Config::default()).await;
        let server = started.expect("an embedded API server");
        let config = server.client_config().await.expect("a configuration");
        let world = World::connected(config).await;
        let kubeconfig = world.folder().join("kubeconfig");
        std::fs::write(&kubeconfig, server.kubeconfig()).expect("a file");
        Self {
            world,
            kubeconfig,
            _server: server,
        }
    }

    /// Exit code of a command on the namespace, and what it prints, then what it tells; the namespace as `NS`.
    pub(crate) fn sluice(&self, args: &[&str]) -> (i32, String) {
        self.sluice_told(args, "")
    }

    /// The same of one that is told something.
    pub(crate) fn sluice_told(&self, args: &[&str], input: &str) -> (i32, String) {
        let mut child = Command::new(SLUICE)
            .args(args)
            .args(["--namespace", &self.world.namespace, "--kubeconfig"])
            .arg(&self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let _closed_early = child
            .stdin
            .take()
            .expect("stdin is piped")
            .write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the binary ends");
        let told = String::from_utf8([output.stdout, output.stderr].concat()).expect("it tells text");
        let code = output.status.code().expect("it ends by itself");
        (code, told.replace(&self.world.namespace, "NS"))
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool, shown: impl Fn() -> String) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(PAUSE).await;
        }
    });
    assert!(
        waited.await.is_ok(),
        "not within {PATIENCE:?}: {what}\n{}",
        shown()
    );
}

/// kubectl with a kubeconfig of its own.
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// The one built beside the real API server, else the user's own; none after a loud line where there is none.
    #[allow(clippy::print_stderr)]
    pub(crate) fn find(what: &str, kubeconfig: &Path) -> Option<Self> {
        let built = Binaries::find().and_then(|binaries| binaries.path(Program::Kubectl));
        let program = built.unwrap_or_else(|| "kubectl".into());
        let version = Command::new(&program).args(["version", "--client"]).output();
        if !version.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: {what}: no kubectl");
            return None;
        }
        Some(Self {
            program,
            kubeconfig: kubeconfig.to_owned(),
        })
    }

    /// What it answers, however it ends.
    pub(crate) fn output(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(&self.program)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            // its cache of discovery, out of the user's home
            .env("HOME", self.kubeconfig.parent().expect("a file lies in a folder"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        let _closed_early = child
            .stdin
            .take()
            .expect("stdin is piped")
            .write_all(input.as_bytes());
        child.wait_with_output().expect("kubectl ends")
    }

    /// What it prints; it must end well, and warn of nothing.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        self.apply(args, "")
    }

    /// The same with something to read.
    pub(crate) fn apply(&self, args: &[&str], input: &str) -> String {
        let output = self.output(args, input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {args:?}: {errors}");
        assert!(!errors.contains("Warning"), "kubectl {args:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What it complains of; it must not end well.
    pub(crate) fn fails(&self, args: &[&str]) -> String {
        let output = self.output(args, "");
        assert!(!output.status.success(), "kubectl {args:?} ended well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}
