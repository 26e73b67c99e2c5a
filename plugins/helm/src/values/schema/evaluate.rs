//! Values against schemas. The order of the rules is the library's: the first of type, constant, enumeration and format that
//! does not hold is the only one that is told.

use std::collections::BTreeSet;

use serde_json::{Map as JsonMap, Number, Value as Json};

use super::{
    document::{Document, Target, kind, too_deep},
    format, number,
    problem::{Problem, quoted, quoted_list, shown},
};

/// How many schemas one validation may look at (N26): the largest public chart needs 40 000.
const STEPS_MAX: usize = 5_000_000;

/// One validation.
pub(super) struct Evaluation<'d, 'a> {
    document: &'d Document<'a>,
    /// The schemas that look at the same value right now: one of them again is an endless reference.
    active: Vec<(*const Json, *const Json)>,
    steps: usize,
}

/// What a schema looked at, for `unevaluatedProperties` and `unevaluatedItems`.
#[derive(Default)]
struct Seen {
    properties: BTreeSet<String>,
    items: BTreeSet<usize>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.properties.extend(other.properties);
        self.items.extend(other.items);
    }
}

/// A failure of the schema itself.
type Checked<T> = Result<T, String>;

/// The problem if there is one, and what was seen if there is none.
type Outcome = Result<Seen, Problem>;

impl<'d, 'a> Evaluation<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>) -> Self {
        Self {
            document,
            active: Vec::new(),
            steps: 0,
        }
    }

    pub(super) fn root(&mut self, value: &Json) -> Checked<Option<Problem>> {
        Ok(self.schema(self.document.root(), value, "")?.err())
    }

    fn schema(&mut self, schema: &Json, value: &Json, path: &str) -> Checked<Outcome> {
        too_deep(self.active.len())?;
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(format!("the schema takes more than {STEPS_MAX} steps"));
        }
        let keywords = match schema {
            Json::Bool(true) => return Ok(Ok(Seen::default())),
            Json::Object(keywords) => keywords,
            _ => return Ok(Err(rule(path, "false schema".to_owned()))),
        };
        let key = (std::ptr::from_ref(schema), std::ptr::from_ref(value));
        if self.active.contains(&key) {
            return Ok(Err(rule(
                path,
                "reference cycle: the schema refers to itself".to_owned(),
            )));
        }
        self.active.push(key);
        let outcome = self.keywords(keywords, value, path);
        self.active.pop();
        outcome
    }

    fn keywords(&mut self, keywords: &JsonMap<String, Json>, value: &Json, path: &str) -> Checked<Outcome> {
        let draft = self.document.draft;
        let mut run = Run {
            keywords,
            path,
            problems: Vec::new(),
            seen: Seen::default(),
        };
        let reference = keywords.get("$ref").and_then(Json::as_str);
        if let Some(uri) = reference.filter(|_| draft < 2019) {
            return self.reference(uri, value, path);
        }
        if let Some(text) = first_of_all(keywords, value, draft) {
            return Ok(Err(rule(path, text)));
        }
        if let Some(uri) = reference {
            let outcome = self.reference(uri, value, path)?;
            run.take(outcome);
        }
        match value {
            Json::Object(fields) => self.object(&mut run, fields)?,
            Json::Array(items) => self.array(&mut run, items)?,
            Json::String(text) => self.text(&mut run, text),
            Json::Number(number) => numeric(&mut run, number, draft),
            Json::Null | Json::Bool(_) => {}
        }
        let dynamic = ["$dynamicRef", "$recursiveRef"]
            .iter()
            .find_map(|name| keywords.get(*name).and_then(Json::as_str));
        if let Some(uri) = dynamic.filter(|_| draft >= 2019) {
            let outcome = self.reference(uri, value, path)?;
            run.take(outcome);
        }
        self.combinations(&mut run, value)?;
        if draft >= 2019 {
            self.unevaluated(&mut run, value)?;
        }
        Ok(run.outcome())
    }

    fn reference(&mut self, uri: &str, value: &Json, path: &str) -> Checked<Outcome> {
        let Target::Schema(schema) = self.document.target(uri)? else {
            return Ok(Ok(Seen::default()));
        };
        Ok(self
            .schema(schema, value, path)?
            .map_err(|problem| Problem::Reference {
                path: path.to_owned(),
                causes: match problem {
                    Problem::Group { causes, .. } => causes,
                    one => vec![one],
                },
            }))
    }

    fn object(&mut self, run: &mut Run<'_>, fields: &JsonMap<String, Json>) -> Checked<()> {
        let draft = self.document.draft;
        run.bound("minProperties", fields.len(), |got, want| got < want);
        run.bound("maxProperties", fields.len(), |got, want| got > want);
        let missing = missing(fields, run.keywords.get("required"));
        match missing.as_slice() {
            [] => {}
            [one] => run.fail(format!("missing property {}", quoted(one))),
            many => run.fail(format!(
                "missing properties {}",
                quoted_list(many.iter().copied())
            )),
        }
        self.dependencies(run, fields, "dependencies")?;
        self.properties(run, fields)?;
        if draft == 4 {
            return Ok(());
        }
        if let Some(schema) = run.keywords.get("propertyNames") {
            for name in fields.keys() {
                let outcome = self.schema(schema, &Json::String(name.clone()), "")?;
                if let Err(problem) = outcome {
                    let causes = match problem {
                        Problem::Group { causes, .. } => causes,
                        one => vec![one],
                    };
                    run.problems.push(Problem::Because {
                        path: run.path.to_owned(),
                        text: format!("invalid propertyName {}", quoted(name)),
                        causes,
                    });
                }
            }
        }
        if draft >= 2019 {
            self.dependencies(run, fields, "dependentSchemas")?;
            self.dependencies(run, fields, "dependentRequired")?;
        }
        Ok(())
    }

    fn dependencies(
        &mut self,
        run: &mut Run<'_>,
        fields: &JsonMap<String, Json>,
        keyword: &str,
    ) -> Checked<()> {
        for (name, dependency) in run
            .keywords
            .get(keyword)
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            let Some(value) = fields.contains_key(name).then_some(fields) else {
                continue;
            };
            if dependency.is_array() {
                let missing = missing(value, Some(dependency));
                if !missing.is_empty() {
                    let missing = quoted_list(missing.iter().copied());
                    run.fail(format!(
                        "properties {missing} required, if {} exists",
                        quoted(name)
                    ));
                }
            } else {
                let value = Json::Object(value.clone());
                let outcome = self.schema(dependency, &value, run.path)?;
                run.take(outcome);
            }
        }
        Ok(())
    }

    fn properties(&mut self, run: &mut Run<'_>, fields: &JsonMap<String, Json>) -> Checked<()> {
        let properties = run.keywords.get("properties").and_then(Json::as_object);
        let patterns = run.keywords.get("patternProperties").and_then(Json::as_object);
        let additional = run.keywords.get("additionalProperties");
        let mut not_allowed = Vec::new();
        for (name, value) in fields {
            let path = child(run.path, name);
            let mut is_evaluated = false;
            if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                is_evaluated = true;
                let outcome = self.schema(schema, value, &path)?;
                run.problems.extend(outcome.err());
            }
            for (pattern, schema) in patterns.into_iter().flatten() {
                if self.document.matches(pattern, name) {
                    is_evaluated = true;
                    let outcome = self.schema(schema, value, &path)?;
                    run.problems.extend(outcome.err());
                }
            }
            match additional {
                Some(_) if is_evaluated => {}
                Some(Json::Bool(false)) => not_allowed.push(name.as_str()),
                Some(schema) => {
                    is_evaluated = true;
                    let outcome = self.schema(schema, value, &path)?;
                    run.problems.extend(outcome.err());
                }
                None => {}
            }
            if is_evaluated {
                run.seen.properties.insert(name.clone());
            }
        }
        if !not_allowed.is_empty() {
            run.fail(format!(
                "additional properties {} not allowed",
                quoted_list(not_allowed)
            ));
        }
        Ok(())
    }

    fn array(&mut self, run: &mut Run<'_>, items: &[Json]) -> Checked<()> {
        run.bound("minItems", items.len(), |got, want| got < want);
        run.bound("maxItems", items.len(), |got, want| got > want);
        if run.keywords.get("uniqueItems") == Some(&Json::Bool(true)) {
            let twice = items.iter().enumerate().find_map(|(index, item)| {
                let earlier = items
                    .iter()
                    .take(index)
                    .position(|other| number::equal(other, item))?;
                Some((earlier, index))
            });
            if let Some((a, b)) = twice {
                run.fail(format!("items at {a} and {b} are equal"));
            }
        }
        let is_new = self.document.draft >= 2020;
        let (first, rest) = match (run.keywords.get("items"), is_new) {
            (rest, true) => (run.keywords.get("prefixItems"), rest),
            (Some(Json::Array(_)), false) => (run.keywords.get("items"), run.keywords.get("additionalItems")),
            (rest, false) => (None, rest),
        };
        let first: &[Json] = first.and_then(Json::as_array).map_or(&[], Vec::as_slice);
        for (index, (item, schema)) in items.iter().zip(first).enumerate() {
            let outcome = self.schema(schema, item, &child(run.path, &index.to_string()))?;
            run.problems.extend(outcome.err());
            run.seen.items.insert(index);
        }
        match rest {
            Some(Json::Bool(false)) if !is_new && !first.is_empty() && items.len() > first.len() => {
                let more = items.len() - first.len();
                run.fail(format!("last {more} additionalItem(s) not allowed"));
            }
            Some(schema) => {
                for (index, item) in items.iter().enumerate().skip(first.len()) {
                    let outcome = self.schema(schema, item, &child(run.path, &index.to_string()))?;
                    run.problems.extend(outcome.err());
                    run.seen.items.insert(index);
                }
            }
            None => {}
        }
        self.contains(run, items)
    }

    fn contains(&mut self, run: &mut Run<'_>, items: &[Json]) -> Checked<()> {
        let Some(schema) = run.keywords.get("contains").filter(|_| self.document.draft >= 6) else {
            return Ok(());
        };
        let (mut matched, mut causes) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match self.schema(schema, item, &child(run.path, &index.to_string()))? {
                Ok(_) => matched.push(index),
                Err(problem) => causes.push(problem),
            }
        }
        if self.document.draft >= 2020 {
            run.seen.items.extend(&matched);
        }
        let limit = |name: &str| {
            run.keywords
                .get(name)
                .and_then(Json::as_u64)
                .filter(|_| self.document.draft >= 2019)
        };
        let at = matched.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        let count = matched.len() as u64;
        let text = match limit("minContains") {
            Some(want) if count < want && count == 0 => Some(format!(
                "min {want} items required to match contains schema, but none matched"
            )),
            Some(want) if count < want => Some(format!(
                "min {want} items required to match contains schema, but matched {count} items at {at}"
            )),
            None if count == 0 => Some("no items match contains schema".to_owned()),
            _ => None,
        };
        if let Some(want) = limit("maxContains").filter(|want| count > *want) {
            run.fail(format!(
                "max {want} items required to match contains schema, but matched {count} items at {at}"
            ));
        }
        if let Some(text) = text {
            run.problems.push(Problem::Because {
                path: run.path.to_owned(),
                text,
                causes,
            });
        }
        Ok(())
    }

    fn text(&self, run: &mut Run<'_>, text: &str) {
        let length = text.chars().count();
        run.bound("minLength", length, |got, want| got < want);
        run.bound("maxLength", length, |got, want| got > want);
        if let Some(pattern) = run.keywords.get("pattern").and_then(Json::as_str)
            && !self.document.matches(pattern, text)
        {
            run.fail(format!(
                "{} does not match pattern {}",
                quoted(text),
                quoted(pattern)
            ));
        }
    }

    fn combinations(&mut self, run: &mut Run<'_>, value: &Json) -> Checked<()> {
        if let Some(schema) = run.keywords.get("not")
            && self.schema(schema, value, run.path)?.is_ok()
        {
            run.fail("'not' failed".to_owned());
        }
        let list = |name: &str| {
            run.keywords
                .get(name)
                .and_then(Json::as_array)
                .filter(|list| !list.is_empty())
        };
        let (all, any, one) = (list("allOf"), list("anyOf"), list("oneOf"));
        if let Some(schemas) = all {
            let (causes, _) = self.each(run, schemas, value, usize::MAX)?;
            if !causes.is_empty() {
                run.because("'allOf' failed".to_owned(), causes);
            }
        }
        if let Some(schemas) = any {
            let (causes, matched) = self.each(run, schemas, value, usize::MAX)?;
            if matched.is_empty() {
                run.because("'anyOf' failed".to_owned(), causes);
            }
        }
        if let Some(schemas) = one {
            let (causes, matched) = self.each(run, schemas, value, 2)?;
            match matched.as_slice() {
                [] => run.because("'oneOf' failed, none matched".to_owned(), causes),
                [_] => {}
                [a, b, ..] => run.fail(format!("'oneOf' failed, subschemas {a}, {b} matched")),
            }
        }
        self.conditional(run, value)
    }

    /// The problems of those that do not match, the places of those that do, at most `enough` of them.
    fn each(
        &mut self,
        run: &mut Run<'_>,
        schemas: &[Json],
        value: &Json,
        enough: usize,
    ) -> Checked<(Vec<Problem>, Vec<usize>)> {
        let (mut causes, mut matched) = (Vec::new(), Vec::new());
        for (index, schema) in schemas.iter().enumerate() {
            match self.schema(schema, value, run.path)? {
                Ok(seen) => {
                    run.seen.add(seen);
                    matched.push(index);
                    if matched.len() >= enough {
                        break;
                    }
                }
                Err(problem) => causes.push(problem),
            }
        }
        Ok((causes, matched))
    }

    fn conditional(&mut self, run: &mut Run<'_>, value: &Json) -> Checked<()> {
        let Some(schema) = run.keywords.get("if").filter(|_| self.document.draft >= 7) else {
            return Ok(());
        };
        let branch = match self.schema(schema, value, run.path)? {
            Ok(seen) => {
                run.seen.add(seen);
                "then"
            }
            Err(_) => "else",
        };
        if let Some(schema) = run.keywords.get(branch) {
            let outcome = self.schema(schema, value, run.path)?;
            run.take(outcome);
        }
        Ok(())
    }

    fn unevaluated(&mut self, run: &mut Run<'_>, value: &Json) -> Checked<()> {
        if let (Some(schema), Json::Object(fields)) = (run.keywords.get("unevaluatedProperties"), value) {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !run.seen.properties.contains(*name))
            {
                let outcome = self.schema(schema, value, &child(run.path, name))?;
                run.problems.extend(outcome.err());
            }
            run.seen.properties.extend(fields.keys().cloned());
        }
        if let (Some(schema), Json::Array(items)) = (run.keywords.get("unevaluatedItems"), value) {
            for (index, item) in items
                .iter()
                .enumerate()
                .filter(|(index, _)| !run.seen.items.contains(index))
            {
                let outcome = self.schema(schema, item, &child(run.path, &index.to_string()))?;
                run.problems.extend(outcome.err());
            }
            run.seen.items.extend(0..items.len());
        }
        Ok(())
    }
}

/// One schema against one value.
struct Run<'r> {
    keywords: &'r JsonMap<String, Json>,
    path: &'r str,
    problems: Vec<Problem>,
    seen: Seen,
}

impl Run<'_> {
    fn fail(&mut self, text: String) {
        self.problems.push(rule(self.path, text));
    }

    fn because(&mut self, text: String, causes: Vec<Problem>) {
        self.problems.push(Problem::Because {
            path: self.path.to_owned(),
            text,
            causes,
        });
    }

    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Ok(seen) => self.seen.add(seen),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn bound(&mut self, keyword: &str, got: usize, is_wrong: impl Fn(f64, f64) -> bool) {
        if let Some(want) = self.keywords.get(keyword).and_then(Json::as_f64)
            && is_wrong(got as f64, want)
        {
            self.fail(format!(
                "{keyword}: got {}, want {}",
                number::shown(got as f64),
                number::shown(want)
            ));
        }
    }

    fn outcome(mut self) -> Outcome {
        match self.problems.len() {
            0 => Ok(self.seen),
            1 => self.problems.pop().map_or(Ok(self.seen), Err),
            _ => Err(Problem::Group {
                path: self.path.to_owned(),
                causes: self.problems,
            }),
        }
    }
}

fn rule(path: &str, text: String) -> Problem {
    Problem::Rule {
        path: path.to_owned(),
        text,
    }
}

fn child(path: &str, name: &str) -> String {
    format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn missing<'k>(fields: &JsonMap<String, Json>, names: Option<&'k Json>) -> Vec<&'k str> {
    let names = names.and_then(Json::as_array).into_iter().flatten();
    names
        .filter_map(Json::as_str)
        .filter(|name| !fields.contains_key(*name))
        .collect()
}

/// Type, constant, enumeration, format: the first that does not hold hides all other rules.
fn first_of_all(keywords: &JsonMap<String, Json>, value: &Json, draft: u16) -> Option<String> {
    let wanted: Vec<&str> = match keywords.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |name: &&str| {
        *name == kind(value)
            || *name == "integer" && matches!(value, Json::Number(number) if number::is_integer(number))
    };
    if !wanted.is_empty() && !wanted.iter().any(is) {
        return Some(format!(
            "got {}, want {}",
            kind(value),
            in_type_order(&wanted).join(" or ")
        ));
    }
    if let Some(constant) = keywords.get("const").filter(|_| draft >= 6)
        && !number::equal(value, constant)
    {
        return Some(match constant {
            Json::Array(_) | Json::Object(_) => "'const' failed".to_owned(),
            scalar => format!("value must be {}", shown(scalar)),
        });
    }
    if let Some(Json::Array(allowed)) = keywords.get("enum")
        && !allowed.iter().any(|item| number::equal(value, item))
    {
        return Some(
            if allowed.iter().any(|item| item.is_array() || item.is_object()) {
                "'enum' failed".to_owned()
            } else if let [one] = allowed.as_slice() {
                format!("value must be {}", shown(one))
            } else {
                format!(
                    "value must be one of {}",
                    allowed.iter().map(shown).collect::<Vec<_>>().join(", ")
                )
            },
        );
    }
    // from 2019-09 on formats are remarks
    let name = keywords
        .get("format")
        .and_then(Json::as_str)
        .filter(|_| draft < 2019)?;
    let error = format::check(name, value.as_str()?)?;
    Some(format!("{} is not valid {name}: {error}", shown(value)))
}

/// The library keeps types as a set, in an order of its own.
fn in_type_order<'t>(names: &[&'t str]) -> Vec<&'t str> {
    let order = [
        "null", "boolean", "number", "integer", "string", "array", "object",
    ];
    let mut names = names.to_vec();
    names.sort_by_key(|name| order.iter().position(|known| known == name));
    names.dedup();
    names
}

fn numeric(run: &mut Run<'_>, number: &Number, draft: u16) {
    let got = number::value(number);
    let limit = |name: &str| run.keywords.get(name).and_then(Json::as_f64);
    let is_exclusive = |name: &str| draft == 4 && run.keywords.get(name) == Some(&Json::Bool(true));
    let mut texts = Vec::new();
    let mut check = |name: &str, limit: Option<f64>, is_wrong: fn(f64, f64) -> bool| {
        if let Some(want) = limit.filter(|want| is_wrong(got, *want)) {
            texts.push(format!(
                "{name}: got {}, want {}",
                number::shown(got),
                number::shown(want)
            ));
        }
    };
    let (minimum, maximum) = (limit("minimum"), limit("maximum"));
    match is_exclusive("exclusiveMinimum") {
        true => check("exclusiveMinimum", minimum, |got, want| got <= want),
        false => check("minimum", minimum, |got, want| got < want),
    }
    match is_exclusive("exclusiveMaximum") {
        true => check("exclusiveMaximum", maximum, |got, want| got >= want),
        false => check("maximum", maximum, |got, want| got > want),
    }
    if draft > 4 {
        check("exclusiveMinimum", limit("exclusiveMinimum"), |got, want| {
            got <= want
        });
        check("exclusiveMaximum", limit("exclusiveMaximum"), |got, want| {
            got >= want
        });
    }
    if let Some(Json::Number(of)) = run.keywords.get("multipleOf")
        && number::value(of) != 0.0
        && !number::is_multiple(number, of)
    {
        texts.push(format!(
            "multipleOf: got {}, want {}",
            number::shown(got),
            number::shown(number::value(of))
        ));
    }
    texts.into_iter().for_each(|text| run.fail(text));
}
