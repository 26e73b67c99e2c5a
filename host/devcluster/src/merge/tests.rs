use super::{Ignore, Managers, Operation, Writer, apply, update, validate};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use sluice_schema::{Node, openapi};

/// A kind with every way to share a value.
fn schema() -> Node {
    let text = json!({"type": "string"});
    let item = json!({"type": "object", "properties": {"name": text, "port": {"type": "integer"},
        "protocol": {"type": "string", "default": "TCP"}, "value": text}});
    let schema = json!({"type": "object", "properties": {
    "metadata": {"type": "object", "properties": {
        "name": text, "labels": {"type": "object", "additionalProperties": text}}},
    "spec": {"type": "object", "properties": {
        "replicas": {"type": "integer"},
        "image": text,
        "nested": {"type": "object", "properties": {"a": text, "b": text}},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text},
        "args": {"type": "array", "items": text},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"], "items": item},
        "items": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }}}});
    openapi::structural(&schema).expect("the schema of the tests can be read")
}

fn writer(operation: Operation, manager: &str) -> Writer {
    Writer {
        operation,
        manager: manager.to_owned(),
        api_version: "v1".to_owned(),
        subresource: String::new(),
    }
}

/// Plays steps (`A one {…}` applies, `F one {…}` forces, `U one {…}` replaces) and shows the object and its owners.
fn check(steps: &[&str], expected: Expect) {
    let node = schema();
    let (mut live, mut managers) = (json!({}), Managers::default());
    let mut said = String::new();
    for step in steps {
        let mut parts = step.splitn(3, ' ');
        let (verb, manager, body) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let body: Value = serde_json::from_str(body).unwrap();
        if verb == "U" {
            update(
                &node,
                &live,
                &body,
                &mut managers,
                &writer(Operation::Update, manager),
                Ignore::Nothing,
                "now",
            );
            live = body;
            continue;
        }
        if let Err(errors) = validate(&node, &body) {
            said += &format!("refused: {errors}\n");
            continue;
        }
        let mut trial = managers.clone();
        match apply(
            &node,
            &live,
            &body,
            &mut trial,
            &writer(Operation::Apply, manager),
            Ignore::Nothing,
            verb == "F",
        ) {
            Ok(new) => {
                managers = trial;
                live = new.unwrap_or(live);
            }
            Err(conflicts) => {
                for conflict in conflicts {
                    said += &format!(
                        "conflict with {}: {}\n",
                        conflict.writer.describe(),
                        conflict.path
                    );
                }
            }
        }
    }
    said += &format!("{live}\n");
    for entry in managers.write() {
        let (operation, manager) = (
            entry["operation"].as_str().unwrap(),
            entry["manager"].as_str().unwrap(),
        );
        said += &format!("{operation} {manager}: {}\n", entry["fieldsV1"]);
    }
    expected.assert_eq(&said);
}

#[test]
fn an_apply_owns_what_it_says() {
    check(
        &[
            r#"A one {"metadata":{"name":"a","labels":{"l":"1"}},"spec":{"replicas":1,"nested":{"a":"x"},"args":["p"]}}"#,
        ],
        expect![[r#"
            {"metadata":{"labels":{"l":"1"},"name":"a"},"spec":{"args":["p"],"nested":{"a":"x"},"replicas":1}}
            Apply one: {"f:metadata":{"f:labels":{"f:l":{}}},"f:spec":{"f:args":{},"f:nested":{"f:a":{}},"f:replicas":{}}}
        "#]],
    );
}

#[test]
fn what_is_no_longer_said_goes() {
    check(
        &[
            r#"A one {"spec":{"image":"i","replicas":1,"nested":{"a":"x","b":"y"},"items":[{"name":"a","value":"1"},{"name":"b"}]}}"#,
            r#"A one {"spec":{"image":"j","nested":{"b":"y"},"items":[{"name":"b"}]}}"#,
        ],
        expect![[r#"
            {"spec":{"image":"j","items":[{"name":"b"}],"nested":{"b":"y"}}}
            Apply one: {"f:spec":{"f:image":{},"f:items":{"k:{\"name\":\"b\"}":{".":{},"f:name":{}}},"f:nested":{"f:b":{}}}}
        "#]],
    );
}

#[test]
fn what_another_owns_stays() {
    check(
        &[
            r#"A one {"spec":{"replicas":1,"image":"i"}}"#,
            r#"A two {"spec":{"replicas":1}}"#,
            r#"A one {"spec":{"image":"i"}}"#,
        ],
        expect![[r#"
            {"spec":{"image":"i","replicas":1}}
            Apply one: {"f:spec":{"f:image":{}}}
            Apply two: {"f:spec":{"f:replicas":{}}}
        "#]],
    );
}

#[test]
fn a_conflict_names_owner_and_field() {
    check(
        &[
            r#"U kubectl {"spec":{"replicas":1,"image":"i"}}"#,
            r#"A two {"spec":{"image":"i","items":[{"name":"a","value":"1"}]}}"#,
            r#"A one {"spec":{"replicas":2,"items":[{"name":"a","value":"2"}]}}"#,
        ],
        expect![[r#"
            conflict with "two": .spec.items[name="a"].value
            conflict with "kubectl" using v1: .spec.replicas
            {"spec":{"image":"i","items":[{"name":"a","value":"1"}],"replicas":1}}
            Apply two: {"f:spec":{"f:image":{},"f:items":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:value":{}}}}}
            Update kubectl: {"f:spec":{".":{},"f:image":{},"f:replicas":{}}}
        "#]],
    );
}

#[test]
fn force_takes_the_field() {
    check(
        &[
            r#"A one {"spec":{"replicas":1,"image":"i"}}"#,
            r#"F two {"spec":{"replicas":2}}"#,
        ],
        expect![[r#"
            {"spec":{"image":"i","replicas":2}}
            Apply one: {"f:spec":{"f:image":{}}}
            Apply two: {"f:spec":{"f:replicas":{}}}
        "#]],
    );
}

#[test]
fn an_update_takes_what_it_changes_and_drops_what_it_removes() {
    check(
        &[
            r#"A one {"spec":{"replicas":1,"image":"i","nested":{"a":"x"}}}"#,
            r#"U kubectl {"spec":{"replicas":2,"image":"i"}}"#,
        ],
        expect![[r#"
            {"spec":{"image":"i","replicas":2}}
            Apply one: {"f:spec":{"f:image":{}}}
            Update kubectl: {"f:spec":{"f:replicas":{}}}
        "#]],
    );
}

#[test]
fn list_maps_merge_by_key_and_default_their_keys() {
    check(
        &[
            r#"A one {"spec":{"ports":[{"port":80,"name":"web"},{"port":81,"name":"x"}]}}"#,
            r#"A two {"spec":{"ports":[{"port":80,"protocol":"UDP","name":"dns"},{"port":80,"value":"v"}]}}"#,
        ],
        expect![[r#"
            {"spec":{"ports":[{"name":"dns","port":80,"protocol":"UDP"},{"name":"web","port":80,"value":"v"},{"name":"x","port":81}]}}
            Apply one: {"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{}},"k:{\"port\":81,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{}}}}}
            Apply two: {"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:value":{}},"k:{\"port\":80,\"protocol\":\"UDP\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{}}}}}
        "#]],
    );
}

#[test]
fn sets_merge_and_lists_do_not() {
    check(
        &[
            r#"A one {"spec":{"tags":["a","b"],"args":["x"]}}"#,
            r#"A two {"spec":{"tags":["c","b"]}}"#,
            r#"A one {"spec":{"tags":["b"],"args":["y","z"]}}"#,
        ],
        expect![[r#"
            {"spec":{"args":["y","z"],"tags":["c","b"]}}
            Apply one: {"f:spec":{"f:args":{},"f:tags":{"v:\"b\"":{}}}}
            Apply two: {"f:spec":{"f:tags":{"v:\"b\"":{},"v:\"c\"":{}}}}
        "#]],
    );
}

#[test]
fn atomic_mappings_are_one_value() {
    check(
        &[
            r#"A one {"spec":{"whole":{"a":"1"}}}"#,
            r#"A two {"spec":{"whole":{"b":"2"}}}"#,
        ],
        expect![[r#"
            conflict with "one": .spec.whole
            {"spec":{"whole":{"a":"1"}}}
            Apply one: {"f:spec":{"f:whole":{}}}
        "#]],
    );
}

#[test]
fn unknown_fields_are_owned_by_deduced_types() {
    check(
        &[
            r#"A one {"spec":{"free":{"x":{"y":1},"list":[1,2],"none":{}}}}"#,
            r#"A two {"spec":{"free":{"x":{"z":2}}}}"#,
        ],
        expect![[r#"
            {"spec":{"free":{"list":[1,2],"none":{},"x":{"y":1,"z":2}}}}
            Apply one: {"f:spec":{"f:free":{"f:list":{},"f:none":{},"f:x":{".":{},"f:y":{}}}}}
            Apply two: {"f:spec":{"f:free":{"f:x":{".":{},"f:z":{}}}}}
        "#]],
    );
}

#[test]
fn what_does_not_fit_the_schema_is_refused() {
    check(
        &[
            r#"A one {"spec":{"nonsense":1}}"#,
            r#"A one {"spec":{"replicas":"many","image":{"a":1}}}"#,
            r#"A one {"spec":{"items":[{"name":"a"},{"name":"a"}]}}"#,
            r#"A one {"spec":{"items":[{"value":"a"}]}}"#,
            r#"A one {"spec":[]}"#,
        ],
        expect![[r#"
            refused: .spec.nonsense: field not declared in schema
            refused: errors:
              .spec.image: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":1}}
              .spec.replicas: expected numeric (int or float), got string
            refused: .spec.items: duplicate entries for key [name="a"]
            refused: .spec.items: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)
            refused: .spec: expected map, got &{[]}
            {}
        "#]],
    );
}

#[test]
fn the_order_of_the_applied_list_holds() {
    check(
        &[
            r#"A one {"spec":{"items":[{"name":"a"},{"name":"b"},{"name":"c"}]}}"#,
            r#"A two {"spec":{"items":[{"name":"x"},{"name":"c"},{"name":"a"},{"name":"y"}]}}"#,
        ],
        expect![[r#"
            {"spec":{"items":[{"name":"b"},{"name":"x"},{"name":"c"},{"name":"a"},{"name":"y"}]}}
            Apply one: {"f:spec":{"f:items":{"k:{\"name\":\"a\"}":{".":{},"f:name":{}},"k:{\"name\":\"b\"}":{".":{},"f:name":{}},"k:{\"name\":\"c\"}":{".":{},"f:name":{}}}}}
            Apply two: {"f:spec":{"f:items":{"k:{\"name\":\"a\"}":{".":{},"f:name":{}},"k:{\"name\":\"c\"}":{".":{},"f:name":{}},"k:{\"name\":\"x\"}":{".":{},"f:name":{}},"k:{\"name\":\"y\"}":{".":{},"f:name":{}}}}}
        "#]],
    );
}

#[test]
fn the_oldest_updates_are_folded_together() {
    let node = schema();
    let (mut live, mut managers) = (json!({}), Managers::default());
    for index in 0..13 {
        let mut new = live.clone();
        new["metadata"]["labels"][format!("l{index}")] = "x".into();
        let who = writer(Operation::Update, &format!("m{index:02}"));
        update(
            &node,
            &live,
            &new,
            &mut managers,
            &who,
            Ignore::Nothing,
            &format!("t{index:02}"),
        );
        managers.cap();
        live = new;
    }
    let names: Vec<String> = managers
        .write()
        .iter()
        .map(|entry| entry["manager"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 10);
    assert_eq!(names[0], "ancient-changes");
}

#[test]
fn managed_fields_survive_a_round_trip() {
    let fields = json!({"f:spec": {".": {}, "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}, "f:tags": {"v:\"a\"": {}}, "f:l": {"i:0": {}}}});
    let entries = json!([{"manager": "m", "operation": "Apply", "apiVersion": "v1", "time": "t", "fieldsType": "FieldsV1", "fieldsV1": fields}]);
    let read = Managers::read(entries.as_array().unwrap()).unwrap();
    assert_eq!(Value::Array(read.write()), entries);
}
