//! `versitygw`: a store of others that speaks S3, over a folder; and `curl`, which signs requests too.

use crate::{process::Guarded, tools::program};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::Command,
};

/// A store of others. It stops when dropped.
pub struct RealStorage {
    _gateway: Guarded,
    endpoint: String,
    folder: tempfile::TempDir,
}

/// Who may read and write.
const KEY: (&str, &str) = ("KEY", "s3cr3t/key+");

impl RealStorage {
    /// Starts it on a free port, with one bucket, `shop`. None, after a loud line, where it cannot be had.
    #[allow(clippy::print_stderr)]
    pub fn start(what: &str) -> Option<RealStorage> {
        let gateway = program("versitygw", what)?;
        if Command::new("curl").arg("--version").output().is_err() {
            eprintln!("SKIPPED: {what}: no curl");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let (buckets, log) = (folder.path().join("buckets"), folder.path().join("log"));
        fs::create_dir_all(buckets.join("shop")).expect("a bucket");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = listener.local_addr().expect("its address").to_string();
        drop(listener);
        let buckets = buckets.to_str().expect("a path of text");
        let args = [
            "--access", KEY.0, "--secret", KEY.1, "--port", &endpoint, "posix", buckets,
        ];
        let gateway = Guarded::start(&gateway, &args, &log).expect("it starts");
        // it does not say when it listens
        while TcpStream::connect(&endpoint).is_err() {
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(!gateway.has_ended(), "{}", said());
            std::thread::yield_now();
        }
        Some(RealStorage {
            _gateway: gateway,
            endpoint,
            folder,
        })
    }

    /// `127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The key that it knows, and its secret.
    pub fn key(&self) -> (&'static str, &'static str) {
        KEY
    }

    /// Puts an object into the bucket. `path` is its key as URLs have it.
    pub fn put(&self, path: &str, content: &str) {
        let file = self.folder.path().join("content");
        fs::write(&file, content).expect("a file");
        let done = Command::new("curl")
            .args(["--silent", "--show-error", "--fail-with-body"])
            .args(["--aws-sigv4", "aws:amz:us-east-1:s3"])
            .args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"])
            .args(["--user", &format!("{}:{}", KEY.0, KEY.1), "--upload-file"])
            .arg(&file)
            .arg(format!("http://{}/shop/{path}", self.endpoint))
            .output()
            .expect("curl runs");
        let told = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&told));
    }
}
