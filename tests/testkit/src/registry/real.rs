//! `crane registry serve`: a real registry.

use crate::tools::program;
use std::{
    io::BufRead,
    process::{Child, ChildStdin, Command, Stdio},
};

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
