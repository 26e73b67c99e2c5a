//! What is refused before it runs, and in which words. Components that no compiler makes are written here as text.

use crate::support::{guest, render};
use expect_test::{Expect, expect};
use sluice_wasm::{Engine, Limits, Plugin, Role};

fn check(bytes: &[u8], expected: &Expect) {
    let result = Plugin::compile(Engine::get().unwrap(), "team-label", bytes, Limits::default());
    expected.assert_eq(
        &result
            .err()
            .map_or_else(|| "loaded".to_owned(), |error| error.to_string()),
    );
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is a component")
}

/// A component that imports one instance and does nothing with it.
fn importing(name: &str, instance: &str) -> Vec<u8> {
    component(&format!("(component (import \"{name}\" (instance {instance})))"))
}

#[test]
fn what_is_no_component_is_refused() {
    check(
        b"",
        &expect![
            "Plugin/team-label: is no WebAssembly but something else. Check the reference it was pulled from"
        ],
    );
    check(
        b"<!DOCTYPE html><html>",
        &expect![
            "Plugin/team-label: is no WebAssembly but HTML or XML. Check the reference it was pulled from"
        ],
    );
    check(
        b"\0asm\x01\0\0\0",
        &expect![
            "Plugin/team-label: is a core module, not a component. Build it with `sluice plugin build`, or wrap it with `wasm-tools component new`"
        ],
    );
    check(
        b"\0asm\x0d\0\x01\0\xff\xff\xff",
        &expect!["Plugin/team-label: is damaged: malformed section id (at offset 0x8)"],
    );
    let mut cut = guest("misbehave");
    cut.truncate(cut.len() / 2);
    let result = Plugin::compile(Engine::get().unwrap(), "team-label", &cut, Limits::default());
    assert!(result.is_err_and(|error| error.to_string().starts_with("Plugin/team-label: is damaged: ")));
}

/// N39, N44: by name, before anything of it runs.
#[test]
fn forbidden_imports_are_refused_by_name() {
    let get = "(export \"get\" (func))";
    check(
        &importing("sluice:host/http@0.1.0", get),
        &expect![
            "Plugin/team-label: imports sluice:host/http@0.1.0, which is not granted and which this host does not offer: it offers sluice:host/tree, sluice:host/revision, sluice:host/log. Use a version without it, or upgrade sluice"
        ],
    );
    check(
        &importing("sluice:host/kube-read@0.1.0", get),
        &expect![
            "Plugin/team-label: imports sluice:host/kube-read@0.1.0, which is not granted and which this host does not offer: it offers sluice:host/tree, sluice:host/revision, sluice:host/log. Use a version without it, or upgrade sluice"
        ],
    );
    check(
        &importing("sluice:host/tree@0.2.0", get),
        &expect![
            "Plugin/team-label: imports sluice:host/tree@0.2.0, which this host offers as 0.1.0 only. Rebuild it with the sluice-sdk of this release, or upgrade sluice"
        ],
    );
    check(
        &importing("wasi:http/outgoing-handler@0.2.0", get),
        &expect![
            "Plugin/team-label: imports wasi:http/outgoing-handler@0.2.0, and no plugin speaks HTTP: roles are pure functions, the host does the IO. Build it without an HTTP client"
        ],
    );
    check(
        &importing("wasi:filesystem/types@0.3.0", get),
        &expect![
            "Plugin/team-label: imports wasi:filesystem/types@0.3.0, and only WASI 0.2 is accepted. Build it with a toolchain for wasm32-wasip2"
        ],
    );
    check(
        &importing("acme:secrets/store", get),
        &expect![
            "Plugin/team-label: imports acme:secrets/store, which no plugin gets: only sluice:types, sluice:host and the hollow parts of WASI 0.2 are linked. Build it without it"
        ],
    );
}

/// N38: strings are UTF-8; the other encodings had holes in their transcoders.
#[test]
fn foreign_string_encodings_are_refused() {
    for (encoding, expected) in [
        (
            "utf16",
            expect![
                "Plugin/team-label: passes strings as UTF-16; only UTF-8 is accepted. Build it with a toolchain that uses the string encoding utf8"
            ],
        ),
        (
            "latin1+utf16",
            expect![
                "Plugin/team-label: passes strings as Latin-1 or UTF-16; only UTF-8 is accepted. Build it with a toolchain that uses the string encoding utf8"
            ],
        ),
    ] {
        let text = format!(
            r#"(component
                (core module $m
                    (memory (export "memory") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
                    (func (export "f") (param i32 i32)))
                (core instance $i (instantiate $m))
                (func (export "f") (param "s" string)
                    (canon lift (core func $i "f") (memory (core memory $i "memory"))
                        (realloc (core func $i "realloc")) string-encoding={encoding})))"#
        );
        check(&component(&text), &expected);
    }
}

#[test]
fn types_that_drifted_are_explained() {
    let text = r#"(component
        (import "sluice:host/log@0.1.0" (instance (export "log" (func (param "message" string)))))
        (instance $empty)
        (export "sluice:transform/transformer@0.1.0" (instance $empty)))"#;
    check(
        &component(text),
        &expect![
            "Plugin/team-label: its imports do not fit this host: component imports instance `sluice:host/log@0.1.0`, but a matching implementation was not found in the linker: instance export `log` has the wrong type: type mismatch with parameters: expected 3-tuple, found 1-tuple. Rebuild it with the sluice-sdk of this release, or take the wit files from it"
        ],
    );
}

#[test]
fn without_a_role_there_is_nothing_to_call() {
    check(
        &component("(component)"),
        &expect![
            "Plugin/team-label: exports no role that this host knows (sluice:render/renderer@0.1.0, sluice:transform/transformer@0.1.0, sluice:chart/chart-renderer@0.1.0); it exports nothing"
        ],
    );
    check(
        &component("(component (instance $e) (export \"acme:other/thing\" (instance $e)))"),
        &expect![
            "Plugin/team-label: exports no role that this host knows (sluice:render/renderer@0.1.0, sluice:transform/transformer@0.1.0, sluice:chart/chart-renderer@0.1.0); it exports acme:other/thing"
        ],
    );
}

#[test]
fn a_component_that_needs_a_newer_host_is_refused_with_both_versions() {
    let text = r#"(component (@custom "sluice:min-host" "9.1.0"))"#;
    check(
        &component(text),
        &expect![
            "Plugin/team-label: needs sluice 9.1.0 or newer, this is 0.1.0. Upgrade sluice, or use an older version of the plugin"
        ],
    );
}

/// A component that is a renderer by name, with what `core` says inside.
fn renderer(core: &str) -> Vec<u8> {
    component(&format!(
        r#"(component
            {core}
            (core module $m (func (export "render")))
            (core instance $i (instantiate $m))
            (func $render (canon lift (core func $i "render")))
            (instance $r (export "render" (func $render)))
            (export "sluice:render/renderer@0.1.0" (instance $r)))"#
    ))
}

#[test]
fn tables_instances_and_memories_have_limits_too() {
    let table = "(core module $t (table 1000000 funcref)) (core instance (instantiate $t))";
    let memory = "(core module $t (memory 60000)) (core instance (instantiate $t))";
    let instances = format!(
        "(core module $t) {}",
        "(core instance (instantiate $t))".repeat(100)
    );
    for (core, expected) in [
        (
            table,
            expect![
                "plugin team-label needs larger tables than limits.tableElements allows (100000); no flag raises it: give it less to do, as by dividing a Kustomization into several"
            ],
        ),
        (
            memory,
            expect![
                "plugin team-label needs more memory than limits.memory allows (256Mi); no flag raises it: give it less to do, as by dividing a Kustomization into several"
            ],
        ),
        (
            instances.as_str(),
            expect![
                "plugin team-label needs more instances, tables or memories than limits.instances allows (64); no flag raises it: give it less to do, as by dividing a Kustomization into several"
            ],
        ),
        // a role's name with a function of another type
        (
            "",
            expect![
                "plugin team-label gave a malformed answer: expected 1-tuple, found 0-tuple; this is a bug in the plugin"
            ],
        ),
    ] {
        let plugin = Plugin::compile(
            Engine::get().unwrap(),
            "team-label",
            &renderer(core),
            Limits::default(),
        )
        .unwrap();
        expected.assert_eq(&render(&plugin, "nothing").unwrap_err().to_string());
    }
}

#[test]
fn a_good_component_says_what_it_is() {
    let plugin = Plugin::compile(Engine::get().unwrap(), "sdk", &guest("sdk"), Limits::default()).unwrap();
    assert_eq!(
        plugin.roles(),
        [Role::Renderer, Role::Transformer, Role::ChartRenderer]
    );
    expect![[r#"
        sluice:chart/lookup@0.1.0
        sluice:host/log@0.1.0
        sluice:host/tree@0.1.0
        sluice:types/objects@0.1.0
        sluice:types/results@0.1.0"#]]
    .assert_eq(&plugin.imports().join("\n"));
    assert!(plugin.digest().starts_with("sha256:"));
}
