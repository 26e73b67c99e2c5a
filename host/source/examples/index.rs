//! Measures what an index of charts costs: `cargo run --release -p sluice-source --example index -- [MiB]`.
//!
//! An index of that size is made, read, stored, and asked for fifty charts, as their HelmCharts would; each time since its start.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is for people, who see where it breaks

mod measure;

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
};

use measure::{now, peak};
use sluice_artifact::{ArtifactPath, Store, store};
use sluice_source::helm::{Catalogs, pick, read_index};

/// Versions of each chart: what busy charts have after some years.
const VERSIONS: usize = 100;
const CHARTS_ASKED: usize = 50;

fn main() {
    let size = std::env::args().nth(1).map_or(100, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (path, charts) = make(folder.path(), size << 20);
    let length = path.metadata().unwrap().len();
    println!(
        "index: {} MiB, {charts} charts of {VERSIONS} versions",
        length >> 20
    );

    let started = now();
    let json = tempfile::tempfile_in(folder.path()).unwrap();
    let mut output = BufWriter::with_capacity(256 << 10, json);
    let input = BufReader::with_capacity(256 << 10, File::open(&path).unwrap());
    read_index(input, 32 << 20, None, &mut output).unwrap();
    let mut json = output.into_inner().unwrap();
    println!("read: {:?}", started.elapsed());
    let store = Store::open(folder.path(), store::Limits::default()).unwrap();
    let place: ArtifactPath = "helmrepository/a/b/index-1.yaml".parse().unwrap();
    let mut draft = store.draft();
    let blob = draft.blob_from(&mut json).unwrap();
    draft.commit_file(&place, "sha256:1", blob).unwrap();
    println!("stored: {:?}", started.elapsed());
    let catalogs = Catalogs::default();
    for number in 0..CHARTS_ASKED {
        let name = format!("chart-{}", number * charts / CHARTS_ASKED);
        let versions = catalogs.versions(&store, &place, &name).unwrap();
        pick(&name, &versions, "1.x").unwrap();
    }
    println!("{CHARTS_ASKED} charts found: {:?}", started.elapsed());
    println!("memory: {} KiB", peak());
}

/// An index as `helm repo index` writes it.
fn make(folder: &std::path::Path, size: usize) -> (std::path::PathBuf, usize) {
    let path = folder.join("index.yaml");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"apiVersion: v1\nentries:\n").unwrap();
    let (mut written, mut charts) = (0, 0);
    while written < size {
        let mut text = format!("  chart-{charts}:\n");
        for version in 0..VERSIONS {
            text += &format!(
                "  - annotations:\n      category: Infrastructure\n      licenses: Apache-2.0\n    apiVersion: v2\n    appVersion: 2.{version}.0\n    created: \"2026-01-01T00:00:00.{version:09}Z\"\n    dependencies:\n    - name: common\n      repository: https://charts.example.com/common\n      tags:\n      - common\n      version: 2.x.x\n    description: A chart that installs number {charts}, and says so in a sentence of usual length, with a comma.\n    digest: {charts:032x}{version:032x}\n    home: https://charts.example.com/chart-{charts}\n    icon: https://charts.example.com/chart-{charts}/icon.svg\n    keywords:\n    - chart\n    - number-{charts}\n    maintainers:\n    - email: someone@example.com\n      name: Someone\n    name: chart-{charts}\n    sources:\n    - https://git.example.com/charts/chart-{charts}\n    urls:\n    - https://charts.example.com/files/chart-{charts}-1.{version}.0.tgz\n    version: 1.{version}.0\n"
            );
        }
        file.write_all(text.as_bytes()).unwrap();
        written += text.len();
        charts += 1;
    }
    file.write_all(b"generated: \"2026-01-01T00:00:00Z\"\n").unwrap();
    file.flush().unwrap();
    (path, charts)
}
