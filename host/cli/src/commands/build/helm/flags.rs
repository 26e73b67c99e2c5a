//! The flags of `helm template`, as far as they need no cluster and no repository.

use crate::tell::Original;
use clap::Args;
use sluice_wasm::{Limits, ValuesFile, ValuesSource};
use std::io::Read;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct Helm {
    /// The chart, a directory or a .tgz archive; before it the release's name may stand
    #[arg(value_names = ["NAME", "CHART"], num_args = 1..=2, required = true)]
    pub(super) name_and_chart: Vec<String>,
    /// The release's name [default: release-name]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// A template that makes the release's name
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "name")]
    pub(super) name_template: Option<String>,
    /// The namespace of the release
    #[arg(short, long, default_value = "default")]
    pub(super) namespace: String,
    #[command(flatten)]
    pub(super) values: Values,
    /// The version of Kubernetes that the chart sees
    #[arg(long, value_name = "VERSION")]
    pub(super) kube_version: Option<String>,
    /// API versions that the cluster has beside Kubernetes' own
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',')]
    pub(super) api_versions: Vec<String>,
    /// Print the files of crds/ too
    #[arg(long)]
    pub(super) include_crds: bool,
    /// Leave out hooks
    #[arg(long)]
    pub(super) no_hooks: bool,
    /// Leave out hooks that are tests
    #[arg(long)]
    pub(super) skip_tests: bool,
    /// Render as for an upgrade
    #[arg(long)]
    pub(super) is_upgrade: bool,
    /// Print only what comes from this template of the chart; may hold * and ?
    #[arg(short, long, value_name = "TEMPLATE")]
    pub(super) show_only: Vec<String>,
    /// Do not check the values against values.schema.json
    #[arg(long)]
    pub(super) skip_schema_validation: bool,
    /// Print the notes for users instead of manifests
    #[arg(long)]
    pub(super) notes_only: bool,
    /// Add the notes of subcharts
    #[arg(long)]
    pub(super) render_subchart_notes: bool,
    /// Let the render use more: time=2m, memory=1Gi [default: time=30s, memory=256Mi]
    #[arg(long, value_name = "NAME=AMOUNT")]
    pub(super) limit: Vec<String>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

impl Helm {
    /// What the render may use.
    pub(super) fn limits(&self) -> Result<Limits, Original> {
        let mut limits = crate::local::once();
        for limit in &self.limit {
            let (name, amount) = limit.split_once('=').ok_or_else(|| {
                Original::new(format!("--limit {limit}: NAME=AMOUNT is wanted, as in time=2m"))
            })?;
            limits
                .set(name, amount)
                .map_err(|error| Original::new(format!("--limit {limit}: {error}")))?;
        }
        Ok(limits)
    }
}

/// Later flags of one kind win over earlier ones; between the kinds the order is that of the fields.
#[derive(Args, Debug)]
pub(crate) struct Values {
    /// A file of values; - reads standard input
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    files: Vec<String>,
    /// JSON values: key=json, or a whole object
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true)]
    set_json: Vec<String>,
    /// Values: key1=val1,key2=val2
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    set: Vec<String>,
    /// Values that are text whatever they look like
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true)]
    set_string: Vec<String>,
    /// Values that are the contents of files
    #[arg(long, value_name = "KEY=FILE", allow_hyphen_values = true)]
    set_file: Vec<String>,
    /// One value as it stands
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true)]
    set_literal: Vec<String>,
}

impl Values {
    /// In the order in which the original merges them.
    pub(super) fn read(&self) -> Result<Vec<ValuesSource>, Original> {
        let files = self.files.iter().map(|name| file(name).map(ValuesSource::File));
        let mut sources = files.collect::<Result<Vec<_>, _>>()?;
        sources.extend(self.set_json.iter().cloned().map(ValuesSource::SetJson));
        sources.extend(self.set.iter().cloned().map(ValuesSource::Set));
        sources.extend(self.set_string.iter().cloned().map(ValuesSource::SetString));
        for assignment in &self.set_file {
            let names = assignment
                .split(',')
                .filter_map(|part| Some(part.split_once('=')?.1));
            // a file that is not there the renderer tells with the flag that names it
            let files = names.filter_map(|name| file(name).ok()).collect();
            sources.push(ValuesSource::SetFile(assignment.clone(), files));
        }
        sources.extend(self.set_literal.iter().cloned().map(ValuesSource::SetLiteral));
        Ok(sources)
    }
}

fn file(name: &str) -> Result<ValuesFile, Original> {
    let content = if name.trim() == "-" {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(name)
    };
    let content = content.map_err(|error| {
        let why = error.to_string();
        let why = why.split(" (os error").next().unwrap_or_default().to_lowercase();
        Original::new(format!("open {name}: {why}"))
    })?;
    Ok(ValuesFile {
        name: name.to_owned(),
        content,
    })
}
