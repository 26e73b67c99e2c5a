//! Repositories made by `git`, with fixed people and times, untouched by the user's configuration.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

/// A repository with a work tree.
pub struct Repository {
    directory: PathBuf,
    /// Its own time, so that its commits are the same whatever other tests do: they are a minute apart, and the newer one is
    /// known.
    clock: AtomicU64,
}

/// `git`, without any configuration but ours.
pub(crate) fn git_command(directory: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory)
        .env_remove("GIT_DIR")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("HOME", "/nonexistent")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.com")
        .env("GIT_CONFIG_COUNT", "3")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("GIT_CONFIG_KEY_1", "protocol.file.allow")
        .env("GIT_CONFIG_VALUE_1", "always")
        .env("GIT_CONFIG_KEY_2", "uploadpack.allowAnySHA1InWant")
        .env("GIT_CONFIG_VALUE_2", "true");
    git
}

impl Repository {
    /// Makes an empty repository whose branch is `main`.
    pub fn init(directory: &Path) -> Repository {
        fs::create_dir_all(directory).expect("a directory for the repository");
        let repository = Repository {
            directory: directory.to_owned(),
            clock: AtomicU64::new(1_700_000_000),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs git and returns what it printed, trimmed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with_input(arguments, b"")
    }

    /// Runs git with something to read.
    pub fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let time = format!("{} +0000", self.clock.fetch_add(60, Ordering::Relaxed));
        let mut git = git_command(&self.directory)
            .env("GIT_AUTHOR_DATE", &time)
            .env("GIT_COMMITTER_DATE", &time)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git can be started");
        let _closed_early = git.stdin.take().expect("stdin is piped").write_all(input);
        let output = git.wait_with_output().expect("git ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes files and commits everything; returns the commit.
    pub fn commit<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a str)>, message: &str) -> String {
        for (path, content) in files {
            let path = self.directory.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a directory"))
                .expect("a directory for the file");
            fs::write(path, content).expect("a file");
        }
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Stores a tree object byte for byte, however wrong, with a commit on top; returns the commit.
    pub fn commit_raw_tree(&self, tree: &[u8]) -> String {
        let id = self.git_with_input(
            &["hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
            tree,
        );
        self.commit_tree(&id)
    }

    /// Makes `main` a commit of an existing tree; returns the commit.
    pub fn commit_tree(&self, tree: &str) -> String {
        let commit = self.git(&["commit-tree", tree, "-m", "hostile"]);
        self.git(&["update-ref", "refs/heads/main", &commit]);
        commit
    }

    /// One entry of a raw tree.
    pub fn raw_entry(mode: &str, name: &[u8], id: &str) -> Vec<u8> {
        let mut entry = format!("{mode} ").into_bytes();
        entry.extend_from_slice(name);
        entry.push(0);
        let digits = id.as_bytes().chunks(2);
        entry.extend(digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()));
        entry
    }
}
