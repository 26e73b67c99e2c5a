//! What a kustomization says of Helm charts: checked as the original does, and enough of it kept to refuse them.

use sluice_yaml::Node;

use super::decode::{Decoder, Field, Spot};
use crate::{Text, error::Result};

const CHART: &[&str] = &[
    "name",
    "version",
    "repo",
    "releaseName",
    "namespace",
    "additionalValuesFiles",
    "valuesFile",
    "valuesInline",
    "valuesMerge",
    "includeCRDs",
    "skipHooks",
    "apiVersions",
    "kubeVersion",
    "nameTemplate",
    "skipTests",
    "debug",
    "devel",
];

const CHART_ARGS: &[&str] = &[
    "chartName",
    "chartVersion",
    "chartRepoUrl",
    "chartRepoName",
    "chartHome",
    "helmBin",
    "helmHome",
    "values",
    "valuesLocal",
    "valuesMerge",
    "releaseName",
    "releaseNamespace",
    "extraArgs",
];

/// `helmGlobals`, which says nothing without charts.
pub(super) fn check_globals(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<()> {
    let names = &["chartHome", "configHome"];
    d.object(node, field, "HelmGlobals", names, |_, node, field, _| {
        d.text(node, field).map(drop)
    })
}

/// The names of `helmCharts`.
pub(super) fn charts(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Vec<Spot<Text>>> {
    d.list(node, field, "types.HelmChart", |node, field| {
        chart(d, node, field, "HelmChart", CHART)
    })
}

/// The names of `helmChartInflationGenerator`.
pub(super) fn chart_args(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Vec<Spot<Text>>> {
    d.list(node, field, "types.HelmChartArgs", |node, field| {
        chart(d, node, field, "HelmChartArgs", CHART_ARGS)
    })
}

fn chart(
    d: &Decoder<'_>,
    node: &Node,
    field: Field<'_>,
    go_type: &str,
    names: &'static [&'static str],
) -> Result<Spot<Text>> {
    let mut value = Text::default();
    d.object(node, field, go_type, names, |name, node, field, _| {
        match name {
            "name" | "chartName" => value = d.text(node, field)?,
            "additionalValuesFiles" | "apiVersions" | "extraArgs" => drop(d.texts(node, field)?),
            "valuesInline" | "valuesLocal" => d.check_map(node, field)?,
            "includeCRDs" | "skipHooks" | "skipTests" | "debug" | "devel" => drop(d.flag(node, field)?),
            _ => drop(d.text(node, field)?),
        }
        Ok(())
    })?;
    Ok(Spot {
        value,
        at: node.position,
    })
}
