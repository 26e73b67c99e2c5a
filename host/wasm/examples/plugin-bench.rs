//! Measures what a call costs (B12 and half of B13 of the cost table).
//!
//! ```sh
//! cargo xtask plugins && cargo xtask guests
//! cargo run --release -p sluice-wasm --features builtin --example plugin-bench -- --echo GUEST    # instantiation, 1 MB echo
//! cargo run --release -p sluice-wasm --features builtin --example plugin-bench -- DIR PATH N      # renders PATH of DIR
//! # GUEST is guests-for-tests/misbehave.wasm; where DIR is a chart, it is rendered as one (B15)
//! ```
//!
//! The other half of B13, the same render natively: `plugins/{kustomize,helm}/examples`.

#![allow(clippy::print_stdout)] // this is a program for people at a terminal

use serde_json::json;
use sluice_artifact::{LocalTree, MemoryTree, Tree};
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_wasm::{
    ChartRelease, ChartRequest, Context, Detail, Engine, Inputs, Limits, Plugin, RenderRequest,
    THREAD_STACK_BYTES, builtin,
};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // as the program has them
    let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES);
    let measured = thread.spawn(|| run().map_err(|error| error.to_string()))?;
    Ok(measured.join().map_err(|_| "it panicked")??)
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let engine = Engine::get()?;
    let directory = args
        .next()
        .ok_or("plugin-bench (--echo GUEST | DIR [PATH [N]])")?;
    if directory == "--echo" {
        return calls(engine, Path::new(&args.next().ok_or("--echo GUEST")?));
    }
    let path = args.next().unwrap_or_else(|| "/".to_owned());
    let count = args.next().map_or(Ok(50), |count| count.parse())?;
    if Path::new(&directory).join("Chart.yaml").is_file() {
        return chart(engine, &directory, count);
    }
    let renderer = builtin::load(engine, "kustomize", Limits::default())?.renderer()?;
    let tree: Arc<dyn Tree> = Arc::new(in_memory(&LocalTree::open(
        Path::new(&directory),
        Default::default(),
    )?)?);
    let config = json!({"loadRestrictor": "none", "reorder": "none"});
    let request = RenderRequest {
        path: path.clone(),
        config,
        context: context(),
    };
    let render = measure(count, || {
        let inputs = Inputs {
            tree: Arc::clone(&tree),
            revision: String::new(),
            cluster: None,
        };
        renderer.render(&request, inputs).map(drop).map_err(Into::into)
    })?;
    println!("kustomize, {path}   {render}");
    Ok(())
}

/// What a call costs in which a guest does next to nothing: it starts, and it hands back an object of 1 MB that it reads.
fn calls(engine: &Arc<Engine>, guest: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let substitute = builtin::load(engine, "substitute", Limits::default())?;
    let instantiate = measure(5000, || substitute.check_start().map_err(Into::into))?;
    println!("instantiate    {instantiate}");

    let echo = Plugin::compile(engine, "echo", &std::fs::read(guest)?, Limits::default())?.renderer()?;
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "echo"}, "data": {"text": "x".repeat(1 << 20)}});
    let mut tree = MemoryTree::new();
    tree.add_file("/big", serde_json::to_vec(&object)?, false)?;
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let request = RenderRequest {
        path: "/".to_owned(),
        config: json!({"do": "echo"}),
        context: context(),
    };
    let echo = measure(500, || {
        let inputs = Inputs {
            tree: Arc::clone(&tree),
            revision: String::new(),
            cluster: None,
        };
        echo.render(&request, inputs).map(drop).map_err(Into::into)
    })?;
    println!("echo of 1 MB   {echo}");
    Ok(())
}

fn chart(engine: &Arc<Engine>, directory: &str, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let renderer = builtin::load(engine, "helm", Limits::default())?.chart_renderer()?;
    let local = LocalTree::open(Path::new(directory), Default::default())?;
    let tree: Arc<dyn Tree> = Arc::new(in_memory(&local)?);
    let request = ChartRequest {
        chart: "/".to_owned(),
        values: Vec::new(),
        release: ChartRelease {
            name: "bench".to_owned(),
            name_template: None,
            namespace: "bench".to_owned(),
            revision: 1,
            is_upgrade: false,
        },
        is_offline: true,
        skip_schema_validation: false,
        include_subchart_notes: false,
        include_crds: false,
        detail: Detail::Objects,
        now: 0,
        seed: vec![7; 32],
        config: json!({}),
        context: context(),
    };
    let render = measure(count, || {
        let inputs = Inputs {
            tree: Arc::clone(&tree),
            revision: String::new(),
            cluster: None,
        };
        renderer.render(&request, inputs).map(drop).map_err(Into::into)
    })?;
    println!("helm, {directory}   {render}");
    Ok(())
}

/// The files of a tree, read once, so that the disk is not measured.
fn in_memory(local: &dyn Tree) -> Result<MemoryTree, Box<dyn std::error::Error>> {
    let mut tree = MemoryTree::new();
    for entry in local.walk("/")? {
        tree.add_file(&entry.path, local.read(&entry.path)?, false)?;
    }
    Ok(tree)
}

fn measure(
    count: usize,
    mut run: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, Box<dyn std::error::Error>> {
    run()?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        run()?;
        times.push(started.elapsed());
    }
    times.sort();
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or(Duration::ZERO)
    };
    Ok(format!(
        "p50 {:?}  p99 {:?}  min {:?}  ({count} times)",
        at(50),
        at(99),
        at(0)
    ))
}

fn context() -> Context {
    let subject = ObjectId {
        gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        namespace: Some("flux-system".to_owned()),
        name: "bench".to_owned(),
    };
    Context {
        subject,
        kube_version: "v1.34.1".to_owned(),
        api_versions: Vec::<String>::new(),
        labels: Vec::new(),
    }
}
