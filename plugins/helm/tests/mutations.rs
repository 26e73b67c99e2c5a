//! Templates, assignments and archives with bytes changed at random: whatever they are, there is an answer, and soon.
//! Not random: the same mutants in every run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use crate::corpus;

use std::{fs, path::Path};

use flate2::{Compression, write::GzEncoder};
use sluice_plugin_helm::{
    Map, Value,
    chart::load_archive,
    functions::{self, Environment, Timestamp},
    strvals,
    template::{MissingKey, Render, Set},
    values::Table,
};

const MUTANTS: usize = 10_000;

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    /// One to four changes: a byte, a piece left out, a piece twice, a piece of another text.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let (a, b) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
            let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
            match self.below(5) {
                0 if from < bytes.len() => bytes[from] = u8::try_from(self.below(256)).unwrap(),
                1 if from < bytes.len() => bytes[from] = b"{}()|.$\"`:=-,[]0 \n"[self.below(18)],
                2 => drop(bytes.drain(from..to)),
                3 => {
                    let piece = bytes[from..to].to_vec();
                    bytes.splice(from..from, piece);
                }
                _ => {
                    let other = &seeds[self.below(seeds.len())];
                    let start = self.below(other.len() + 1);
                    let end = (start + self.below(40)).min(other.len());
                    bytes.splice(from..to, other[start..end].iter().copied());
                }
            }
        }
        bytes
    }
}

fn in_guest_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    thread.spawn(test).unwrap().join().unwrap();
}

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// The templates of the tables of functions and of the language.
fn templates() -> Vec<Vec<u8>> {
    let mut templates: Vec<Vec<u8>> = Vec::new();
    for file in fs::read_dir(here("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        let table = fs::read_to_string(file).unwrap();
        // keys take long to make, whatever the template around them says
        let rows = table.lines().filter(|row| {
            !["gen", "bcrypt", "htpasswd", "derivePassword"]
                .iter()
                .any(|name| row.contains(name))
        });
        templates.extend(rows.filter_map(|row| Some(row.split_once('\t')?.0.as_bytes().to_vec())));
    }
    for row in corpus::lines(&here("language/cases.jsonl")) {
        templates.extend(row[0].as_str().map(|template| template.as_bytes().to_vec()));
    }
    templates
}

/// N25.
#[test]
fn mutated_templates_have_an_answer() {
    in_guest_stack(|| {
        let seeds = templates();
        assert!(seeds.len() > 400, "only {} templates", seeds.len());
        let environment = Environment::new(Timestamp::default(), [0; 32]);
        let list = Value::List(
            [Value::int(1), Value::from("a"), Value::Nil]
                .into_iter()
                .collect(),
        );
        let values: Map = [("a", Value::int(1)), ("list", list), ("text", Value::from("x"))]
            .into_iter()
            .collect();
        let mut numbers = Numbers(0x5EED);
        let mut rendered = 0;
        for _ in 0..MUTANTS {
            let source = numbers.mutate(&seeds);
            let mut set = Set::default();
            if set.add("t", source.as_slice(), functions::all()).is_err() {
                continue;
            }
            let data: Map = [("Values", Value::Map(values.clone()))].into_iter().collect();
            let render = Render::new(&set, functions::all(), &environment, MissingKey::Zero);
            rendered += usize::from(render.execute("t", &Value::Map(data)).is_ok());
        }
        assert!(rendered > MUTANTS / 20, "only {rendered} of the mutants render");
    });
}

/// N25.
#[test]
fn mutated_assignments_have_an_answer() {
    let seeds: Vec<Vec<u8>> = [
        "a=1,b.c=true,d[0]=x,e={1,2,3}",
        "a.b.c[2].d=null,x\\,y=z,k={},l=",
        "outer.inner[1][2]={a,b\\,c},t=007",
        "{\"a\": [1, {\"b\": null}], \"c\": 1.5}",
        "a={\"x\":1},b=[1,2]",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    let mut numbers = Numbers(0xA551);
    let mut set = 0;
    for _ in 0..MUTANTS {
        let text = String::from_utf8_lossy(&numbers.mutate(&seeds)).into_owned();
        let table = &mut Table::new();
        set += usize::from(strvals::set(&text, table).is_ok());
        let _ = strvals::set_string(&text, table);
        let _ = strvals::set_json(&text, table);
        let _ = strvals::set_literal(&text, table);
        let _ = strvals::set_file(&text, table, &|name| Ok(name.as_bytes().to_vec()));
    }
    assert!(set > MUTANTS / 20, "only {set} of the mutants set something");
}

/// N25.
#[test]
fn mutated_archives_have_an_answer() {
    let files: [(&str, &[u8]); 5] = [
        ("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: sub, version: '*', alias: b}]\n"),
        ("web/values.yaml", b"a: &a {b: [1, 2]}\nc: *a\n---\nd: 1\n"),
        ("web/.helmignore", b"*.bak\n!a\n/b/\n"),
        ("web/charts/sub/Chart.yaml", b"apiVersion: v1\nname: sub\nversion: 0.1.0\n"),
        ("web/templates/a.yaml", b"kind: A\n"),
    ];
    let mut builder = tar::Builder::new(Vec::new());
    for (path, data) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        builder.append_data(&mut header, path, data).unwrap();
    }
    let seeds = vec![builder.into_inner().unwrap()];
    let mut numbers = Numbers(0x7A2);
    let mut loaded = 0;
    for index in 0..MUTANTS {
        // now the archive, now what is packed around it
        let mut tar = if index % 4 == 0 {
            seeds[0].clone()
        } else {
            numbers.mutate(&seeds)
        };
        if index % 4 == 1 {
            mend(&mut tar);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut encoder, &tar).unwrap();
        let mut packed = encoder.finish().unwrap();
        if index % 4 == 0 {
            packed = numbers.mutate(&[packed]);
        }
        loaded += usize::from(load_archive(&packed).is_ok());
    }
    assert!(loaded > MUTANTS / 20, "only {loaded} of the mutants load");
}

/// Makes the checksums of headers right, so that more than checksums is tested.
fn mend(tar: &mut [u8]) {
    for block in tar.chunks_exact_mut(512) {
        let is_header = block[257..].starts_with(b"ustar");
        if is_header {
            block[148..156].copy_from_slice(b"        ");
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
}
