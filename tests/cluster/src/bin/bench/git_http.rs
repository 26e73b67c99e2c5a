//! Serves bare repositories over HTTP by `git http-backend`: Git's own answers, Git's own speed.

use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// A running server; it ends with the process.
#[derive(Debug)]
pub(crate) struct Server {
    /// The base address.
    pub(crate) url: String,
    asked: Arc<Mutex<Asked>>,
}

/// What clients asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// Lists of references.
    pub(crate) lists: usize,
    /// Packs.
    pub(crate) packs: usize,
}

impl Server {
    /// What was asked since this was called last.
    pub(crate) fn take_asked(&self) -> Asked {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts serving the repositories below `root`.
pub(crate) async fn serve(root: &Path) -> anyhow::Result<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (root, asked) = (root.to_owned(), Arc::<Mutex<Asked>>::default());
    let server = Server {
        url,
        asked: Arc::clone(&asked),
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (root, asked) = (root.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                // A client that goes away early is not our concern.
                let _gone = answer(stream, root, &asked).await;
            });
        }
    });
    Ok(server)
}

/// One request a connection.
async fn answer(stream: TcpStream, root: PathBuf, asked: &Mutex<Asked>) -> anyhow::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split_whitespace();
    let (method, target) = (
        words.next().context("no method")?.to_owned(),
        words.next().context("no path")?.to_owned(),
    );
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse()?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "content-type" => _ = command.env("CONTENT_TYPE", value),
            "content-encoding" => _ = command.env("HTTP_CONTENT_ENCODING", value),
            "git-protocol" => _ = command.env("GIT_PROTOCOL", value),
            "expect" => stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?,
            _ => {}
        }
    }
    let body = if chunked {
        read_chunks(&mut stream).await?
    } else {
        read_exactly(&mut stream, length).await?
    };
    let says = |command: &[u8]| body.windows(command.len()).any(|part| part == command);
    {
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.lists += usize::from(says(b"command=ls-refs"));
        asked.packs += usize::from(says(b"command=fetch"));
    }
    let mut backend = command.env("CONTENT_LENGTH", body.len().to_string()).spawn()?;
    let mut input = backend.stdin.take().context("invariant: stdin is piped")?;
    let fed = tokio::spawn(async move { input.write_all(&body).await });
    let output = backend.wait_with_output().await?.stdout;
    fed.await??;
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("no header from git http-backend")?;
    let (head, body) = output.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    let status = head
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK");
    let length = body.len();
    stream
        .write_all(
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}")
                .as_bytes(),
        )
        .await?;
    stream.write_all(body).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn read_exactly(stream: &mut BufReader<TcpStream>, length: usize) -> anyhow::Result<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16)?;
        body.extend(read_exactly(stream, length).await?);
        stream.read_line(&mut line).await?;
        if length == 0 {
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::Repository;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_clones_what_was_committed() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::make(folder.path(), 3).unwrap();
        let server = serve(&folder.path().join("served")).await.unwrap();
        let url = &server.url;
        let revision = repository.change(1..2, "red").unwrap();
        let target = folder.path().join("clone");
        let clone = Command::new("git")
            .args(["clone", "--quiet", "--depth=1", &format!("{url}/bench.git")])
            .arg(&target)
            .output();
        let clone = clone.await.unwrap();
        assert!(
            clone.status.success(),
            "{}",
            String::from_utf8_lossy(&clone.stderr)
        );
        let text = std::fs::read_to_string(target.join("apps/app-0001/configmap.yaml")).unwrap();
        assert!(text.contains("red"), "{revision}: {text}");
        let asked = server.take_asked();
        assert_eq!((asked.lists, asked.packs), (1, 1));
    }
}
