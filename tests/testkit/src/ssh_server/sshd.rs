//! OpenSSH's own server, where it is installed.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use russh::keys::{PrivateKey, PublicKey, ssh_key::LineEnding};

/// A running sshd; it stops when dropped.
pub struct Sshd {
    child: Child,
    port: u16,
    user: String,
    known_hosts: String,
    _folder: tempfile::TempDir,
}

const PROGRAM: &str = "/usr/sbin/sshd";

impl Sshd {
    /// Starts sshd with this key, and lets the owner of the other in as whoever runs the test. None, after a loud line,
    /// where it is not installed or cannot be started by this user.
    #[allow(clippy::print_stderr)]
    pub fn start(what: &str, host_key: &PrivateKey, guest: &PublicKey) -> Option<Sshd> {
        if !Path::new(PROGRAM).exists() {
            eprintln!("SKIPPED: {what}: {PROGRAM} is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, content: &str| -> PathBuf {
            let path = folder.path().join(name);
            fs::write(&path, content).expect("a file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&path, mode).expect("a private file");
            path
        };
        let key = file("host_key", &host_key.to_openssh(LineEnding::LF).expect("a key"));
        let guests = file(
            "authorized_keys",
            &format!("{}\n", guest.to_openssh().expect("a key")),
        );
        let port = {
            let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
            free.local_addr().expect("an address").port()
        };
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nAcceptEnv GIT_PROTOCOL\nLogLevel ERROR\n",
            key.display(),
            guests.display()
        );
        let config = file("config", &config);
        // where root starts it, it wants this folder
        let _not_root: std::io::Result<()> = fs::create_dir_all("/run/sshd");
        let mut child = Command::new(PROGRAM)
            .args(["-D", "-e", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("sshd can be started");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Ok(Some(status)) = child.try_wait() {
                eprintln!("SKIPPED: {what}: {PROGRAM} ended with {status}");
                return None;
            }
            std::thread::yield_now();
        }
        let user = Command::new("id").arg("-un").output().expect("id can be started");
        let line = host_key.public_key().to_openssh().expect("a key");
        Some(Sshd {
            child,
            port,
            user: String::from_utf8_lossy(&user.stdout).trim().to_owned(),
            known_hosts: format!("[127.0.0.1]:{port} {line}\n"),
            _folder: folder,
        })
    }

    /// The URL of a repository on this machine.
    pub fn url(&self, repository: &Path) -> String {
        format!(
            "ssh://{}@127.0.0.1:{}{}",
            self.user,
            self.port,
            repository.display()
        )
    }

    /// The line of `known_hosts` that names this server.
    pub fn known_hosts(&self) -> &str {
        &self.known_hosts
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ended: std::io::Result<()> = self.child.kill();
        let _ended: std::io::Result<std::process::ExitStatus> = self.child.wait();
    }
}
