//! The flags of `helm template`, as far as they need no cluster and no repository.

use super::{accepted::Accepted, list, values::Values};
use crate::tell::Original;
use clap::Args;
use sluice_wasm::Limits;
use std::path::PathBuf;

/// The namespace of a release where none is said.
pub(super) const NAMESPACE: &str = "default";

/// Of a flag that takes one value the last one counts.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct Helm {
    /// The chart, a directory or a .tgz archive; before it the release's name may stand
    #[arg(value_names = ["NAME", "CHART"], num_args = 1..=2, required = true)]
    pub(super) name_and_chart: Vec<String>,
    /// The release's name [default: release-name]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// A template that makes the release's name
    #[arg(long, value_name = "TEMPLATE")]
    pub(super) name_template: Option<String>,
    /// The namespace of the release
    #[arg(short, long, default_value = NAMESPACE)]
    pub(super) namespace: String,
    #[command(flatten)]
    pub(super) values: Values,
    /// The version of Kubernetes that the chart sees
    #[arg(long, value_name = "VERSION", allow_hyphen_values = true)]
    pub(super) kube_version: Option<String>,
    /// API versions that the cluster has beside Kubernetes' own
    #[arg(short, long, value_name = "VERSION")]
    api_versions: Vec<String>,
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
    /// Write a file for each template below this folder, and print their names
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "notes_only"])]
    pub(super) output_dir: Option<PathBuf>,
    /// With --output-dir: into a folder of the release's name
    #[arg(long)]
    pub(super) release_name: bool,
    /// Accepted: without a name it is release-name, as in Helm
    #[arg(short, long, hide = true)]
    pub(super) generate_name: bool,
    #[command(flatten)]
    pub(super) accepted: Accepted,
}

impl Helm {
    /// Leaves the namespace to Helm's rules.
    pub(in super::super) fn forget_namespace(&mut self) {
        NAMESPACE.clone_into(&mut self.namespace);
    }

    /// The API versions, each by itself.
    pub(super) fn api_versions(&self) -> Result<Vec<String>, Original> {
        list::items("-a, --api-versions", &self.api_versions)
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        helm: Helm,
    }

    fn parse(line: &str) -> Helm {
        let words = std::iter::once("helm").chain(line.split(' '));
        Line::try_parse_from(words).expect("flags").helm
    }

    #[test]
    fn of_flags_with_one_value_the_last_one_counts() {
        let helm =
            parse("rel --kube-version 1.30 web --kube-version -1.31 --skip-tests -n a --skip-tests -n b");
        assert_eq!(helm.name_and_chart, ["rel", "web"]);
        assert_eq!(helm.kube_version.as_deref(), Some("-1.31"));
        assert!(helm.skip_tests);
        assert_eq!(helm.namespace, "b");
    }

    #[test]
    fn of_flags_with_several_values_all_count() {
        let helm = parse("web -a a/v1,b/v1 --api-versions c/v1 -a \"d/v1\" -a  -s a.yaml -s b.yaml");
        let versions = helm.api_versions().expect("versions");
        assert_eq!(versions, ["a/v1", "b/v1", "c/v1", "d/v1"]);
        assert_eq!(helm.show_only, ["a.yaml", "b.yaml"]);
    }
}
