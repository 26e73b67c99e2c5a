//! Regular expressions, RE2's.

use std::rc::Rc;

use super::{Functions, Int};
use crate::{
    Error, List, Str,
    go::regexp::{Regexp, quote_meta},
    value::CollectionType,
};

/// How a pattern is compiled: the plain functions panic with other words than the `must` variants fail with.
type Compile = fn(&Str) -> Result<Rc<Regexp>, Error>;

pub(super) fn register(functions: &mut Functions) {
    functions.add("regexMatch", |pattern: Str, text: Str| {
        compile(&pattern).is_ok_and(|pattern| pattern.is_match(text.as_bytes()))
    });
    functions.add("mustRegexMatch", |pattern: Str, text: Str| {
        Ok::<_, Error>(compile(&pattern)?.is_match(text.as_bytes()))
    });
    functions.add("regexQuoteMeta", |text: Str| {
        Str::from(quote_meta(text.as_bytes()))
    });
    plain(functions, must_compile);
    must(functions, compile);
}

fn text_of(pattern: &Str) -> Result<&str, Error> {
    pattern
        .as_str()
        .ok_or_else(|| Error::new(format!("error parsing regexp: invalid UTF-8: `{pattern}`")))
}

fn compile(pattern: &Str) -> Result<Rc<Regexp>, Error> {
    Regexp::compile(text_of(pattern)?).map_err(Error::new)
}

fn must_compile(pattern: &Str) -> Result<Rc<Regexp>, Error> {
    Regexp::must_compile(text_of(pattern)?).map_err(Error::new)
}

fn plain(functions: &mut Functions, compile: Compile) {
    let names = [
        "regexFind",
        "regexFindAll",
        "regexReplaceAll",
        "regexReplaceAllLiteral",
        "regexSplit",
    ];
    family(functions, names, compile);
}

fn must(functions: &mut Functions, compile: Compile) {
    let names = [
        "mustRegexFind",
        "mustRegexFindAll",
        "mustRegexReplaceAll",
        "mustRegexReplaceAllLiteral",
        "mustRegexSplit",
    ];
    family(functions, names, compile);
}

fn family(functions: &mut Functions, names: [&'static str; 5], compile: Compile) {
    let [find, find_all, replace, replace_literal, split] = names;
    functions.add(find, move |pattern: Str, text: Str| {
        Ok::<_, Error>(Str::from(compile(&pattern)?.find(text.as_bytes())))
    });
    functions.add(find_all, move |pattern: Str, text: Str, Int(limit): Int| {
        Ok::<_, Error>(strings(compile(&pattern)?.find_all(text.as_bytes(), limit)))
    });
    functions.add(replace, move |pattern: Str, text: Str, template: Str| {
        Ok::<_, Error>(Str::from(
            compile(&pattern)?.replace_all(text.as_bytes(), template.as_bytes()),
        ))
    });
    functions.add(
        replace_literal,
        move |pattern: Str, text: Str, replacement: Str| {
            let pattern = compile(&pattern)?;
            Ok::<_, Error>(Str::from(
                pattern.replace_all_literal(text.as_bytes(), replacement.as_bytes()),
            ))
        },
    );
    functions.add(split, move |pattern: Str, text: Str, Int(limit): Int| {
        Ok::<_, Error>(strings(compile(&pattern)?.split(text.as_bytes(), limit)))
    });
}

/// `[]string`, nil where there is none.
fn strings(found: Option<Vec<&[u8]>>) -> List {
    found.map_or_else(|| List::nil(CollectionType::STRING), List::of_strings)
}
