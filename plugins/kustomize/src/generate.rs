//! `configMapGenerator` and `secretGenerator`.

use std::collections::BTreeMap;

use sluice_yaml::{Node, ScalarStyle, Value};

use crate::{
    Text,
    error::{Context as _, Error, Result},
    fields,
    files::{Loader, base_name},
    go,
    id::Id,
    kustomization::GeneratorArgs,
    metadata,
    object::{Behavior, Object, Source},
    objects::Objects,
    output,
    schema::Schema,
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    ConfigMap,
    Secret,
}

impl Generated {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Makes one object.
pub(crate) fn generate(
    what: Generated,
    args: &GeneratorArgs,
    loader: &Loader<'_>,
    file: &str,
) -> Result<Object> {
    build(what, args, loader, file).map_err(|e| e.at(file, args.at))
}

fn build(what: Generated, args: &GeneratorArgs, loader: &Loader<'_>, file: &str) -> Result<Object> {
    if args.name.is_empty() {
        return Err(Error::new("a configmap must have a name").on_field("name"));
    }
    let mut metadata = Node::map([("name", fields::untyped_node(args.name.clone()))]);
    if !args.namespace.is_empty() {
        fields::set_string(&mut metadata, "namespace", &args.namespace)?;
    }
    let mut node = Node::map([
        ("apiVersion", Node::plain("v1")),
        ("kind", Node::plain(what.kind())),
        ("metadata", metadata),
    ]);
    let data = load_data(args, loader)?;
    match what {
        Generated::ConfigMap => {
            for (key, bytes) in data {
                let (field, text) = match String::from_utf8(bytes) {
                    Ok(text) => ("data", text),
                    Err(binary) => ("binaryData", base64_lines(binary.as_bytes())),
                };
                set_entry(
                    node.get_or_insert_with(field, || Node::mapping(Vec::new())),
                    &key,
                    text,
                );
            }
        }
        Generated::Secret => {
            let of = if args.secret_type.is_empty() {
                Text::new_static("Opaque")
            } else {
                args.secret_type.clone()
            };
            node.set("type", fields::string_node(of));
            let mut secret = Node::mapping(Vec::new());
            for (key, bytes) in data {
                set_entry(&mut secret, &key, base64_lines(&bytes));
            }
            node.set("data", secret);
        }
    }
    let options = args.options.clone().unwrap_or_default();
    let source = Source {
        file: file.into(),
        index: 0,
        line: args.at.line,
    };
    if options.immutable {
        node.set("immutable", Node::bool(true));
    }
    let mut object = Object::new(node, source);
    if !options.labels.is_empty() {
        object.set_labels(options.labels.into_iter().collect())?;
    }
    if !options.annotations.is_empty() {
        object.set_annotations(options.annotations.into_iter().collect())?;
    }
    object.needs_hash = !options.disable_name_suffix_hash;
    object.behavior = Behavior::from_text(&args.behavior);
    object.is_generated = true;
    Ok(object)
}

fn set_entry(map: &mut Node, key: &Text, text: String) {
    let mut value = fields::string_node(text);
    if let Value::Scalar(text, style) = &mut value.value
        && text.contains('\n')
    {
        *style = ScalarStyle::Literal;
    }
    if let Some(entries) = map.entries_mut() {
        entries.push((Node::plain(key.clone()), value));
    }
}

/// All keys and values, in the order envs, literals, files; sorted in the end.
fn load_data(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<BTreeMap<Text, Vec<u8>>> {
    let list = |texts: &[Text]| format!("[{}]", texts.join(" "));
    let mut data = BTreeMap::new();
    let mut pairs: Vec<(Text, Vec<u8>)> = Vec::new();
    for path in &args.envs {
        let loaded = loader
            .load(path)
            .and_then(|bytes| env_pairs(&bytes).in_file(&loader.resolve(path)));
        pairs.append(
            &mut loaded
                .wrap(|| format!("env source files: {}", list(&args.envs)))
                .wrap(|| "loading KV pairs".into())?,
        );
    }
    for literal in &args.literals {
        let pair = literal_pair(literal)
            .wrap(|| format!("literal sources {}", list(&args.literals)))
            .wrap(|| "loading KV pairs".into())?;
        pairs.push(pair);
    }
    for source in &args.files {
        let pair = file_pair(source, loader)
            .wrap(|| format!("file sources: {}", list(&args.files)))
            .wrap(|| "loading KV pairs".into())?;
        pairs.push(pair);
    }
    for (key, value) in pairs {
        if data.contains_key(&key) {
            return Err(Error::new(format!(
                "configmap {} illegally repeats the key `{key}`",
                args.name
            ))
            .help("each key may come from one file, literal or env file only"));
        }
        data.insert(key, value);
    }
    Ok(data)
}

/// The lines of an env file: `KEY=value`, comments, empty lines.
fn env_pairs(bytes: &[u8]) -> Result<Vec<(Text, Vec<u8>)>> {
    let mut pairs = Vec::new();
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if number == 0 {
            line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
        } else {
            line
        };
        let text = std::str::from_utf8(line).map_err(|_| {
            Error::new(format!(
                "line {} has invalid utf8 bytes : {}",
                format!("{line:?}").replace(',', ""),
                String::from_utf8_lossy(line)
            ))
        })?;
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if !key.is_empty() {
            pairs.push((key.into(), value.as_bytes().to_vec()));
        }
    }
    Ok(pairs)
}

fn literal_pair(literal: &str) -> Result<(Text, Vec<u8>)> {
    let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(Error::new(format!(
            "invalid literal source {literal}, expected key=value"
        )));
    };
    Ok((key.into(), unquote(value).as_bytes().to_vec()))
}

fn unquote(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote));
    if text.len() < 2 {
        return text;
    }
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

fn file_pair(source: &str, loader: &Loader<'_>) -> Result<(Text, Vec<u8>)> {
    let (key, path) = match source.matches('=').count() {
        0 => (base_name(source), source),
        1 => source.split_once('=').unwrap_or_default(),
        _ => {
            return Err(Error::new(format!(
                "source {} key name or file path contains '='",
                go::quote(source)
            )));
        }
    };
    if key.is_empty() {
        return Err(Error::new(format!(
            "missing key name for file path {} in source {}",
            go::quote(path),
            go::quote(source)
        )));
    }
    if path.is_empty() {
        return Err(Error::new(format!(
            "missing file path for key name {} in source {}",
            go::quote(key),
            go::quote(source)
        )));
    }
    Ok((key.into(), loader.load(path)?))
}

/// From this length on, base64 is cut into lines.
const LINE: usize = 70;

/// Base64; 70 characters or more become lines, each with a line break.
fn base64_lines(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 48 + 8);
    let length = bytes.len().div_ceil(3) * 4;
    let is_cut = length / LINE + 1 > 1;
    let mut column = 0;
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4_u32 {
            let symbol = if (i as usize) <= chunk.len() {
                ALPHABET
                    .get((bits >> (18 - 6 * i) & 63) as usize)
                    .copied()
                    .unwrap_or(b'=')
            } else {
                b'='
            };
            out.push(char::from(symbol));
            column += 1;
            if is_cut && column == LINE {
                out.push('\n');
                column = 0;
            }
        }
    }
    if is_cut && column > 0 {
        out.push('\n');
    }
    out
}

/// Puts a generated object among the others: new, or merged with the one of its name.
pub(crate) fn absorb(objects: &mut Objects, new: Object, schema: &Schema) -> Result<()> {
    let id = new.id(schema);
    let found = objects.with_any_id(&id, schema);
    let behavior = new.behavior;
    let merges = matches!(behavior, Behavior::Merge | Behavior::Replace);
    let (file, place) = (new.source.file.clone(), new.position());
    let fail = |text: String| Error::new(text).about(&id).at(&file, place);
    let at = match found.as_slice() {
        [] if !merges => return objects.push(new, schema),
        [] => {
            let text = format!("id {} does not exist; cannot merge or replace", go_dump(&id));
            return Err(fail(text).help(format!(
                "behavior: {} needs a {} {} in the bases; leave `behavior` out to make a new one",
                behavior.text(),
                id.gvk.kind,
                id.name
            )));
        }
        [at] => *at,
        many => {
            let all: Vec<&Object> = many.iter().filter_map(|at| objects.get(*at)).collect();
            let (text, help) = several_accept(&all, &id);
            return Err(fail(text).help(help));
        }
    };
    let Some(old) = objects.get(at) else {
        return Ok(());
    };
    if !merges {
        let text = format!(
            "id {} exists; can not use behavior: '{}', behavior must be merge or replace",
            go_dump(&id),
            behavior.text()
        );
        return Err(fail(text).help(format!(
            "{} {} is already made in {}:{}; set behavior: merge or replace, or choose another name",
            id.gvk.kind, id.name, old.source.file, old.source.line
        )));
    }
    let before = old.id(schema);
    let joined = join(new, old)?;
    // the original looks for the place by what the joined object is called, which a patch may have changed
    let now = joined.id(schema);
    match objects.with_id(&now, schema).as_slice() {
        [one] if *one == at => {}
        [] => {
            let text = format!("cannot find resource with id {now} to replace");
            return Err(fail(text).help(format!(
                "what was made there is {before} now; merge before its kind is changed"
            )));
        }
        [_] => return Err(fail("unexpected target index in replacement".into())),
        many => return Err(fail(format!("in Replace: id matched {} resources", many.len()))),
    }
    objects.modify(at, schema, |slot| {
        *slot = joined;
        Ok(())
    })
}

/// `%#v` of an identity.
fn go_dump(id: &Id) -> String {
    format!(
        "resid.ResId{{Gvk:resid.Gvk{{Group:{}, Version:{}, Kind:{}, isClusterScoped:{}}}, Name:{}, Namespace:{}}}",
        go::quote(&id.gvk.group),
        go::quote(&id.gvk.version),
        go::quote(&id.gvk.kind),
        id.cluster_scoped,
        go::quote(&id.name),
        go::quote(&id.namespace)
    )
}

/// What is wrong where several objects could take a generated one, and what to do.
fn several_accept(all: &[&Object], id: &Id) -> (String, String) {
    let texts: Vec<String> = all
        .iter()
        .map(|object| output::json(&output::without_secrets(&object.node)))
        .collect();
    let places: Vec<String> = all
        .iter()
        .map(|object| format!("{}:{}", object.source.file, object.source.line))
        .collect();
    let text = format!(
        "found multiple objects [{}] that could accept merge of {id}",
        texts.join(" ")
    );
    let help = format!(
        "{} would both take it; say which by the generator's namespace, or rename one of them",
        places.join(" and ")
    );
    (text, help)
}

/// A generated object with what it takes from the one whose place it takes.
fn join(mut new: Object, old: &Object) -> Result<Object> {
    let behavior = new.behavior;
    let pairs = |first: Vec<(Text, Text)>, then: Vec<(Text, Text)>| {
        let joined: BTreeMap<_, _> = first.into_iter().chain(then).collect();
        joined.into_iter().collect::<Vec<_>>()
    };
    new.set_labels(pairs(old.labels(), new.labels()))?;
    new.set_annotations(pairs(old.annotations(), new.annotations()))?;
    new.set_name(&old.name())?;
    new.set_namespace(&old.namespace())?;
    new.inherit(old);
    if behavior == Behavior::Merge {
        for field in ["data", "binaryData"] {
            merge_data(&mut new.node, &old.node, field);
        }
        if let Some(origin) = old.annotation(metadata::ORIGIN) {
            new.set_annotation(metadata::ORIGIN, &origin)?;
        }
    }
    Ok(new)
}

fn merge_data(new: &mut Node, old: &Node, field: &str) {
    let pairs = |node: &Node| -> Vec<(Text, Text)> {
        let entries = node.get(field).map(Node::entries).unwrap_or_default();
        entries
            .iter()
            .map(|(k, v)| {
                (
                    fields::shared(k),
                    if v.is_null() {
                        Text::default()
                    } else {
                        fields::shared(v)
                    },
                )
            })
            .collect()
    };
    let merged: BTreeMap<Text, Text> = pairs(old).into_iter().chain(pairs(new)).collect();
    new.remove(field);
    if merged.is_empty() {
        return;
    }
    let mut data = Node::mapping(Vec::new());
    for (key, text) in merged {
        set_entry(&mut data, &key, text.into());
    }
    new.set(field, data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_cut_at_70() {
        assert_eq!(base64_lines(b"abc"), "YWJj");
        assert_eq!(base64_lines(b"a"), "YQ==");
        assert_eq!(base64_lines(&[0; 51]).len(), 68);
        let long = base64_lines(&[0; 54]);
        assert_eq!((long.len(), long.lines().next().map(str::len)), (74, Some(70)));
    }

    #[test]
    fn env_lines() {
        let pairs = env_pairs(b"\xEF\xBB\xBFA=1 \n # no\n#c\n  B\nC=\"x\"\r\n").unwrap();
        let shown: Vec<String> = pairs
            .iter()
            .map(|(k, v)| format!("{k}={}", String::from_utf8_lossy(v)))
            .collect();
        assert_eq!(shown, ["A=1 ", "B=", "C=\"x\""]);
    }
}
