//! The renderer: this library over the tree that the host shows.

use std::{cell::RefCell, collections::BTreeMap};

use sluice_sdk::renderer::*;
use sluice_yaml::Resolved;

use crate::{Class, FileKind, Files, LoadRestrictor, Options, Position, Reorder, fields};

/// Where the artifact lies in the guest's tree. The library sees it as its root, so that `..` ends there.
const ROOT: &str = "/source";

/// How to build; the fields are the flags of `kustomize build`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Kustomize {
    /// The order of the output where the kustomization does not say: `legacy` (the command's own), or `none` (as found, as in Flux).
    reorder: Order,
    /// Which files a kustomization may read: `rootOnly` (its own directory and below), or `none` (the whole artifact, as in Flux).
    load_restrictor: Restrictor,
    /// Whether every object gets the label `app.kubernetes.io/managed-by`.
    add_managed_by_label: bool,
    /// What a schema file of `openapi.path` does with the built-in schema: `replace` it, unless that was needed before (as the
    /// command does), or `add` to it (as in Flux).
    schema_file: SchemaFile,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Order {
    #[default]
    Unspecified,
    Legacy,
    None,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Restrictor {
    #[default]
    RootOnly,
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum SchemaFile {
    #[default]
    Replace,
    Add,
}

impl Renderer for Kustomize {
    fn render(&self, tree: &Tree, path: &str, context: &Context) -> Result<Objects> {
        let files = Artifact {
            tree,
            known: RefCell::default(),
        };
        let path = path
            .strip_prefix(ROOT)
            .filter(|path| !path.is_empty())
            .unwrap_or("/");
        let build = crate::build(&files, path, &self.options()).map_err(|error| failure(&error))?;
        for warning in build.warnings {
            context.report(Finding::new(Severity::Warning, warning));
        }
        drop(files);
        // one after another: what was built makes room for what is handed over
        build.objects.into_iter().map(object).collect()
    }
}

sluice_sdk::export!(renderer: Kustomize);

impl Kustomize {
    fn options(&self) -> Options {
        Options {
            reorder: match self.reorder {
                Order::Unspecified => Reorder::Unspecified,
                Order::Legacy => Reorder::Legacy,
                Order::None => Reorder::None,
            },
            load_restrictor: match self.load_restrictor {
                Restrictor::RootOnly => LoadRestrictor::RootOnly,
                Restrictor::None => LoadRestrictor::None,
            },
            add_managed_by_label: self.add_managed_by_label,
            adds_schema_files: self.schema_file == SchemaFile::Add,
            ..Options::default()
        }
    }
}

/// The artifact as the library reads it.
///
/// What a path is, is asked by reading it: the host remembers every question, and the listing of a directory would
/// make the result depend on files that no kustomization names.
struct Artifact<'a> {
    tree: &'a Tree,
    known: RefCell<BTreeMap<String, Answer>>,
}

/// The content of a file is here until it is read, once: most are, and then its text is not held beside its objects.
type Answer = std::result::Result<Option<Vec<u8>>, TreeError>;

impl Artifact<'_> {
    fn ask<T>(&self, path: &str, look: impl FnOnce(&mut Answer) -> T) -> T {
        let mut known = self.known.borrow_mut();
        match known.get_mut(path) {
            Some(answer) => look(answer),
            None => look(known.entry(path.to_owned()).or_insert(self.fetch(path).map(Some))),
        }
    }

    fn fetch(&self, path: &str) -> std::result::Result<Vec<u8>, TreeError> {
        match path {
            "/" => self.tree.read(ROOT),
            _ => self.tree.read(&format!("{ROOT}{path}")),
        }
    }
}

impl Files for Artifact<'_> {
    fn kind(&self, path: &str) -> Option<FileKind> {
        self.ask(path, |answer| match answer {
            Ok(_) | Err(TreeError::TooLarge(_)) => Some(FileKind::File),
            Err(TreeError::NotAFile) => Some(FileKind::Directory),
            Err(_) => None,
        })
    }

    fn read(&self, path: &str) -> std::result::Result<Vec<u8>, String> {
        let content = match self.ask(path, |answer| {
            answer.as_mut().map(Option::take).map_err(|error| error.clone())
        }) {
            Ok(None) => self.fetch(path),
            Ok(Some(content)) => Ok(content),
            Err(error) => Err(error),
        };
        content.map_err(|error| error.to_string())
    }
}

fn object(rendered: crate::Rendered) -> Result<Object> {
    check_identity(&rendered).map_err(|error| failure(&error))?;
    let json = rendered.to_json().map_err(|error| failure(&error))?;
    let node = &rendered.node;
    let metadata = node.get("metadata");
    let of_metadata = |name: &str| metadata.and_then(|metadata| text(metadata, name));
    let id = ObjectId {
        api_version: text(node, "apiVersion").unwrap_or_default(),
        kind: text(node, "kind").unwrap_or_default(),
        namespace: of_metadata("namespace"),
        name: of_metadata("name")
            .or_else(|| of_metadata("generateName"))
            .unwrap_or_default(),
    };
    let source = rendered.source;
    let origin = (source.line > 0).then(|| Origin {
        path: source.file.trim_start_matches('/').to_owned(),
        index: source.index,
        line: source.line,
    });
    Ok(Object::written(id, json).with_origin(origin))
}

/// A text that is not empty, as JSON has it.
fn text(node: &crate::Node, name: &str) -> Option<String> {
    let text = match fields::OBJECTS.resolve(node.get(name)?) {
        Ok(Resolved::String(text)) => text.into_owned(),
        Ok(Resolved::Timestamp(text)) => text,
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The command prints any object; a host, as Flux, has to know what it is: a kind, and an apiVersion that names a version.
fn check_identity(rendered: &crate::Rendered) -> crate::Result<()> {
    let field = |name: &str| rendered.node.get(name).filter(|value| !value.is_null());
    let wrong = |name: &str, found: &str, hint: String| {
        let words = format!("failed to decode Kubernetes apiVersion, kind and name: {name} {found}");
        let place = Position {
            line: rendered.source.line,
            column: 0,
        };
        Err(crate::Error::new(words)
            .at(&rendered.source.file, place)
            .on_field(name)
            .help(hint))
    };
    match field("kind") {
        None => {
            return wrong(
                "kind",
                "is missing",
                "every object needs a kind, as Deployment".to_owned(),
            );
        }
        Some(kind) if !kind.is_scalar() => {
            return wrong(
                "kind",
                "is no text",
                "a kind is one word, as Deployment".to_owned(),
            );
        }
        Some(kind) if fields::raw(kind).is_empty() => {
            return wrong(
                "kind",
                "is empty",
                "every object needs a kind, as Deployment".to_owned(),
            );
        }
        Some(kind) if !fields::is_string(kind) => {
            let text = fields::raw(kind);
            return wrong(
                "kind",
                &format!("is {text}, which is no text"),
                format!("quote it: \"{text}\""),
            );
        }
        Some(_) => {}
    }
    match field("apiVersion").map(fields::raw) {
        Some(text) if text.starts_with('/') => wrong(
            "apiVersion",
            &format!("is {text}, which names no group before the slash"),
            "write v1, or group/version as apps/v1".to_owned(),
        ),
        _ => Ok(()),
    }
}

/// The library's words as they are; place, field and hint also as data.
fn failure(error: &crate::Error) -> Failure {
    let mut finding = Finding::new(Severity::Error, error.text().trim_end());
    finding.code = Some(
        match error.class() {
            Class::Input => "invalid-input",
            Class::Malformed => "malformed-yaml",
            Class::Refused => "refused",
            Class::Limit => "limit-reached",
        }
        .to_owned(),
    );
    finding.field = error.field().map(str::to_owned);
    finding.hint = error.hint().map(str::to_owned);
    if let Some(place) = error.place() {
        finding.file = Some(place.file.trim_start_matches('/').to_owned());
        finding.line = Some(place.position.line).filter(|line| *line > 0);
    }
    Failure::terminal(error.to_string())
        .with_reason("BuildFailed")
        .with_finding(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the host is told of a build of one file.
    fn refusal(file: &str) -> String {
        let tree = Tree::from([("kustomization.yaml", "resources: [a.yaml]"), ("a.yaml", file)]);
        match sluice_sdk::testing::render::<Kustomize>("{}", &tree, "/source") {
            Ok(objects) => format!("{} objects", objects.iter().count()),
            Err(failure) => failure.report().message.clone(),
        }
    }

    #[test]
    fn what_no_host_can_name_is_refused_with_its_place() {
        let ok = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n";
        for (rest, words) in [
            (
                "apiVersion: v1\nkind: 1\nmetadata: {name: b}",
                "failed to decode Kubernetes apiVersion, kind and name: kind is 1, which is no text\n  at /a.yaml:5\n  \
                 field kind\n  hint: quote it: \"1\"",
            ),
            (
                "apiVersion: /\nkind: Foo\nmetadata: {name: b}",
                "failed to decode Kubernetes apiVersion, kind and name: apiVersion is /, which names no group before the \
                 slash\n  at /a.yaml:5\n  field apiVersion\n  hint: write v1, or group/version as apps/v1",
            ),
            ("kind: Foo\nmetadata: {name: b}", "2 objects"),
            ("apiVersion: a/\nkind: \"1\"\nmetadata: {name: 1}", "2 objects"),
        ] {
            assert_eq!(refusal(&format!("{ok}{rest}")), words);
        }
    }
}
