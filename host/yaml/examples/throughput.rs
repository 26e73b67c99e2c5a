//! Megabytes a second for a file given by name: `cargo run --release -p sluice-yaml --example throughput -- FILE`.
//!
//! Prints the best of several runs for reading, cloning, converting and printing.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods
)]

use std::time::Instant;

use sluice_yaml::{
    EmitV3, ParseOptions, Resolver, emit_v2, emit_v2_node_into, emit_v3, parse_documents, to_json,
};

fn measure<T>(name: &str, bytes: usize, mut run: impl FnMut() -> T) -> T {
    let mut best = f64::MAX;
    let mut last = None;
    for _ in 0..7 {
        let start = Instant::now();
        let result = run();
        best = best.min(start.elapsed().as_secs_f64());
        last = Some(result);
    }
    println!("{name:28} {:8.1} MB/s", bytes as f64 / best / 1e6);
    last.unwrap()
}

fn main() {
    let file = std::env::args().nth(1).expect("a YAML file");
    let text = std::fs::read_to_string(file).unwrap();
    let size = text.len();
    let documents = measure("parse", size, || {
        parse_documents(&text, &ParseOptions::default()).unwrap()
    });
    measure("clone", size, || documents.clone());
    let values = measure("to_json", size, || {
        documents
            .iter()
            .map(|d| to_json(&d.root, Resolver::V3).unwrap())
            .collect::<Vec<_>>()
    });
    measure("emit_v2_node (V3)", size, || {
        let mut out = String::new();
        documents
            .iter()
            .for_each(|d| emit_v2_node_into(&d.root, Resolver::V3, &mut out).unwrap());
        out.len()
    });
    measure("emit_v2 (JSON)", size, || {
        values.iter().map(|v| emit_v2(v).len()).sum::<usize>()
    });
    measure("emit_v3", size, || {
        documents
            .iter()
            .map(|d| emit_v3(&d.root, &EmitV3::default()).len())
            .sum::<usize>()
    });
}
