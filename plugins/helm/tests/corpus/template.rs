//! `helm template` over the library: its flags, and what it prints.

use std::{fs, path::Path, rc::Rc};

use sluice_plugin_helm::{
    Error, Failure, Request, Wanted, chart,
    functions::{Environment, Timestamp},
    manifest::split,
    release::{KubeVersion, Release},
    render,
    values::{Source, ValuesFile},
};

/// What is printed, and the notes.
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) notes: Option<String>,
    pub(crate) warnings: Vec<String>,
}

#[derive(Default)]
struct Flags {
    no_hooks: bool,
    skip_tests: bool,
    show_only: Vec<String>,
}

/// Renders with the arguments of the program; paths are below `root`.
pub(crate) fn run(
    root: &Path,
    release: &str,
    chart: &str,
    args: &[&str],
    wanted: Wanted,
) -> Result<Printed, Failure> {
    let (mut request, flags) = request(root, release, args)?;
    request.wanted = wanted;
    let now = Timestamp {
        seconds: 1_700_000_000,
        nanoseconds: 0,
    };
    let environment = Environment::new(now, [7; 32]);
    let path = root.join(chart);
    let load = || {
        if path.is_dir() {
            let tree: Rc<dyn chart::Tree> = Rc::new(super::Directory(path.clone()));
            chart::load_tree(&tree)
        } else {
            chart::load_archive(&fs::read(&path).unwrap())
        }
    };
    let rendered = render(load, &request, &environment)?;
    let mut text = String::new();
    let mut add = |path: &str, content: &str| text.push_str(&format!("---\n# Source: {path}\n{content}\n"));
    for (path, content) in &rendered.crds {
        add(path, &content.to_str());
    }
    rendered
        .manifests
        .iter()
        .for_each(|manifest| add(&manifest.path, &manifest.text));
    let mut text = format!("{}\n", text.trim());
    for hook in rendered.hooks.iter().filter(|_| !flags.no_hooks) {
        if !(flags.skip_tests && hook.events.iter().any(|event| event == "test")) {
            let (path, content) = (&hook.manifest.path, &hook.manifest.text);
            text.push_str(&format!("---\n# Source: {path}\n{content}\n"));
        }
    }
    if !flags.show_only.is_empty() {
        text = show_only(&text, &flags.show_only)?;
    }
    Ok(Printed {
        text,
        notes: rendered.notes,
        warnings: rendered.warnings,
    })
}

fn file(root: &Path, name: &str) -> Result<ValuesFile, Error> {
    let content = fs::read(root.join(name))
        .map_err(|_| Error::new(format!("open {name}: no such file or directory")))?;
    Ok(ValuesFile {
        name: name.to_owned(),
        content,
    })
}

fn request(root: &Path, release: &str, args: &[&str]) -> Result<(Request, Flags), Error> {
    let mut flags = Flags::default();
    let mut by_kind: [Vec<Source>; 6] = Default::default();
    let mut request = Request {
        release: Release {
            name: release.to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            ..Release::default()
        },
        ..Request::default()
    };
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        let mut value = || args.next().map(|text| (*text).to_owned()).unwrap();
        match *flag {
            "--include-crds" => request.include_crds = true,
            "--no-hooks" => flags.no_hooks = true,
            "--skip-tests" => flags.skip_tests = true,
            "--is-upgrade" => request.release.is_upgrade = true,
            "--skip-schema-validation" => request.skip_schema_validation = true,
            "--render-subchart-notes" => request.include_subchart_notes = true,
            "--namespace" => request.release.namespace = value(),
            "--name-template" => request.name_template = Some(value()),
            "--show-only" => flags.show_only.push(value()),
            "--kube-version" => request.capabilities.kube_version = KubeVersion::parse(&value())?,
            "--api-versions" => request
                .capabilities
                .api_versions
                .extend(value().split(',').map(str::to_owned)),
            "-f" => by_kind[0].push(Source::File(file(root, &value())?)),
            "--set-json" => by_kind[1].push(Source::SetJson(value())),
            "--set" => by_kind[2].push(Source::Set(value())),
            "--set-string" => by_kind[3].push(Source::SetString(value())),
            "--set-file" => {
                let assignment = value();
                let names = assignment
                    .split(',')
                    .filter_map(|part| Some(part.split_once('=')?.1));
                let files = names.filter_map(|name| file(root, name).ok()).collect();
                by_kind[4].push(Source::SetFile(assignment, files));
            }
            "--set-literal" => by_kind[5].push(Source::SetLiteral(value())),
            other => panic!("{other} is not known here"),
        }
    }
    request.values = by_kind.into_iter().flatten().collect();
    Ok((request, flags))
}

fn show_only(text: &str, wanted: &[String]) -> Result<String, Error> {
    let mut shown = String::new();
    for pattern in wanted {
        let before = shown.len();
        for (_, document) in split(text) {
            let name = document
                .lines()
                .find_map(|line| line.split_once("# Source: ")?.1.split_once('/'));
            if name.is_some_and(|(_, name)| chart::matches(pattern, name).unwrap_or(false)) {
                shown.push_str(&format!("---\n{document}\n"));
            }
        }
        if shown.len() == before {
            return Err(Error::new(format!("could not find template {pattern} in chart")));
        }
    }
    Ok(shown)
}
