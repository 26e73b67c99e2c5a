//! The fields of a kustomization file. Flux reads the file at `spec.path` leniently: what it does not know it drops
//! without a word, and upper and lower case are the same to it. We do the same, and say what was dropped.

use sluice_wasm::{Finding, Severity};
use sluice_yaml::Node;

/// A mapping's fields, or what a field holds.
enum Shape {
    /// Anything: text, numbers, free maps.
    Any,
    /// A mapping of these fields.
    Fields(&'static [(&'static str, Shape)]),
    /// A list of mappings of these fields.
    List(&'static [(&'static str, Shape)]),
}

use Shape::{Any, Fields, List};

const SELECTOR: &[(&str, Shape)] = &[
    ("group", Any),
    ("version", Any),
    ("kind", Any),
    ("name", Any),
    ("namespace", Any),
    ("annotationSelector", Any),
    ("labelSelector", Any),
];

const PATCH: &[(&str, Shape)] = &[
    ("path", Any),
    ("patch", Any),
    ("target", Fields(SELECTOR)),
    ("options", Any),
];

const GENERATOR_OPTIONS: &[(&str, Shape)] = &[
    ("labels", Any),
    ("annotations", Any),
    ("disableNameSuffixHash", Any),
    ("immutable", Any),
];

const CONFIG_MAP: &[(&str, Shape)] = &[
    ("namespace", Any),
    ("name", Any),
    ("behavior", Any),
    ("literals", Any),
    ("files", Any),
    ("envs", Any),
    ("env", Any),
    ("options", Fields(GENERATOR_OPTIONS)),
];

const SECRET: &[(&str, Shape)] = &[
    ("namespace", Any),
    ("name", Any),
    ("behavior", Any),
    ("literals", Any),
    ("files", Any),
    ("envs", Any),
    ("env", Any),
    ("type", Any),
    ("options", Fields(GENERATOR_OPTIONS)),
];

/// Kustomize 5's `Kustomization`. What Flux never builds (Helm charts, functions) is kept as it is, for the renderer to refuse.
const KUSTOMIZATION: &[(&str, Shape)] = &[
    ("apiVersion", Any),
    ("kind", Any),
    ("metadata", Any),
    ("openapi", Any),
    ("namePrefix", Any),
    ("nameSuffix", Any),
    ("namespace", Any),
    ("commonLabels", Any),
    (
        "labels",
        List(&[
            ("pairs", Any),
            ("includeSelectors", Any),
            ("includeTemplates", Any),
            ("fields", Any),
        ]),
    ),
    ("commonAnnotations", Any),
    ("patchesStrategicMerge", Any),
    ("patchesJson6902", List(PATCH)),
    ("patches", List(PATCH)),
    (
        "images",
        List(&[
            ("name", Any),
            ("newName", Any),
            ("tagSuffix", Any),
            ("newTag", Any),
            ("digest", Any),
        ]),
    ),
    ("imageTags", Any),
    ("replacements", Any),
    ("replicas", List(&[("name", Any), ("count", Any)])),
    ("vars", Any),
    (
        "sortOptions",
        Fields(&[("order", Any), ("legacySortOptions", Any)]),
    ),
    ("resources", Any),
    ("components", Any),
    ("crds", Any),
    ("bases", Any),
    ("configMapGenerator", List(CONFIG_MAP)),
    ("secretGenerator", List(SECRET)),
    ("helmGlobals", Any),
    ("helmCharts", Any),
    ("helmChartInflationGenerator", Any),
    ("generatorOptions", Fields(GENERATOR_OPTIONS)),
    ("configurations", Any),
    ("generators", Any),
    ("transformers", Any),
    ("validators", Any),
    ("buildMetadata", Any),
];

/// Unknown fields that are told of: for each the most similar name is looked for.
const FINDINGS_MAX: usize = 100;

/// Removes every field that Kustomize's types do not have, and says which.
pub(super) fn drop_unknown_fields(root: &mut Node, file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    drop_from(root, KUSTOMIZATION, "", file, &mut findings);
    findings
}

fn drop_from(node: &mut Node, fields: &[(&str, Shape)], path: &str, file: &str, findings: &mut Vec<Finding>) {
    let Some(entries) = node.entries_mut() else { return };
    entries.retain_mut(|(key, value)| {
        let name = key.text().unwrap_or_default().to_owned();
        // a merge key brings fields that are known or unknown by themselves
        if name == "<<" {
            return true;
        }
        let field = fields.iter().find(|(field, _)| *field == name);
        let Some((field, shape)) =
            field.or_else(|| fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(&name)))
        else {
            if findings.len() < FINDINGS_MAX {
                findings.push(unknown(&name, fields, path, file, key.position.line));
            }
            return false;
        };
        if *field != name {
            *key = Node::plain(*field).at(key.position);
        }
        let path = format!("{path}.{field}");
        match shape {
            Any => {}
            Fields(fields) => drop_from(value, fields, &path, file, findings),
            List(fields) => {
                for (index, item) in value.items_mut().into_iter().flatten().enumerate() {
                    drop_from(item, fields, &format!("{path}[{index}]"), file, findings);
                }
            }
        }
        true
    });
}

fn unknown(name: &str, fields: &[(&str, Shape)], path: &str, file: &str, line: impl TryInto<u32>) -> Finding {
    let nearest = fields
        .iter()
        .map(|(field, _)| (distance(name, field), *field))
        .min();
    let hint = nearest.filter(|(distance, field)| *distance <= 1 + field.len() / 4);
    Finding {
        severity: Severity::Warning,
        message: format!("unknown field {path}.{name} is ignored"),
        code: Some("unknown-field".to_owned()),
        object: None,
        field: Some(format!("{path}.{name}")),
        file: Some(file.to_owned()),
        line: line.try_into().ok(),
        hint: Some(hint.map_or_else(
            || "remove it".to_owned(),
            |(_, field)| format!("did you mean {field}?"),
        )),
    }
}

/// How many letters must be added, removed or changed.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, from) in from.chars().take(64).enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (above, to) in row.iter().skip(1).zip(&to) {
            left = (above + 1).min(left + 1).min(diagonal + usize::from(from != *to));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
