//! Records what a real API server says about itself into `host/schema/data/openapi`: `cargo xtask codegen openapi`.
//! `--check` writes nothing and names the documents that have changed.
#![allow(clippy::print_stdout, clippy::print_stderr)] // this is a program for people at a terminal

use anyhow::Context as _;
use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde_json::{Value, json};
use sluice_testkit::cluster::{Binaries, Cluster, Options};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// Discovery of a whole group at once, the form every client of today asks for.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match program().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn program() -> anyhow::Result<()> {
    let is_check = std::env::args().skip(1).any(|arg| arg == "--check");
    Binaries::build(|message| println!("{message}"))?;
    let cluster = Cluster::start(&Options::default()).await?;
    let documents = ask(&cluster).await?;
    let folder = sluice_testkit::repository().join("host/schema/data/openapi");
    let mut stale = Vec::new();
    for (name, document) in &documents {
        if read(&folder, name).is_ok_and(|old| old == *document) {
            continue;
        }
        if is_check {
            stale.push(name.as_str());
        } else {
            write(&folder, name, document)?;
        }
    }
    anyhow::ensure!(
        stale.is_empty(),
        "the real API server says something else than {} ({}); run `cargo xtask codegen openapi schema`",
        folder.display(),
        stale.join(", ")
    );
    println!(
        "codegen: {} documents in host/schema/data/openapi",
        documents.len()
    );
    Ok(())
}

/// All documents by the name of their file.
async fn ask(cluster: &Cluster) -> anyhow::Result<BTreeMap<String, Value>> {
    let get = async |path: &str, accept: &str| -> anyhow::Result<Value> {
        let request = cluster
            .client()
            .get(format!("{}{path}", cluster.url()))
            .header("accept", accept);
        let answer = request.send().await?.error_for_status()?;
        serde_json::from_slice(&answer.bytes().await?).with_context(|| path.to_owned())
    };
    let mut documents = BTreeMap::new();
    // the version alone: when and with what it was built is nobody's business
    let version = get("/version", "application/json").await?;
    let version = json!({"gitVersion": version.get("gitVersion"), "major": version.get("major"), "minor": version.get("minor")});
    documents.insert("version".to_owned(), version);
    for path in ["api", "apis"] {
        documents.insert(
            format!("discovery/{path}"),
            get(&format!("/{path}"), AGGREGATED).await?,
        );
    }
    let index = get("/openapi/v3", "application/json").await?;
    let paths = index.get("paths").and_then(Value::as_object);
    for path in paths.context("the index has no paths")?.keys() {
        let document = get(&format!("/openapi/v3/{path}"), "application/json").await?;
        documents.insert(format!("v3/{}", path.replace('/', "__")), document);
    }
    documents.insert("v3/index".to_owned(), index);
    Ok(documents)
}

fn read(folder: &Path, name: &str) -> anyhow::Result<Value> {
    let file = std::fs::File::open(folder.join(format!("{name}.json.gz")))?;
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// Compressed without time and name, so that equal documents are equal files.
fn write(folder: &Path, name: &str, document: &Value) -> anyhow::Result<()> {
    let path = folder.join(format!("{name}.json.gz"));
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    let file = std::fs::File::create(&path).with_context(|| path.display().to_string())?;
    let mut gzip = GzBuilder::new().mtime(0).write(file, Compression::best());
    gzip.write_all(&serde_json::to_vec(document)?)?;
    gzip.finish()?;
    Ok(())
}
