//! Testing plugins natively, without WebAssembly.
//!
//! - one call: [`transform`] and [`render`] take YAML and give objects;
//! - golden cases: [`transformer_cases`] and [`renderer_cases`] run every folder of `tests/`; `UPDATE_EXPECT=1` rewrites
//!   what they expect. The same folders run in the real engine, for plugins of any language.

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::renderer::Renderer;
use crate::transformer::Transformer;
use crate::{Object, ObjectId, Objects, Origin, Tree};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sluice_yaml::{ParseOptions, Resolver};
#[cfg(not(target_arch = "wasm32"))]
use std::path::{Path, PathBuf};
#[cfg(not(target_arch = "wasm32"))]
use std::{fs, io};

#[cfg(not(target_arch = "wasm32"))]
pub use crate::log::Line;

/// Runs a transformer over a YAML stream of objects.
pub fn transform<T: Transformer>(config: &str, objects: &str) -> Result<Objects> {
    let mut objects = objects_from_yaml(objects, None)?;
    let context = context();
    plugin::<T>(config)?.transform(&mut objects, &context)?;
    Ok(objects)
}

/// Runs a renderer over a directory of a tree: `render::<P>("{}", &Tree::from([("a.yaml", "…")]), "/source")`.
pub fn render<T: Renderer>(config: &str, tree: &Tree, path: &str) -> Result<Objects> {
    plugin::<T>(config)?.render(tree, path, &context())
}

/// The context that these tests run in.
pub fn context() -> Context {
    let subject = ObjectId {
        api_version: "kustomize.toolkit.fluxcd.io/v1".to_owned(),
        kind: "Kustomization".to_owned(),
        namespace: Some("default".to_owned()),
        name: "test".to_owned(),
    };
    Context::new(
        subject,
        "v1.34.1".to_owned(),
        vec!["v1".to_owned(), "apps/v1".to_owned()],
        Vec::new(),
    )
}

/// What was logged on this thread since the last call, oldest first.
#[cfg(not(target_arch = "wasm32"))]
pub fn log() -> Vec<Line> {
    crate::log::fake::LINES.take()
}

/// The documents of a YAML stream as objects. `file` gives them origins.
pub fn objects_from_yaml(text: &str, file: Option<&str>) -> Result<Objects> {
    let documents = sluice_yaml::parse_documents(text, &ParseOptions::new(Resolver::V2))?;
    let mut objects = Objects::default();
    for (index, document) in documents.iter().enumerate() {
        let body = match sluice_yaml::to_json(&document.root, Resolver::V2)? {
            Value::Object(body) => body,
            Value::Null => continue,
            other => {
                return Err(Failure::terminal(format!(
                    "document {index} is no mapping: {other}"
                )));
            }
        };
        let origin = file.map(|path| Origin {
            path: path.to_owned(),
            index: u32::try_from(index).unwrap_or(u32::MAX),
            line: document.position.line,
        });
        objects.push(Object::new(body).with_origin(origin));
    }
    Ok(objects)
}

/// Objects as a YAML stream.
pub(crate) fn to_yaml(objects: &Objects) -> String {
    let document = |object: &Object| sluice_yaml::emit_v2(&Value::Object(object.body().clone()));
    objects.iter().map(document).collect::<Vec<_>>().join("---\n")
}

/// Runs a transformer over the cases in `tests`: folders with `input/*.yaml`, `config.yaml`, and `expected.yaml` or
/// `expected-error.txt`. Gives how many there are, or every difference.
#[cfg(not(target_arch = "wasm32"))]
pub fn transformer_cases<T: Transformer>(tests: impl AsRef<Path>) -> std::result::Result<usize, String> {
    run_cases(tests.as_ref(), |case| {
        let mut objects = Objects::default();
        for path in yaml_files(&case.join("input"))? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            for object in objects_from_yaml(&fs::read_to_string(&path)?, Some(&name))? {
                objects.push(object);
            }
        }
        plugin::<T>(&config(case)?)?.transform(&mut objects, &context())?;
        Ok(objects)
    })
}

/// Runs a renderer over the cases in `tests`: folders with `input/` (the tree), `config.yaml`, and `expected.yaml` or
/// `expected-error.txt`. Gives how many there are, or every difference.
#[cfg(not(target_arch = "wasm32"))]
pub fn renderer_cases<T: Renderer>(tests: impl AsRef<Path>) -> std::result::Result<usize, String> {
    run_cases(tests.as_ref(), |case| {
        let mut files = Vec::new();
        read_tree(&case.join("input"), "", &mut files)?;
        plugin::<T>(&config(case)?)?.render(&files.into_iter().collect(), "/source", &context())
    })
}

#[cfg(not(target_arch = "wasm32"))]
fn read_tree(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_tree(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn plugin<T: DeserializeOwned>(config: &str) -> Result<T> {
    let document = sluice_yaml::parse_document(config, &ParseOptions::new(Resolver::V2))?;
    let value = match document {
        Some(document) => sluice_yaml::to_json(&document.root, Resolver::V2)?,
        None => Value::Null,
    };
    let value = if value.is_null() {
        Value::Object(Map::new())
    } else {
        value
    };
    serde_json::from_value(value)
        .map_err(|error| Failure::terminal(format!("configuration: {error}")).with_reason("InvalidConfig"))
}

#[cfg(not(target_arch = "wasm32"))]
fn config(case: &Path) -> Result<String> {
    match fs::read_to_string(case.join("config.yaml")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        config => Ok(config?),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn yaml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    Ok(paths)
}

#[cfg(not(target_arch = "wasm32"))]
fn run_cases(tests: &Path, run: impl Fn(&Path) -> Result<Objects>) -> std::result::Result<usize, String> {
    let unreadable = |error: io::Error| format!("{}: {error}", tests.display());
    let entries = fs::read_dir(tests)
        .map_err(unreadable)?
        .collect::<io::Result<Vec<_>>>()
        .map_err(unreadable)?;
    let mut cases: Vec<PathBuf> = entries
        .iter()
        .map(|entry| entry.path())
        .filter(|path| path.join("input").is_dir())
        .collect();
    cases.sort();
    let differences: Vec<String> = cases
        .iter()
        .filter_map(|case| difference(case, &run(case)))
        .collect();
    if differences.is_empty() {
        Ok(cases.len())
    } else {
        Err(differences.join("\n"))
    }
}

/// What a case gives that it should not. With `UPDATE_EXPECT` set the expectation is rewritten instead.
#[cfg(not(target_arch = "wasm32"))]
fn difference(case: &Path, result: &Result<Objects>) -> Option<String> {
    let (name, other_name, actual) = match result {
        Ok(objects) => ("expected.yaml", "expected-error.txt", objects.to_yaml()),
        Err(failure) => ("expected-error.txt", "expected.yaml", format!("{failure}\n")),
    };
    let expected = fs::read_to_string(case.join(name)).unwrap_or_default();
    if actual == expected && !case.join(other_name).exists() {
        return None;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let written = fs::write(case.join(name), &actual);
        let _was_there = fs::remove_file(case.join(other_name));
        return written.err().map(|error| format!("{}: {error}", case.display()));
    }
    Some(format!(
        "{}: {name}\n--- expected\n{expected}\n--- actual\n{actual}",
        case.display()
    ))
}

#[cfg(test)]
mod tests {
    use crate::transformer::*;

    #[derive(Deserialize, JsonSchema)]
    struct TeamLabel {
        team: String,
    }

    impl Transformer for TeamLabel {
        fn transform(&self, objects: &mut Objects, context: &Context) -> Result<()> {
            for object in objects.iter_mut() {
                if object.kind() == "Secret" {
                    context.report(Finding::new(Severity::Info, "left alone").about(object));
                } else {
                    object.set_label("team", &self.team);
                }
            }
            crate::info!(team = self.team; "{} objects", objects.len());
            Ok(())
        }
    }

    crate::export!(transformer: TeamLabel);

    #[test]
    fn a_plugin_is_tested_without_a_host() {
        let out = testing::transform::<TeamLabel>(
            "team: a",
            "kind: ConfigMap\nmetadata: {name: x}\n---\nkind: Secret\n",
        )
        .unwrap();
        assert_eq!(
            out.to_yaml(),
            "kind: ConfigMap\nmetadata:\n  labels:\n    team: a\n  name: x\n---\nkind: Secret\n"
        );
        let log = testing::log();
        assert_eq!(
            (log[0].message.as_str(), log[0].fields[0].1.as_str()),
            ("2 objects", "a")
        );
    }

    #[test]
    fn a_wrong_configuration_is_a_failure_that_says_what_is_wrong() {
        let failure = testing::transform::<TeamLabel>("{}", "").unwrap_err();
        assert_eq!(failure.to_string(), "configuration: missing field `team`");
        assert_eq!(failure.report().reason, "InvalidConfig");
    }

    #[test]
    fn a_plugin_describes_its_configuration() {
        let description: serde_json::Value =
            serde_json::from_str(&crate::export::describe::<TeamLabel>()).unwrap();
        assert_eq!(description["minHost"], "0.1.0");
        assert_eq!(
            description["configSchema"]["properties"]["team"]["type"],
            "string"
        );
    }
}
