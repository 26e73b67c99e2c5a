use super::{all, definition};
use crate::{CustomResource, GitRepository, Kustomization, OciRepository, decode};
use serde_json::{Value, json};
use sluice_yaml::{ParseOptions, Resolver, parse_documents, to_json};
use std::collections::BTreeMap;

fn documents(text: &str) -> Vec<Value> {
    let documents = parse_documents(text, &ParseOptions::new(Resolver::V2)).unwrap();
    documents
        .iter()
        .map(|document| to_json(&document.root, Resolver::V2).unwrap())
        .collect()
}

/// A schema without descriptions, which are prose and ours.
fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let counts = |(key, value): &(&String, &Value)| !(*key == "description" && value.is_string());
            map.iter()
                .filter(counts)
                .map(|(key, value)| (key.clone(), bare(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        scalar => scalar.clone(),
    }
}

/// Where two values differ, as JSON pointers.
fn differences(ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(a, b, &format!("{at}/{key}"), found),
                    (a, b) => found.push(format!("{at}/{key}: ours {a:?}, Flux's {b:?}")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if at.ends_with("/required") || at.ends_with("/enum") => {
            let sorted = |items: &[Value]| {
                let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
                texts.sort();
                texts
            };
            if sorted(a) != sorted(b) {
                found.push(format!("{at}: ours {ours}, Flux's {theirs}"));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter()
                .zip(b)
                .enumerate()
                .for_each(|(n, (a, b))| differences(a, b, &format!("{at}/{n}"), found));
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{at}: ours {ours}, Flux's {theirs}")),
    }
}

#[test]
fn our_schemas_are_flux_schemas() {
    let Some(shared) = sluice_testkit::shared("CRDs compared with Flux's") else {
        return;
    };
    let mut compared = 0;
    for file in ["kustomize.yaml", "source.yaml"] {
        let text = std::fs::read_to_string(shared.join("compat/crds").join(file)).unwrap();
        for theirs in documents(&text) {
            let kind = theirs
                .pointer("/spec/names/kind")
                .and_then(Value::as_str)
                .unwrap();
            let mut ours = definition(kind).unwrap();
            // only the stored version is theirs too
            ours["spec"]["versions"]
                .as_array_mut()
                .unwrap()
                .retain(|version| version["name"] == "v1");
            // what a Kustomization had before v1 is kept, or it would mean something else
            let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
            let spec = ours.pointer_mut(spec).and_then(Value::as_object_mut).unwrap();
            spec.retain(|field, _| !["patchesStrategicMerge", "patchesJson6902"].contains(&field.as_str()));
            let mut theirs = theirs.clone();
            theirs["metadata"]["annotations"]
                .as_object_mut()
                .unwrap()
                .remove("controller-gen.kubebuilder.io/version");
            let mut found = Vec::new();
            differences(&bare(&ours), &bare(&theirs), "", &mut found);
            assert!(found.is_empty(), "{kind}:\n{}", found.join("\n"));
            compared += 1;
        }
    }
    assert_eq!(compared, all().len());
}

#[test]
fn schemas_are_structural() {
    fn walk(schema: &Value, at: &str) {
        let Value::Object(map) = schema else {
            panic!("{at}: no schema: {schema}")
        };
        for key in [
            "$ref",
            "oneOf",
            "anyOf",
            "allOf",
            "const",
            "title",
            "$defs",
            "x-default",
            "definitions",
        ] {
            assert!(!map.contains_key(key), "{at}: {key}");
        }
        let is_open = map.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
        assert!(
            is_open || map.get("type").is_some_and(Value::is_string),
            "{at}: no type"
        );
        for (name, inner) in map
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            walk(inner, &format!("{at}/{name}"));
            assert!(
                at.is_empty() || inner.get("description").is_some() || name == "metadata",
                "{at}/{name}: no description"
            );
        }
        ["items", "additionalProperties"]
            .iter()
            .filter_map(|key| map.get(*key))
            .for_each(|inner| walk(inner, at));
    }
    for crd in all() {
        let versions = crd.pointer("/spec/versions").and_then(Value::as_array).unwrap();
        let mut warnings = versions
            .iter()
            .filter_map(|version| version["deprecationWarning"].as_str());
        assert!(
            warnings.all(|warning| warning.len() <= 256),
            "the API server refuses longer ones"
        );
        assert_eq!(
            versions
                .iter()
                .filter(|version| version["storage"] == true)
                .count(),
            1
        );
        versions
            .iter()
            .for_each(|version| walk(&version["schema"]["openAPIV3Schema"], ""));
    }
}

#[test]
fn older_versions_are_served_and_warn() {
    let names = |kind: &str| {
        let crd = definition(kind).unwrap();
        let versions = crd["spec"]["versions"].as_array().unwrap().clone();
        versions
            .iter()
            .map(|version| version["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names("Kustomization"), "v1beta1 v1beta2 v1");
    assert_eq!(names("GitRepository"), "v1beta1 v1beta2 v1");
    assert_eq!(names("OCIRepository"), "v1beta2 v1");
    assert_eq!(names("ExternalArtifact"), "v1");
    let versions = definition("Kustomization").unwrap()["spec"]["versions"].clone();
    // what is not in the schema of the stored version is lost
    for version in [&versions[1], &versions[2]] {
        let patches = "/schema/openAPIV3Schema/properties/spec/properties/patchesStrategicMerge/items";
        let open = version.pointer(&format!("{patches}/x-kubernetes-preserve-unknown-fields"));
        assert_eq!(open, Some(&json!(true)));
    }
    let version = &versions[1];
    expect_test::expect![[r#""kustomize.toolkit.fluxcd.io/v1beta2 Kustomization is deprecated, use kustomize.toolkit.fluxcd.io/v1; spec.validation is not kept; use spec.patches for all patches""#]]
        .assert_eq(&version["deprecationWarning"].to_string());
}

/// What a type keeps of an object that has every field.
fn survives<K: CustomResource + serde::Serialize>(spec: Value, status: Value) {
    let object = json!({
        "apiVersion": format!("{}/{}", K::GROUP, K::VERSION), "kind": K::KIND,
        "metadata": { "name": "a", "namespace": "b" }, "spec": spec, "status": status
    });
    let typed: K = decode(&object).unwrap();
    let back = serde_json::to_value(&typed).unwrap();
    let mut found = Vec::new();
    differences(&back, &object, "", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn condition() -> Value {
    json!([{ "type": "Ready", "status": "True", "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z",
        "reason": "Succeeded", "message": "m" }])
}

/// A value that has every field of a schema, each list one item.
fn full(schema: &Value) -> Value {
    if let Some(first) = schema
        .get("enum")
        .and_then(Value::as_array)
        .and_then(|values| values.first())
    {
        return first.clone();
    }
    match schema["type"].as_str().unwrap_or_default() {
        "object" => match (schema.get("properties"), schema.get("additionalProperties")) {
            (Some(Value::Object(properties)), _) => properties
                .iter()
                .map(|(name, inner)| (name.clone(), full(inner)))
                .collect(),
            (_, Some(inner)) => json!({ "key": full(inner) }),
            _ => json!({}),
        },
        "array" => json!([full(&schema["items"])]),
        "boolean" => json!(true),
        "integer" => json!(7),
        "string" if schema.get("format") == Some(&json!("date-time")) => json!("2026-01-01T00:00:00Z"),
        "string" => match schema.get("pattern").and_then(Value::as_str) {
            Some(pattern) if pattern.contains("ms|s|m") => json!("1m0s"),
            Some(pattern) if pattern.contains("oci") => json!("oci://a/b"),
            Some(pattern) if pattern.contains("http") => json!("https://a/b"),
            _ => json!("text"),
        },
        other => panic!("{other}: {schema}"),
    }
}

#[test]
fn types_keep_every_field_of_their_schema() {
    let mut kinds: BTreeMap<&str, fn(Value, Value)> = BTreeMap::new();
    kinds.insert("Kustomization", survives::<Kustomization>);
    kinds.insert("GitRepository", survives::<GitRepository>);
    kinds.insert("OCIRepository", survives::<OciRepository>);
    kinds.insert("Bucket", survives::<crate::Bucket>);
    kinds.insert("HelmChart", survives::<crate::HelmChart>);
    kinds.insert("HelmRepository", survives::<crate::HelmRepository>);
    kinds.insert("ExternalArtifact", survives::<crate::ExternalArtifact>);
    assert_eq!(kinds.len(), all().len());
    for (kind, survives) in kinds {
        let crd = definition(kind).unwrap();
        let versions = crd["spec"]["versions"].as_array().unwrap();
        let schema = &versions.last().unwrap()["schema"]["openAPIV3Schema"]["properties"];
        let mut status = full(&schema["status"]);
        status["conditions"] = condition();
        if let Some(history) = status.pointer_mut("/history/0/lastReconciledDuration") {
            *history = json!("1.5s");
        }
        survives(full(&schema["spec"]), status);
    }
}

#[test]
fn one_bad_object_is_refused_alone_and_says_why() {
    let ks = |interval: &str| {
        json!({ "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": { "name": "a" },
            "spec": { "interval": interval, "prune": true, "sourceRef": { "kind": "GitRepository", "name": "a" } } })
    };
    for bad in ["1e999h", "-1s", "", "9999999999h", "1d"] {
        let error = decode::<Kustomization>(&ks(bad)).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("spec.interval: ") && text.contains("invalid duration"),
            "{text}"
        );
    }
    let list = [ks("1m"), ks("1e999h"), ks("2m")];
    assert_eq!(
        list.map(|one| decode::<Kustomization>(&one).is_ok()),
        [true, false, true]
    );
}

#[test]
fn committed_files_are_what_the_types_say() {
    let folder = sluice_testkit::repository().join("deploy/base/crds");
    for (name, text) in super::files() {
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(
            committed == text,
            "deploy/base/crds/{name} is not what the types say: run `cargo xtask codegen`"
        );
    }
}
