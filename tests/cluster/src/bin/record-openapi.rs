//! Records what a real API server says about itself into `host/schema/data/openapi`: `cargo xtask codegen --record`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // this is a program for people at a terminal

use anyhow::Context as _;
use flate2::{Compression, GzBuilder};
use serde_json::Value;
use sluice_testkit::cluster::{Binaries, Cluster, Options};
use std::io::Write as _;
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
    Binaries::build(|message| println!("{message}"))?;
    let cluster = Cluster::start(&Options::default()).await?;
    let folder = sluice_testkit::repository().join("host/schema/data/openapi");
    for part in ["v3", "discovery"] {
        let _absent = std::fs::remove_dir_all(folder.join(part));
        std::fs::create_dir_all(folder.join(part))?;
    }
    let get = async |path: &str, accept: &str| -> anyhow::Result<Vec<u8>> {
        let request = cluster
            .client()
            .get(format!("{}{path}", cluster.url()))
            .header("accept", accept);
        let answer = request.send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    };
    write(&folder, "version", &get("/version", "application/json").await?)?;
    for path in ["api", "apis"] {
        write(
            &folder,
            &format!("discovery/{path}"),
            &get(&format!("/{path}"), AGGREGATED).await?,
        )?;
    }
    let index = get("/openapi/v3", "application/json").await?;
    write(&folder, "v3/index", &index)?;
    let index: Value = serde_json::from_slice(&index)?;
    let paths = index
        .get("paths")
        .and_then(Value::as_object)
        .context("the index has no paths")?;
    for path in paths.keys() {
        let document = get(&format!("/openapi/v3/{path}"), "application/json").await?;
        write(&folder, &format!("v3/{}", path.replace('/', "__")), &document)?;
    }
    println!("{} documents recorded in {}", paths.len(), folder.display());
    Ok(())
}

/// Compressed without time and name, so that equal documents are equal files.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(format!("{name}.json.gz"));
    let file = std::fs::File::create(&path).with_context(|| path.display().to_string())?;
    let mut gzip = GzBuilder::new().mtime(0).write(file, Compression::best());
    gzip.write_all(bytes)?;
    gzip.finish()?;
    Ok(())
}
