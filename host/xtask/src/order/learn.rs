//! Learns the order from the project's own examples: the demo, the golden cases of the plugins, and the charts of the corpus.

use super::guest;
use super::trace::functions_run;
use crate::{conformance, plugins, shell};
use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Learns from a program that is there and has its names, else from one that is built here.
pub(super) fn run(args: &[String]) -> Result<()> {
    let program = match args {
        [] => build()?,
        [program] => program.into(),
        _ => bail!("usage: order [PROGRAM]"),
    };
    let program = program
        .canonicalize()
        .with_context(|| program.display().to_string())?;
    let functions = Functions::of(&program)?;
    let starts: Vec<u64> = functions.names.keys().copied().collect();
    let mut met = Met::default();
    let works = works()?;
    for (done, work) in works.iter().enumerate() {
        met.add(functions_run(&program, &work.args, &work.folder, &starts)?);
        if done % 100 == 0 {
            println!("order: {done} of {}, {} functions", works.len(), met.of.len());
        }
    }
    functions.write(&met.in_order())
}

/// The program as it is shipped, but with names; those do not depend on whether they are kept.
fn build() -> Result<PathBuf> {
    plugins::run(&[])?;
    let args = "rustc --profile dist --package sluice --bin sluice -- -C strip=none";
    shell::run(&mut shell::cargo(&args.split(' ').collect::<Vec<_>>()))?;
    Ok(shell::target().join("dist/sluice"))
}

/// What the program is asked to do.
struct Work {
    folder: PathBuf,
    args: Vec<String>,
}

fn works() -> Result<Vec<Work>> {
    let root = shell::root().canonicalize()?;
    let work = |folder: &Path, args: &[&str]| Work {
        folder: folder.to_owned(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
    };
    let mut works = vec![work(&root, &["demo"]), work(&root, &["--help"])];
    for case in shell::folders(&root.join("plugins/kustomize/tests"))? {
        works.push(work(&case, &["build", "kustomize", "input"]));
    }
    for chart in charts(&root)? {
        works.push(work(&chart, &["build", "helm", "release", "."]));
    }
    Ok(works)
}

/// Our own charts, and those of the corpus.
fn charts(root: &Path) -> Result<Vec<PathBuf>> {
    let mut charts = shell::find("Chart.yaml", &root.join("plugins/helm/tests"))?;
    match conformance::corpus() {
        Some(corpus) => {
            let charts_of_others = conformance::unpacked(&corpus, "helm-shared")?.join("charts");
            charts.extend(shell::folders(&charts_of_others.canonicalize()?)?);
        }
        None => println!("order: SKIPPED: the charts of the corpus, which is not here"),
    }
    Ok(charts)
}

/// How often functions were met, and when first.
#[derive(Default)]
struct Met {
    of: HashMap<u64, (usize, usize)>,
}

impl Met {
    fn add(&mut self, run: Vec<u64>) {
        for address in run {
            let next = self.of.len();
            self.of.entry(address).or_insert((0, next)).0 += 1;
        }
    }

    /// What every work needs first, then what fewer do.
    fn in_order(&self) -> Vec<u64> {
        let mut order: Vec<_> = self.of.iter().collect();
        order.sort_by_key(|(_, (times, first))| (usize::MAX - times, *first));
        order.into_iter().map(|(address, _)| *address).collect()
    }
}

/// Whose function it is: the program's own, or that of a plugin.
type Owner = Option<String>;

/// Where functions start, and their names.
#[derive(Default)]
struct Functions {
    names: BTreeMap<u64, Vec<(Owner, String)>>,
}

impl Functions {
    fn of(program: &Path) -> Result<Self> {
        let bytes = fs::read(program)?;
        let file = object::File::parse(&*bytes)?;
        let mut functions = Self::default();
        functions.add_own(&file)?;
        for folder in shell::folders(&shell::root().join("plugins"))? {
            let plugin = folder.file_name().unwrap_or_default().to_string_lossy();
            functions
                .add_plugin(&plugin, &bytes, &file)
                .with_context(|| format!("plugin {plugin}"))?;
        }
        Ok(functions)
    }

    /// The program's own.
    fn add_own(&mut self, file: &object::File<'_>) -> Result<()> {
        for symbol in file.symbols() {
            if symbol.is_definition() && symbol.kind() == SymbolKind::Text && symbol.size() > 0 {
                let name = symbol.name()?.to_owned();
                self.add(symbol.address(), None, name);
            }
        }
        Ok(())
    }

    /// Those of a plugin, which lies in the program as it was compiled.
    fn add_plugin(&mut self, plugin: &str, bytes: &[u8], file: &object::File<'_>) -> Result<()> {
        let made = |extension: &str| shell::target().join(format!("plugins/{plugin}.{extension}"));
        let compiled = made("cwasm");
        if !compiled.is_file() {
            return Ok(());
        }
        let compiled = fs::read(&compiled)?;
        let address = address_of(&compiled, bytes, file)?;
        // symbols of compiled code are cut where they are long
        let named = guest::names(&fs::read(made("core.wasm"))?)?;
        let module = object::File::parse(&*compiled)?;
        let text = module
            .section_by_name(".text")
            .and_then(|text| text.file_range())
            .context("it has no code")?;
        for symbol in module.symbols().filter(|symbol| symbol.size() > 0) {
            // `wasm[0]::function[7]::NAME`
            if let Some((_, rest)) = symbol.name()?.split_once("]::function[")
                && let Some((index, _)) = rest.split_once(']')
                && let Some(name) = named.get(&index.parse()?)
            {
                let at = address + text.0 + symbol.address();
                self.add(at, Some(plugin.to_owned()), name.clone());
            }
        }
        Ok(())
    }

    fn add(&mut self, at: u64, owner: Owner, name: String) {
        self.names.entry(at).or_default().push((owner, name));
    }

    fn write(&self, order: &[u64]) -> Result<()> {
        let mut lists: BTreeMap<&Owner, Vec<&str>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for (owner, name) in order.iter().filter_map(|at| self.names.get(at)).flatten() {
            if seen.insert((owner, name)) {
                lists.entry(owner).or_default().push(name);
            }
        }
        for (owner, names) in lists {
            let path = match owner {
                None => "host/cli/functions.order".to_owned(),
                Some(plugin) => format!("plugins/{plugin}/functions.order"),
            };
            let text = names.join("\n");
            let text = format!(
                "# Made by `cargo xtask order`: what runs most often stands first (ADR 0032).\n{text}\n"
            );
            fs::write(shell::root().join(&path), text).with_context(|| path.clone())?;
            println!("order: {} functions in {path}", names.len());
        }
        Ok(())
    }
}

/// Where a part that a program has in its file, byte by byte and from a page's start, lies while it runs.
fn address_of(part: &[u8], bytes: &[u8], file: &object::File<'_>) -> Result<u64> {
    let offset = (0..bytes.len())
        .step_by(4096)
        .find(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(part)));
    let offset = u64::try_from(offset.context("it is not in the program as it was compiled")?)?;
    let address = file
        .segments()
        .find(|segment| {
            let (start, size) = segment.file_range();
            (start..start + size).contains(&offset)
        })
        .map(|segment| segment.address() + offset - segment.file_range().0);
    address.context("it is in no segment")
}
