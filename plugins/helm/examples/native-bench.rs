//! `native-bench DIR [N]`: renders a chart N times natively, from memory; half of B15 of the cost table
//! (`host/wasm/examples/plugin-bench` measures the same in the sandbox).

#![allow(clippy::print_stdout, reason = "a command prints")]

use std::{
    path::Path,
    rc::Rc,
    time::{Duration, Instant},
};

use sluice_plugin_helm::{
    Error, Request,
    chart::{Entry, Tree, load_tree},
    functions::{Environment, Timestamp},
    release::Release,
    render,
};

/// The files of a directory, read once, so that the disk is not measured.
#[derive(Default)]
struct Memory(Vec<(String, Vec<u8>)>);

impl Memory {
    fn add(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add(&entry.path(), &format!("{name}/"))?;
            } else {
                self.0.push((name, std::fs::read(entry.path())?));
            }
        }
        self.0.sort();
        Ok(())
    }
}

impl Tree for Memory {
    fn walk(&self) -> Result<Vec<Entry>, Error> {
        let entry = |(name, data): &(String, Vec<u8>)| Entry {
            name: name.clone(),
            size: data.len() as u64,
        };
        Ok(self.0.iter().map(entry).collect())
    }

    fn read(&self, names: &[&str]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |name: &&str| {
            let found = self.0.binary_search_by(|(file, _)| file.as_str().cmp(name));
            let found = found.ok().and_then(|at| self.0.get(at));
            found
                .map(|(_, data)| data.clone())
                .ok_or_else(|| Error::new(format!("no file {name}")))
        };
        names.iter().map(read).collect()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let directory = args.next().ok_or("native-bench DIR [N]")?;
    let count: usize = args.next().map_or(Ok(50), |count| count.parse())?;
    let mut files = Memory::default();
    files.add(Path::new(&directory), "")?;
    let files: Rc<dyn Tree> = Rc::new(files);
    let request = Request {
        release: Release {
            name: "bench".to_owned(),
            namespace: "bench".to_owned(),
            revision: 1,
            ..Release::default()
        },
        ..Request::default()
    };
    let mut times = Vec::with_capacity(count);
    for _ in 0..=count {
        let started = Instant::now();
        let environment = Environment::new(Timestamp::default(), [7; 32]);
        let rendered = render(|| load_tree(&files), &request, &environment)?;
        // what the plugin does with the values
        serde_json::to_vec(&rendered.values_json())?;
        times.push(started.elapsed());
    }
    times.remove(0); // the first warms the caches
    times.sort();
    let at = |percent: usize| {
        let time = times.get(times.len() * percent / 100).copied();
        time.unwrap_or(Duration::ZERO)
    };
    println!(
        "native, {directory}   p50 {:?}  p99 {:?}  min {:?}  ({count} times)",
        at(50),
        at(99),
        at(0)
    );
    Ok(())
}
