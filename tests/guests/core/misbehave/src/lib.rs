//! A renderer that does what its configuration says: `{"do": "loop"}` comes as the bytes `loop`.
//! Made of raw bindings, because the SDK would not let it lie.

use std::hint::black_box;

wit_bindgen::generate!({
    path: ["../../../../wit/types", "../../../../wit/host", "../../../../wit/render"],
    inline: "
        package guest:misbehave;
        world misbehave {
            import sluice:host/tree@0.1.0;
            import sluice:host/revision@0.1.0;
            import sluice:host/log@0.1.0;
            export sluice:render/renderer@0.1.0;
        }
    ",
    world: "guest:misbehave/misbehave",
    generate_all,
});

use exports::sluice::render::renderer::{Failure, Finding, Guest, Object, Rendered, Request};
use sluice::host::log::{Level, log};
use sluice::host::{revision, tree};
use sluice::types::objects::{ObjectId, Origin};
use sluice::types::results::{Report, Severity};

struct Misbehave;
export!(Misbehave);

const MIB: usize = 1 << 20;

impl Guest for Misbehave {
    fn render(request: Request) -> Result<Rendered, Failure> {
        // "do" is all that the tests configure
        let config = String::from_utf8(request.config).unwrap_or_default();
        let deed = config.trim_start_matches("{\"do\":\"").trim_end_matches("\"}");
        let objects = match deed {
            "loop" => loop {
                black_box(0);
            },
            "memory-copy-loop" => {
                let mut bytes = vec![0u8; 64 * MIB];
                loop {
                    bytes.copy_within(..32 * MIB, 32 * MIB);
                    black_box(&mut bytes);
                }
            }
            "allocate" => {
                let mut all = Vec::new();
                loop {
                    all.push(black_box(vec![1u8; MIB]));
                }
            }
            "recurse" => vec![config_map(&recurse(1).to_string())],
            "trap" => core::arch::wasm32::unreachable(),
            "wild-pointer" => {
                let wild = black_box(0xffff_0000usize as *const u32);
                vec![config_map(&unsafe { wild.read_volatile() }.to_string())]
            }
            "panic" => panic!("there is no spoon"),
            "said-panic" => {
                let fields = [("panic".to_owned(), "src/spoon.rs:7".to_owned())];
                log(Level::Error, "there is no spoon", &fields);
                core::arch::wasm32::unreachable()
            }
            "divide-by-zero" => vec![config_map(&(black_box(1) / black_box(0)).to_string())],
            "huge-output" => vec![object("huge", vec![b' '; 80 * MIB])],
            "shared-output" => shared_output(),
            "huge-log-call" => {
                log(Level::Info, &"x".repeat(80 * MIB), &[]);
                Vec::new()
            }
            "host-calls" => loop {
                let _ = tree::read("/source/missing");
            },
            "read-a-lot" => {
                let paths = vec!["/source/big".to_owned(); 1000];
                vec![config_map(&tree::read_many(&paths).len().to_string())]
            }
            "read-too-large" => vec![config_map(&format!("{:?}", tree::read("/source/big")))],
            "log-flood" => {
                for line in 0..10_000 {
                    log(Level::Info, &format!("line {line}"), &[]);
                }
                Vec::new()
            }
            "body-not-utf8" => vec![object("x", vec![0xff, 0xfe])],
            "body-not-json" => vec![object("x", b"{not json".to_vec())],
            "body-not-an-object" => vec![object("x", b"[1]".to_vec())],
            "body-without-kind" => vec![object(
                "x",
                br#"{"apiVersion":"v1","metadata":{"name":"x"}}"#.to_vec(),
            )],
            "body-deeply-nested" => vec![object("x", "[".repeat(100_000).into_bytes())],
            "other-identity" => vec![object("x", body("y"))],
            "string-not-utf8" => {
                let name = unsafe { String::from_utf8_unchecked(vec![0xff]) };
                vec![object(&name, body("x"))]
            }
            "canary" => vec![config_map(&canary().to_string())],
            "tree" => vec![config_map(&explore())],
            "revision" => vec![config_map(&revision::revision())],
            "terminal" => return Err(Failure::Terminal(report("BuildFailed", "this will never work"))),
            "transient" => return Err(Failure::Transient(report("Upstream", "this may work later"))),
            "echo" => vec![object("echo", tree::read("/source/big").unwrap_or_default())],
            _ => vec![config_map(deed)],
        };
        let finding = Finding {
            severity: Severity::Info,
            message: "did it".to_owned(),
            code: Some("done".to_owned()),
            object: None,
            field: None,
            file: None,
            line: Some(1),
            hint: None,
        };
        Ok(Rendered {
            objects,
            findings: vec![finding],
        })
    }
}

fn report(reason: &str, message: &str) -> Report {
    Report {
        reason: reason.to_owned(),
        message: message.to_owned(),
        findings: Vec::new(),
    }
}

#[inline(never)]
#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    black_box(recurse(depth + 1)) + frame[7]
}

/// 100 000 objects whose bodies are all the same megabyte: 100 GB if the host copies each.
fn shared_output() -> Vec<Object> {
    let shared: &'static mut [u8] = vec![b' '; MIB].leak();
    let body = |_| unsafe { Vec::from_raw_parts(shared.as_ptr().cast_mut(), MIB, MIB) };
    (0..100_000).map(|index| object("shared", body(index))).collect()
}

/// Looks for what an earlier call left behind, and leaves it behind: how often the mark was found in fresh memory.
fn canary() -> usize {
    const MARK: u64 = 0x5afe_c0de_d00d_f00d;
    let mut memory: Vec<u64> = Vec::with_capacity(16 * MIB / 8);
    let fresh = memory.as_mut_ptr();
    let mut found = 0;
    for index in 0..16 * MIB / 8 {
        unsafe {
            found += usize::from(fresh.add(index).read_volatile() == MARK);
            fresh.add(index).write_volatile(MARK);
        }
    }
    found
}

fn explore() -> String {
    let show = |answer: Result<Vec<tree::Entry>, tree::TreeError>| match answer {
        Ok(entries) => entries
            .iter()
            .map(|entry| format!("{}:{}", entry.path, entry.size))
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => format!("{error:?}"),
    };
    let read = |path: &str| match tree::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("{error:?}"),
    };
    [
        show(tree::read_dir("/")),
        show(tree::read_dir("/source")),
        show(tree::walk("/source")),
        show(tree::walk("/source/a.yaml")),
        read("/source/a.yaml"),
        read("/source/dir"),
        read("/source/../../etc/passwd"),
        read("/etc/passwd"),
        read("a.yaml"),
    ]
    .join(" | ")
}

fn body(name: &str) -> Vec<u8> {
    format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}}}}"#).into_bytes()
}

fn config_map(text: &str) -> Object {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    let body = format!(
        r#"{{"apiVersion":"v1","data":{{"text":"{text}"}},"kind":"ConfigMap","metadata":{{"name":"x"}}}}"#
    );
    object("x", body.into_bytes())
}

fn object(name: &str, body: Vec<u8>) -> Object {
    let id = ObjectId {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: None,
        name: name.to_owned(),
    };
    Object {
        id,
        body,
        origin: Some(Origin {
            path: "a.yaml".to_owned(),
            index: 0,
            line: 1,
        }),
    }
}
