//! Every answer in `cases/answers.json` was given by the Go types themselves: `normalize-table answers < inputs.json`.

use super::table::table;
use super::{normalize, normalize_for_apply, quantity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use sluice_object::GroupVersionKind;

fn kind_of(object: &Value) -> GroupVersionKind {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    GroupVersionKind::new(text("apiVersion"), text("kind"))
}

#[test]
fn the_table_holds_every_kind_of_client_go() {
    let (structs, kinds) = table().size();
    assert!(structs > 500 && kinds > 140, "{structs} structs, {kinds} kinds");
}

#[test]
fn answers_are_those_of_the_go_types() {
    let inputs: Vec<Value> = serde_json::from_str(include_str!("cases/inputs.json")).unwrap();
    let answers: Vec<Value> = serde_json::from_str(include_str!("cases/answers.json")).unwrap();
    assert_eq!(inputs.len(), answers.len());
    let mut wrong = Vec::new();
    for (input, answer) in inputs.iter().zip(&answers) {
        let ours = normalize(&kind_of(input), input);
        let same = match (&ours, answer.get("object")) {
            (Ok(Some(ours)), Some(theirs)) => ours == theirs,
            (Ok(None) | Err(_), None) => true,
            _ => false,
        };
        if !same {
            wrong.push(format!("input  {input}\nGo     {answer}\nours   {ours:?}\n"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        inputs.len(),
        wrong.join("\n")
    );
}

fn check_refusal(object: Value, expected: Expect) {
    expected.assert_eq(&normalize(&kind_of(&object), &object).unwrap_err().to_string());
}

#[test]
fn a_refusal_names_field_and_value() {
    let service = |ports: Value| json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": ports}});
    check_refusal(
        service(json!([{"port": 1}, {"port": "80"}])),
        expect![[r#"spec.ports[1].port: "80" is no integer"#]],
    );
    check_refusal(
        service(json!({"port": 1})),
        expect![[r#"spec.ports: {"port":1} is no list"#]],
    );
    check_refusal(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": true}}),
        expect!["data.a: true is no string"],
    );
}

#[test]
fn hostile_quantities_cost_nothing() {
    for text in [
        "1e2147483648",
        "1e-2147483648",
        "1e2147483647",
        &"9".repeat(100_000),
        &format!("0.{}1", "0".repeat(100_000)),
    ] {
        assert!(quantity::canonical(text).is_some());
    }
}

fn check_flux(object: Value, expected: Expect) {
    expected.assert_eq(&normalize_for_apply(&kind_of(&object), object).to_string());
}

#[test]
fn flux_makes_protocols_and_secret_data_explicit() {
    check_flux(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]}}),
        expect![[
            r#"{"apiVersion":"v1","kind":"Service","metadata":{"creationTimestamp":null,"name":"s"},"spec":{"ports":[{"port":80,"protocol":"TCP","targetPort":0},{"port":53,"protocol":"UDP","targetPort":0}]}}"#
        ]],
    );
    check_flux(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA==", "b": "eQ=="}, "stringData": {"a": "z"}}),
        expect![[
            r#"{"apiVersion":"v1","data":{"a":"eg==","b":"eQ=="},"kind":"Secret","metadata":{"creationTimestamp":null,"name":"s"}}"#
        ]],
    );
    check_flux(
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
            "containers": [{"name": "c", "ports": [{"containerPort": 80}]}],
            "initContainers": [{"name": "i", "ports": [{"containerPort": 80}]}],
        }}),
        expect![[
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":null,"name":"p"},"spec":{"containers":[{"name":"c","ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{}}],"initContainers":[{"name":"i","ports":[{"containerPort":80}],"resources":{}}]}}"#
        ]],
    );
}

#[test]
fn flux_leaves_alone_what_it_cannot_read() {
    // Roles are exempt; a wrong type and an unknown kind keep all their fields.
    check_flux(
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [], "status": {}}),
        expect![[
            r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"r"},"rules":[],"status":{}}"#
        ]],
    );
    check_flux(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": "x"}, "status": {}}),
        expect![[
            r#"{"apiVersion":"v1","kind":"Service","metadata":{"creationTimestamp":null,"name":"s"},"spec":{"ports":"x"}}"#
        ]],
    );
    check_flux(
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"empty": ""}, "status": {}}),
        expect![[
            r#"{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"creationTimestamp":null,"name":"w"},"spec":{"empty":""}}"#
        ]],
    );
    check_flux(
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "c"}, "status": {"a": 1}}),
        expect![[
            r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"creationTimestamp":null,"name":"c"},"status":{"a":1}}"#
        ]],
    );
}

/// A certificate, as the API server can read it.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBLjCB4aADAgECAhRVtFbs5afty7X3hRViUKm0Nlm7XTAFBgMrZXAwDDEKMAgG
A1UEAwwBYTAgFw0yNjExMzAxMTQzMjZaGA8yMTI2MTEwNjExNDMyNlowDDEKMAgG
A1UEAwwBYTAqMAUGAytlcAMhAGEVUTmzXmKFgqnhPr373jhbLZtQIcteW0RWQSD8
eoPdo1MwUTAdBgNVHQ4EFgQUcDKm+YstZL86jyZIVOZZqaUN/M0wHwYDVR0jBBgw
FoAUcDKm+YstZL86jyZIVOZZqaUN/M0wDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXAD
QQBPV7FdZdAXPmgkVL2WtHT8DhSOAXz0ElTOqwD7vnZsb4SFKiZbPz92WYg+ZGwj
5ZPmqo+psWnMNT6UXNF6nIAD
-----END CERTIFICATE-----
";

#[test]
fn a_bundle_without_a_certificate_is_left_to_whoever_puts_one_there() {
    let stays = |kind: &str, bundle: &str| {
        let client = json!({ "caBundle": bundle, "url": "https://one.example" });
        let conversion = json!({ "strategy": "Webhook", "webhook": { "clientConfig": client } });
        let object = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": kind, "metadata": { "name": "lamps.example.com" },
            "spec": { "conversion": conversion },
        });
        let normal = normalize_for_apply(&kind_of(&object), object);
        let client = normal.pointer("/spec/conversion/webhook/clientConfig").unwrap();
        assert!(client.get("url").is_some(), "the rest stays");
        client.get("caBundle").is_some()
    };
    let encoded = |text: &str| STANDARD.encode(text);
    let broken = |text: &str| format!("{}\n{}", &text[..60], &text[60..]);
    let definition = "CustomResourceDefinition";
    for (kind, bundle, expected) in [
        (definition, encoded(CERTIFICATE), true),
        (definition, broken(&encoded(CERTIFICATE)), true),
        (definition, encoded(&format!("# ours\n{CERTIFICATE}")), true),
        (definition, String::new(), true),
        (definition, "Cg==".to_owned(), false),
        (definition, "no base64".to_owned(), false),
        (definition, encoded("no certificate"), false),
        (
            definition,
            encoded("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"),
            false,
        ),
        ("Lamp", "Cg==".to_owned(), true),
    ] {
        assert_eq!(stays(kind, &bundle), expected, "{kind} {bundle}");
    }
}
