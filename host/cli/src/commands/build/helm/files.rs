//! `--output-dir`: a file for each template.

use super::{Helm, hooks};
use crate::tell::Original;
use anyhow::{Context as _, Result, bail};
use sluice_wasm::Chart;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Component, Path};

/// Writes custom resource definitions, manifests and hooks, and says of each what Helm says. What a template renders to
/// several times lies in one file; what an earlier run left of it is gone.
pub(super) fn write(helm: &Helm, chart: &Chart, folder: &Path) -> Result<String> {
    if let Some(pattern) = helm.show_only.first() {
        // as in Helm, where nothing is left to be shown
        bail!(
            Original::new(format!("could not find template {pattern} in chart"))
                .with_hint("--show-only picks from what is printed: leave out --output-dir")
        );
    }
    let own = match helm.release_name {
        true => folder.join(&chart.release_name),
        false => folder.to_owned(),
    };
    let crds = chart.crds.iter().filter(|_| helm.include_crds);
    let crds = crds.map(|file| (folder, &file.path, &file.text));
    let manifests = chart
        .manifests
        .iter()
        .chain(hooks(helm, chart).map(|hook| &hook.manifest));
    let manifests = manifests.map(|manifest| (own.as_path(), &manifest.template, &manifest.text));
    let (mut begun, mut said) = (BTreeSet::new(), String::new());
    for (folder, template, text) in crds.chain(manifests) {
        let inner = Path::new(template);
        if !inner
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            bail!(Original::new(format!(
                "{template} would not lie in {}",
                folder.display()
            )));
        }
        let path = folder.join(inner);
        let shown = format!("{}/{template}", folder.display());
        append(
            &path,
            begun.insert(path.clone()),
            &format!("---\n# Source: {template}\n{text}\n"),
        )
        .with_context(|| format!("cannot write {shown}"))?;
        let _ = writeln!(said, "wrote {shown}");
    }
    // the manifest, of which nothing is left
    said.push('\n');
    Ok(said)
}

fn append(path: &Path, is_first: bool, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = match is_first {
        true => File::create(path)?,
        false => File::options().append(true).open(path)?,
    };
    file.write_all(text.as_bytes())
}
