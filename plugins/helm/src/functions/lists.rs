//! Lists: sprig's list functions, each with its `must` variant, which fails with the same words.

use std::borrow::Cow;

use super::{Functions, Int, Rest, cast, equality::deep_equal};
use crate::{
    Error, List, Str, Value,
    value::{CollectionType, Element, Kind, UintType},
};

pub(super) fn register(functions: &mut Functions) {
    for name in ["list", "tuple"] {
        functions.add(name, |values: Rest<Value>| List::new(values.0));
    }
    for name in ["append", "push", "mustAppend", "mustPush"] {
        functions.add(name, |list: Value, item: Value| {
            let mut items = of(&list, "Cannot push on type")?.into_owned();
            items.push(item);
            Ok::<_, Error>(List::new(items))
        });
    }
    for name in ["prepend", "mustPrepend"] {
        functions.add(name, |list: Value, item: Value| {
            let mut items = of(&list, "Cannot prepend on type")?.into_owned();
            items.insert(0, item);
            Ok::<_, Error>(List::new(items))
        });
    }
    ends(functions);
    choice(functions);
    for name in ["slice", "mustSlice"] {
        functions.add(name, slice);
    }
    for name in ["chunk", "mustChunk"] {
        functions.add(name, chunk);
    }
    functions.add("concat", |lists: Rest<Value>| {
        let mut all = Vec::new();
        for list in &lists.0 {
            let items = items(list).ok_or_else(|| match list {
                list if list.is_nil() => nil_pointer(),
                list => Error::new(format!("Cannot concat type {} as list", list.kind().name())),
            })?;
            all.extend(items.iter().cloned());
        }
        Ok::<_, Error>(if all.is_empty() {
            List::nil(CollectionType::ANY)
        } else {
            List::new(all)
        })
    });
    functions.add("sortAlpha", |list: Value| {
        if list.kind() != Kind::Slice {
            return List::of_strings([cast::text(&list)]);
        }
        let mut texts = cast::texts(&list);
        texts.sort();
        List::of_strings(texts)
    });
}

fn ends(functions: &mut Functions) {
    for name in ["first", "mustFirst"] {
        functions.add(name, |list: Value| {
            Ok::<_, Error>(
                of(&list, "Cannot find first on type")?
                    .first()
                    .cloned()
                    .unwrap_or_default(),
            )
        });
    }
    for name in ["last", "mustLast"] {
        functions.add(name, |list: Value| {
            Ok::<_, Error>(
                of(&list, "Cannot find last on type")?
                    .last()
                    .cloned()
                    .unwrap_or_default(),
            )
        });
    }
    for name in ["rest", "mustRest"] {
        functions.add(name, |list: Value| {
            let items = of(&list, "Cannot find rest on type")?;
            Ok::<_, Error>(or_nil(items.split_first().map(|(_, rest)| rest)))
        });
    }
    for name in ["initial", "mustInitial"] {
        functions.add(name, |list: Value| {
            let items = of(&list, "Cannot find initial on type")?;
            Ok::<_, Error>(or_nil(items.split_last().map(|(_, initial)| initial)))
        });
    }
    for name in ["reverse", "mustReverse"] {
        functions.add(name, |list: Value| {
            let items = of(&list, "Cannot find reverse on type")?;
            Ok::<_, Error>(items.iter().rev().cloned().collect::<List>())
        });
    }
}

fn choice(functions: &mut Functions) {
    for name in ["compact", "mustCompact"] {
        functions.add(name, |list: Value| {
            let items = of(&list, "Cannot compact on type")?;
            Ok::<_, Error>(
                items
                    .iter()
                    .filter(|item| item.is_true())
                    .cloned()
                    .collect::<List>(),
            )
        });
    }
    for name in ["uniq", "mustUniq"] {
        functions.add(name, |list: Value| {
            let items = of(&list, "Cannot find uniq on type")?;
            let mut kept: Vec<Value> = Vec::new();
            for item in items.iter() {
                if !is_in(&kept, item) {
                    kept.push(item.clone());
                }
            }
            Ok::<_, Error>(List::new(kept))
        });
    }
    for name in ["without", "mustWithout"] {
        functions.add(name, |list: Value, omitted: Rest<Value>| {
            let items = of(&list, "Cannot find without on type")?;
            Ok::<_, Error>(
                items
                    .iter()
                    .filter(|item| !is_in(&omitted.0, item))
                    .cloned()
                    .collect::<List>(),
            )
        });
    }
    for name in ["has", "mustHas"] {
        functions.add(name, |needle: Value, haystack: Value| {
            if haystack.is_nil() {
                return Ok(false);
            }
            Ok::<_, Error>(is_in(&of(&haystack, "Cannot find has on type")?, &needle))
        });
    }
}

fn is_in(haystack: &[Value], needle: &Value) -> bool {
    haystack.iter().any(|item| deep_equal(needle, item))
}

fn or_nil(items: Option<&[Value]>) -> List {
    items.map_or_else(
        || List::nil(CollectionType::ANY),
        |items| List::new(items.to_vec()),
    )
}

/// What Go says where a nil is asked for its type's kind.
fn nil_pointer() -> Error {
    Error::new("runtime error: invalid memory address or nil pointer dereference")
}

/// The items of anything whose kind is `slice`.
pub(super) fn items(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::List(list) => Some(Cow::Borrowed(list.items())),
        Value::Bytes(bytes) => {
            let bytes = bytes.as_bytes().iter();
            Some(
                bytes
                    .map(|byte| Value::Uint(UintType::Uint8, u64::from(*byte)))
                    .collect(),
            )
        }
        _ => None,
    }
}

/// The same, or the function's complaint with the kind behind it.
fn of<'v>(value: &'v Value, complaint: &str) -> Result<Cow<'v, [Value]>, Error> {
    items(value).ok_or_else(|| match value {
        value if value.is_nil() => nil_pointer(),
        value => Error::new(format!("{complaint} {}", value.kind().name())),
    })
}

/// `func slice(list interface{}, indices ...interface{}) interface{}`
fn slice(list: Value, indices: Rest<Value>) -> Result<Value, Error> {
    let all = of(&list, "list should be type of slice or array but")?;
    if all.is_empty() {
        return Ok(Value::Nil);
    }
    let index = |at: usize| indices.0.get(at).map(cast::to_int);
    let length = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let (start, end) = (index(0).unwrap_or(0), index(1).unwrap_or(length));
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(start, end)| all.get(start..end));
    let part = part.ok_or_else(|| Error::new("reflect.Value.Slice: slice index out of bounds"))?;
    Ok(match &list {
        Value::List(list) => List::of_type(list.list_type(), part.to_vec()).into(),
        Value::Bytes(bytes) => {
            let (start, end) = range.unwrap_or_default();
            Value::Bytes(Str::from(bytes.as_bytes().get(start..end).unwrap_or_default()))
        }
        _ => Value::Nil,
    })
}

/// `func chunk(size int, list interface{}) [][]interface{}`
fn chunk(Int(size): Int, list: Value) -> Result<List, Error> {
    let all = of(&list, "Cannot chunk type")?;
    let makeslice = || Error::new("runtime error: makeslice: len out of range");
    let of_lists = |lists: Vec<Value>| List::of_type(CollectionType::of(Element::List), lists);
    match size {
        0 => Err(makeslice()),
        1.. => {
            let chunks = all
                .chunks(usize::try_from(size).unwrap_or(usize::MAX))
                .map(|chunk| Value::List(List::new(chunk.to_vec())));
            Ok(of_lists(chunks.collect()))
        }
        // the original counts floor((length - 1) / size) + 1 chunks
        ..0 => {
            let length = i64::try_from(all.len()).unwrap_or(i64::MAX);
            let is_none = length > 1 && length - 1 <= size.saturating_neg();
            if is_none {
                Ok(of_lists(Vec::new()))
            } else {
                Err(makeslice())
            }
        }
    }
}
