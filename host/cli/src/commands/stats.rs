//! `sluice stats`: how many objects of each kind are reconciled, and how many fail (compat: cli, section 10).

use crate::args::Global;
use crate::kinds::{self, Kind, condition, is_suspended};
use crate::{subject, table, tell};
use anyhow::Result;
use clap::Args;
use kube::api::DynamicObject;
use serde_json::Value;

#[derive(Args, Debug)]
pub(crate) struct Stats {
    /// Objects of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
}

/// The kinds that are counted, in the order of `flux stats`.
const COUNTED: [Kind; 13] = [
    kinds::GIT_REPOSITORY,
    kinds::OCI_REPOSITORY,
    kinds::HELM_REPOSITORY,
    kinds::HELM_CHART,
    kinds::BUCKET,
    kinds::KUSTOMIZATION,
    kinds::HELM_RELEASE,
    kinds::ALERT,
    kinds::PROVIDER,
    kinds::RECEIVER,
    kinds::IMAGE_UPDATE_AUTOMATION,
    kinds::IMAGE_POLICY,
    kinds::IMAGE_REPOSITORY,
];

const HEADING: [&str; 5] = ["RECONCILERS", "RUNNING", "FAILING", "SUSPENDED", "STORAGE"];

pub(crate) async fn run(stats: &Stats, global: &Global) -> Result<()> {
    let client = global.connect.client().await?;
    let namespace = (!stats.all_namespaces).then_some(global.namespace.as_str());
    let mut rows = Vec::new();
    for kind in COUNTED {
        let objects = match subject::list(&subject::objects(&client, kind, namespace), None, None).await {
            Ok(objects) => objects,
            // a kind that is not installed has no objects
            Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
            Err(error) => return Err(kind.explain(error)),
        };
        rows.push(row(kind, &objects));
    }
    tell::print(&table::render(&HEADING, &rows, true))
}

fn row(kind: Kind, objects: &[DynamicObject]) -> Vec<String> {
    let suspended = objects.iter().filter(|object| is_suspended(object)).count();
    let is_failing =
        |object: &&DynamicObject| condition(object, "Ready").is_some_and(|(status, _)| status == "False");
    let failing = objects.iter().filter(is_failing).count();
    let size = |object: &DynamicObject| {
        let size = object.data.pointer("/status/artifact/size");
        size.and_then(Value::as_u64).unwrap_or(0)
    };
    vec![
        kind.kind.to_owned(),
        (objects.len() - suspended).to_string(),
        failing.to_string(),
        suspended.to_string(),
        bytes(objects.iter().map(size).sum()),
    ]
}

/// A size as Flux writes it: `1.5 KiB`, and `-` for nothing.
fn bytes(size: u64) -> String {
    const UNIT: u64 = 1024;
    if size == 0 {
        return "-".to_owned();
    }
    if size < UNIT {
        return format!("{size} B");
    }
    let mut unit = UNIT;
    let mut names = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
    let mut name = names.next();
    while size / unit >= UNIT
        && let Some(next) = names.next()
    {
        unit *= UNIT;
        name = Some(next);
    }
    // only shown: what is beyond 2^53 is beyond a decimal too
    #[allow(clippy::cast_precision_loss)]
    let share = size as f64 / unit as f64;
    format!("{share:.1} {}", name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn sizes_are_written_as_in_flux() {
        let rows = [
            (0, "-"),
            (1, "1 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1_048_575, "1024.0 KiB"),
            (5 << 20, "5.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (size, expected) in rows {
            assert_eq!(bytes(size), expected);
        }
    }

    #[test]
    fn objects_are_counted() {
        let object = |value: Value| -> DynamicObject { serde_json::from_value(value).unwrap() };
        let ready = |status: &str| json!([{"type": "Ready", "status": status}]);
        let objects = [
            object(
                json!({"metadata": {"name": "a"}, "status": {"conditions": ready("True"), "artifact": {"size": 1000}}}),
            ),
            object(
                json!({"metadata": {"name": "b"}, "status": {"conditions": ready("False"), "artifact": {"size": 536}}}),
            ),
            object(json!({"metadata": {"name": "c"}, "spec": {"suspend": true}})),
        ];
        let rows = [row(kinds::GIT_REPOSITORY, &objects), row(kinds::BUCKET, &[])];
        expect![[r"
            RECONCILERS  	RUNNING	FAILING	SUSPENDED	STORAGE	
            GitRepository	2      	1      	1        	1.5 KiB	
            Bucket       	0      	0      	0        	-      	
        "]]
        .assert_eq(&table::render(&HEADING, &rows, true));
    }
}
