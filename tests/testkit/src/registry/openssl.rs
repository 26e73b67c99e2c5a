//! `openssl` in a folder of its own: what another program signs is what many meet.

use std::{fs, path::Path, process::Command};

/// A folder with files of `openssl`.
pub struct Openssl {
    home: tempfile::TempDir,
}

impl Openssl {
    /// A new folder with `settings` in the file `settings`. None, after a loud line that says `what` is not tested, where
    /// there is no openssl: the caller returns.
    #[allow(clippy::print_stderr)]
    pub fn new(what: &str, settings: &str) -> Option<Openssl> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: {what}: openssl is not installed");
            return None;
        }
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join("settings"), settings).expect("a file");
        Some(Openssl { home })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// The content of one of its files.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).expect("a file")
    }

    /// Runs one of its commands, whose arguments hold no spaces.
    pub fn run(&self, command: &str) {
        let output = Command::new("openssl")
            .args(command.split(' '))
            .current_dir(self.path())
            .output()
            .expect("openssl");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {error}");
    }
}
