//! Replacements that stand in files of their own.

use sluice_yaml::{Node, Resolver, Value};

use super::decoding;
use crate::{
    Text,
    error::{Error, Result},
    files::Loader,
    kustomization::{Decoder, Replacement},
    output, read,
    transform::replacements::ReplacementTransformer,
};

/// Replacements as the original's messages show them.
pub(crate) fn replacements_text(list: &[Replacement]) -> String {
    let list = list.iter().map(Replacement::to_node).collect();
    output::yaml_text(&Node::map([("Replacements", Node::sequence(list))]))
}

/// Replacements with those that stand in files of their own.
pub(crate) fn load_replacements(
    list: &[Replacement],
    loader: &Loader<'_>,
    file: &str,
) -> Result<ReplacementTransformer> {
    let mut loaded = ReplacementTransformer {
        replacements: Vec::new(),
        files: Vec::new(),
    };
    for replacement in list {
        if replacement.path.is_empty() {
            loaded.replacements.push(replacement.clone());
            loaded.files.push(file.into());
            continue;
        }
        if replacement.source.is_some() || replacement.targets.as_ref().is_some_and(|t| !t.is_empty()) {
            return Err(
                Error::new("cannot specify both path and inline replacement").at(file, replacement.at)
            );
        }
        let bytes = loader
            .load(&replacement.path)
            .map_err(|e| e.at(file, replacement.at))?;
        let from = loader.resolve(&replacement.path);
        let document =
            read::document_v2(&bytes, &from).map_err(|e| e.wrap("error converting YAML to JSON"))?;
        let d = Decoder {
            file: &from,
            strict: false,
            lenient_text: true,
        };
        let items: Vec<&Node> = match &document.value {
            Value::Sequence(items, _) => items.iter().collect(),
            Value::Mapping(..) => vec![&document],
            _ => {
                let kind = match Resolver::V2.resolve(&document) {
                    Ok(sluice_yaml::Resolved::Null) => "invalid",
                    _ => "string",
                };
                return Err(Error::new(format!(
                    "unsupported replacement type encountered within replacement path: {kind}"
                ))
                .in_file(&from));
            }
        };
        for item in items {
            loaded.replacements.push(Replacement {
                path: Text::default(),
                ..Replacement::decode_from_file(&d, item).map_err(decoding)?
            });
            loaded.files.push(from.as_str().into());
        }
    }
    Ok(loaded)
}
