//! `patchesJson6902`: a list of operations and the objects they act on.

use std::rc::Rc;

use sluice_yaml::Position;

use super::target::Target;
use crate::{
    Text,
    build::Session,
    error::{Context as _, Error, Result},
    files::Loader,
    kustomization::Patch,
    object::Object,
    objects::Objects,
    output, read,
    transform::json6902::{self, Operation},
};

/// An entry of `patchesJson6902`.
#[derive(Clone, Debug)]
pub(crate) struct Json6902Transformer {
    target: Target,
    operations: Rc<Vec<Operation>>,
    file: Text,
    at: Position,
}

impl Json6902Transformer {
    pub(crate) fn load(loader: &Loader<'_>, patch: &Patch, file: &str) -> Result<Self> {
        let fail = |text: String| Err(Error::new(text).at(file, patch.at));
        let Some(target) = &patch.target else {
            return fail("must specify a target for patch".into());
        };
        if target.name.is_empty() {
            return fail("must specify the target name".into());
        }
        let mut from = Text::from(file);
        let text = match (patch.path.is_empty(), patch.patch.is_empty()) {
            (true, true) => return fail("empty file path and empty jsonOp".into()),
            (false, false) => return fail("must specify a file path or jsonOp, not both".into()),
            (true, false) => patch.patch.as_bytes().to_vec(),
            (false, true) => {
                from = loader.resolve(&patch.path).into();
                loader.load(&patch.path).map_err(|e| e.at(file, patch.at))?
            }
        };
        if text.is_empty() {
            return fail(format!("patch file '{}' empty seems to be empty", patch.path));
        }
        let document = read::document_v2(&json_as_yaml(&text)?, &from)?;
        sluice_yaml::to_json(&document, sluice_yaml::Resolver::V2)
            .map_err(|e| Error::new(e.to_string()).at(&from, e.position()))?;
        let operations = json6902::decode(&document)
            .wrap(|| format!("decoding {}", output::json(&document)))
            .in_file(&from)?;
        if operations.is_empty() {
            return fail(format!(
                "patch appears to be empty; file={}, JsonOp={}",
                patch.path,
                output::json(&document)
            ));
        }
        Ok(Self {
            target: Target::new(target, file, patch.at),
            operations: Rc::new(operations),
            file: from,
            at: patch.at,
        })
    }

    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        for at in self.target.select(objects, &session.schema)? {
            objects.modify(at, &session.schema, |object| {
                apply_json(object, &self.operations, &self.file, self.at)
            })?;
        }
        Ok(())
    }
}

pub(super) fn apply_json(
    object: &mut Object,
    operations: &[Operation],
    file: &str,
    at: Position,
) -> Result<()> {
    let describe = format!(
        "{} {} ({}:{})",
        object.kind(),
        object.name(),
        object.source.file,
        object.source.line
    );
    object.make_annotations_of_memory()?;
    json6902::apply(&mut object.node, operations)
        .and_then(|()| {
            output::check_tabs(&object.node).map_err(|e| Error::new(e.to_string()).help(output::NO_TAB))
        })
        .map_err(|e| e.at(file, at).about(describe))?;
    let annotations = object.annotations();
    object.set_annotations(annotations)
}

/// What starts with `[` is read as JSON, whose texts have escapes that YAML does not know.
pub(super) fn json_as_yaml(text: &[u8]) -> Result<Vec<u8>> {
    if !text.starts_with(b"[") {
        return Ok(text.to_vec());
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(text).map_err(|e| {
        let words = match e.is_eof() {
            true => format!(
                "decoding {}: unexpected end of JSON input",
                String::from_utf8_lossy(text)
            ),
            false => format!("invalid character in JSON: {e}"),
        };
        Error::new(words).help(
            "a patch that starts with `[` must be JSON: quote all names, or write it as a YAML list with `-`",
        )
    })?;
    Ok(unescape(&String::from_utf8_lossy(text)).into_bytes())
}

/// Valid JSON without the escapes that YAML refuses: `\/`, and the halves of characters beyond `\uffff`. A half on its
/// own is U+FFFD in Go.
fn unescape(json: &str) -> String {
    let code = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let mut width = 2;
        match (code(escape), escape.get(6..).and_then(code)) {
            (Some(high), low) if (0xD800..0xE000).contains(&high) => {
                let pair = low.and_then(|low| char::decode_utf16([high, low]).next()?.ok());
                width = if pair.is_some() { 12 } else { 6 };
                out.push(pair.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ if escape.starts_with("\\/") => out.push('/'),
            _ => out.push_str(escape.get(..2).unwrap_or_default()),
        }
        rest = escape.get(width..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_json() {
        for (json, yaml) in [
            (r#"["a\/b\/c", "\"\n"]"#, r#"["a/b/c", "\"\n"]"#),
            (r#"["^a\\/b", "\\\/"]"#, r#"["^a\\/b", "\\/"]"#),
            (r#"["\ud83c\udf89\u00e9"]"#, r#"["🎉\u00e9"]"#),
            (
                r#"["\ud83c", "\udf89\ud83cx"]"#,
                "[\"\u{fffd}\", \"\u{fffd}\u{fffd}x\"]",
            ),
            (r#"["\\ud83c"]"#, r#"["\\ud83c"]"#),
        ] {
            let read = json_as_yaml(json.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(read).unwrap(), yaml, "{json}");
        }
    }
}
