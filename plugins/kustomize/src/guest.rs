//! The renderer: this library over the tree that the host shows.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::Value;
use sluice_sdk::renderer::*;

use crate::{Class, FileKind, Files, LoadRestrictor, Options, Reorder};

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
        build.objects.iter().map(object).collect()
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
    known: RefCell<BTreeMap<String, std::result::Result<Vec<u8>, TreeError>>>,
}

impl Artifact<'_> {
    fn ask<T>(&self, path: &str, answer: impl FnOnce(&std::result::Result<Vec<u8>, TreeError>) -> T) -> T {
        let mut known = self.known.borrow_mut();
        let full = if path == "/" {
            ROOT.to_owned()
        } else {
            format!("{ROOT}{path}")
        };
        answer(
            known
                .entry(path.to_owned())
                .or_insert_with(|| self.tree.read(&full)),
        )
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
        self.ask(path, |answer| answer.clone().map_err(|error| error.to_string()))
    }
}

fn object(rendered: &crate::Rendered) -> Result<Object> {
    let json = rendered.to_json().map_err(|error| failure(&error))?;
    let Value::Object(body) = serde_json::from_str(&json)? else {
        return Err(
            Failure::terminal(format!("{}: not an object", rendered.source.file)).with_reason("BuildFailed"),
        );
    };
    let origin = Some(&rendered.source)
        .filter(|source| source.line > 0)
        .map(|source| Origin {
            path: source.file.trim_start_matches('/').to_owned(),
            index: source.index,
            line: source.line,
        });
    Ok(Object::new(body).with_origin(origin))
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
