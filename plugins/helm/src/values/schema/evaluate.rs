//! Values against schemas. The order of the rules is the library's: the first of type, constant, enumeration and format that
//! does not hold is the only one that is told.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    document::{Document, key},
    format,
    json::{Fields, Json},
    keywords::Keywords,
    location::{Path, decode, escape, split},
    metaschema,
    number::Number,
    problem::{Problem, quoted, quoted_list, shown},
};

/// How many schemas one validation may look at (N26): the largest public chart needs 40 000.
const STEPS_MAX: usize = 5_000_000;

/// One validation.
pub(super) struct Evaluation<'d, 'a> {
    document: &'d Document<'a>,
    root: &'a Json,
    /// The schemas that are being evaluated, each inside of the one before.
    active: Vec<Active<'a>>,
    steps: usize,
    /// The value is a schema itself.
    meta: Option<Meta<'d>>,
}

/// A schema that looks at a value.
struct Active<'a> {
    schema: &'a Json,
    /// Where the value is in memory.
    value: usize,
    /// The reference that leads here.
    reference: Option<&'static str>,
}

/// What is known of a schema that is looked at as a value.
struct Meta<'d> {
    /// The draft that counts right now.
    draft: u16,
    /// The drafts of the resources by pointer.
    drafts: BTreeMap<&'d str, u16>,
}

/// What a schema looked at, for `unevaluatedProperties` and `unevaluatedItems`; nothing where no schema has these.
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
        Self::from(document, document.root())
    }

    /// Of a schema against that of its draft; `drafts` are those of the resources in it by pointer.
    pub(super) fn of_schema(
        library: &'d Document<'static>,
        draft: u16,
        drafts: BTreeMap<&'d str, u16>,
    ) -> Evaluation<'d, 'static> {
        Evaluation {
            meta: Some(Meta { draft, drafts }),
            ..Evaluation::from(library, metaschema::of(draft))
        }
    }

    fn from(document: &'d Document<'a>, root: &'a Json) -> Self {
        Self {
            document,
            root,
            active: Vec::new(),
            steps: 0,
            meta: None,
        }
    }

    /// What is wrong with a value.
    pub(super) fn problems(&mut self, value: &Json) -> Checked<Vec<Problem>> {
        let outcome = self.schema(self.root, value, &Path::Root, None)?;
        Ok(outcome.err().map_or_else(Vec::new, Problem::into_causes))
    }

    /// `reference` is the keyword that leads here.
    fn schema(
        &mut self,
        schema: &'a Json,
        value: &Json,
        path: &Path<'_>,
        reference: Option<&'static str>,
    ) -> Checked<Outcome> {
        self.document.limit(self.active.len())?;
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(format!("the schema takes more than {STEPS_MAX} steps"));
        }
        if let Some(draft) = self.other_draft(schema, path) {
            return self.in_draft(draft, value, path, reference);
        }
        let fields = match schema {
            Json::Bool(false) => return Ok(Err(rule(path, "false schema".to_owned()))),
            Json::Object(fields) => fields,
            _ => return Ok(Ok(Seen::default())),
        };
        let Some(known) = self.document.schema(schema) else {
            return Ok(Ok(Seen::default()));
        };
        let (keywords, draft) = (Keywords::new(fields, known.present), known.draft);
        let twice = self
            .active
            .iter()
            .position(|active| key(active.schema) == key(schema) && active.value == key(value));
        self.active.push(Active {
            schema,
            value: key(value),
            reference,
        });
        let outcome = match twice {
            Some(first) => Ok(Err(rule(path, self.cycle(first)))),
            None => self.keywords(keywords, draft, value, path),
        };
        self.active.pop();
        outcome
    }

    /// A part of a schema may follow another draft than the whole.
    fn other_draft(&self, schema: &Json, path: &Path<'_>) -> Option<u16> {
        let meta = self.meta.as_ref()?;
        // most schemas are of one draft throughout, and most of what looks at a part is not the whole of a draft
        if meta.drafts.len() == 1 || key(self.root) != key(schema) {
            return None;
        }
        let draft = *meta.drafts.get(path.text().as_str())?;
        (draft != meta.draft).then_some(draft)
    }

    fn in_draft(
        &mut self,
        draft: u16,
        value: &Json,
        path: &Path<'_>,
        reference: Option<&'static str>,
    ) -> Checked<Outcome> {
        let library: &Document<'static> = metaschema::library(draft);
        let drafts = self
            .meta
            .as_ref()
            .map(|meta| meta.drafts.clone())
            .unwrap_or_default();
        let mut inner = Evaluation::of_schema(library, draft, drafts);
        inner.steps = self.steps;
        let outcome = inner.schema(inner.root, value, path, reference);
        self.steps = inner.steps;
        outcome
    }

    /// The innermost schema is one that looks at the value already.
    fn cycle(&self, first: usize) -> String {
        let place = |last: usize| {
            let pairs = self.active.windows(2).take(last);
            let steps = pairs.map(|pair| match pair {
                [
                    _,
                    Active {
                        reference: Some(name),
                        ..
                    },
                ] => format!("/{}", escape(name)),
                [outer, inner] => {
                    let (outer, inner) = (
                        self.document.location(outer.schema),
                        self.document.location(inner.schema),
                    );
                    inner.get(outer.len()..).unwrap_or_default().to_owned()
                }
                _ => String::new(),
            });
            steps.collect::<String>()
        };
        let last = self.active.len().saturating_sub(1);
        let schema = self
            .active
            .get(first)
            .map(|active| self.document.location(active.schema));
        format!(
            "both {} and {} resolve to \"{}\" causing reference cycle",
            place(last),
            place(first),
            schema.unwrap_or_default()
        )
    }

    fn keywords(
        &mut self,
        keywords: Keywords<'a>,
        draft: u16,
        value: &Json,
        path: &Path<'_>,
    ) -> Checked<Outcome> {
        let mut run = Run {
            keywords,
            draft,
            value,
            path,
            problems: Vec::new(),
            counts_seen: self.document.counts_seen,
            seen: Seen::default(),
        };
        let asserts_formats = draft < 2019 || self.document.is_library;
        if let Some(text) = first_of_all(keywords, value, draft, asserts_formats) {
            return Ok(Err(rule(path, text)));
        }
        if let Some(target) = self.target(keywords, "$ref") {
            let outcome = self.reference(target, "$ref", value, path)?;
            if draft < 2019 {
                return Ok(outcome);
            }
            run.take(outcome);
        }
        match value {
            Json::Object(fields) => self.object(&mut run, fields)?,
            Json::Array(items) => self.array(&mut run, items)?,
            Json::String(text) => self.text(&mut run, text),
            Json::Number(number) => numeric(&mut run, number, draft),
            Json::Null | Json::Bool(_) => {}
        }
        if let Some(target) = self.target(keywords, "$recursiveRef") {
            let target = self.recursive(target);
            let outcome = self.reference(target, "$recursiveRef", value, path)?;
            run.take(outcome);
        }
        if let Some(target) = self.target(keywords, "$dynamicRef") {
            let target = self.dynamic(target, keywords);
            let outcome = self.reference(target, "$dynamicRef", value, path)?;
            run.take(outcome);
        }
        self.combinations(&mut run, value)?;
        if draft >= 2019 {
            self.unevaluated(&mut run, value)?;
        }
        Ok(run.outcome())
    }

    fn target(&self, keywords: Keywords<'a>, name: &str) -> Option<&'a Json> {
        self.document.target(keywords.get(name)?)
    }

    /// The outermost schema on the way here whose resource has a `$recursiveAnchor`, if the target has one.
    fn recursive(&self, target: &'a Json) -> &'a Json {
        if target.get("$recursiveAnchor").and_then(Json::as_bool) != Some(true) {
            return target;
        }
        let outermost = self
            .active
            .iter()
            .find(|active| self.document.is_recursive(active.schema));
        outermost.map_or(target, |active| active.schema)
    }

    /// The schema of that name in the outermost resource on the way here that has one, if the target has that name.
    fn dynamic(&self, target: &'a Json, keywords: Keywords<'a>) -> &'a Json {
        let reference = keywords
            .get("$dynamicRef")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let name = decode(split(reference).1).unwrap_or_default();
        if name.is_empty() || target.get("$dynamicAnchor").and_then(Json::as_str) != Some(&name) {
            return target;
        }
        let mut resources = self.active.iter();
        resources
            .find_map(|active| self.document.dynamic(active.schema, &name))
            .unwrap_or(target)
    }

    fn reference(
        &mut self,
        target: &'a Json,
        keyword: &'static str,
        value: &Json,
        path: &Path<'_>,
    ) -> Checked<Outcome> {
        let outcome = self.schema(target, value, path, Some(keyword))?;
        Ok(outcome.map_err(|problem| Problem::Reference {
            path: path.text(),
            causes: problem.into_causes(),
        }))
    }

    fn object(&mut self, run: &mut Run<'_, 'a>, fields: &Fields) -> Checked<()> {
        run.bound("minProperties", fields.len(), Ordering::Less);
        run.bound("maxProperties", fields.len(), Ordering::Greater);
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
        if run.draft == 4 {
            return Ok(());
        }
        if let Some(schema) = run.keywords.get("propertyNames") {
            for name in fields.keys() {
                let outcome = self.schema(schema, &Json::String(name.clone()), &Path::Root, None)?;
                if let Err(problem) = outcome {
                    run.because(
                        format!("invalid propertyName {}", quoted(name)),
                        problem.into_causes(),
                    );
                }
            }
        }
        if run.draft >= 2019 {
            self.dependencies(run, fields, "dependentSchemas")?;
            self.dependencies(run, fields, "dependentRequired")?;
        }
        Ok(())
    }

    fn dependencies(&mut self, run: &mut Run<'_, 'a>, fields: &Fields, keyword: &str) -> Checked<()> {
        for (name, dependency) in run
            .keywords
            .get(keyword)
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            if !fields.contains_key(name) {
                continue;
            }
            if dependency.as_array().is_some() {
                let missing = missing(fields, Some(dependency));
                if !missing.is_empty() {
                    let missing = quoted_list(missing.iter().copied());
                    run.fail(format!(
                        "properties {missing} required, if {} exists",
                        quoted(name)
                    ));
                }
            } else {
                let outcome = self.schema(dependency, run.value, run.path, None)?;
                run.take(outcome);
            }
        }
        Ok(())
    }

    fn properties(&mut self, run: &mut Run<'_, 'a>, fields: &Fields) -> Checked<()> {
        let properties = run.keywords.get("properties").and_then(Json::as_object);
        let patterns = run.keywords.get("patternProperties").and_then(Json::as_object);
        let additional = run.keywords.get("additionalProperties");
        let mut not_allowed = Vec::new();
        let base = run.path;
        for (name, value) in fields {
            let path = Path::Name(base, name);
            let mut is_evaluated = false;
            if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                is_evaluated = true;
                let outcome = self.schema(schema, value, &path, None)?;
                run.problems.extend(outcome.err());
            }
            for (pattern, schema) in patterns.into_iter().flatten() {
                if self.document.matches(pattern, name) {
                    is_evaluated = true;
                    let outcome = self.schema(schema, value, &path, None)?;
                    run.problems.extend(outcome.err());
                }
            }
            match additional {
                Some(_) if is_evaluated => {}
                // what is refused is looked at too: "unevaluatedProperties" does not refuse it once more
                Some(Json::Bool(false)) => {
                    is_evaluated = true;
                    not_allowed.push(name.as_str());
                }
                Some(schema) => {
                    is_evaluated = true;
                    let outcome = self.schema(schema, value, &path, None)?;
                    run.problems.extend(outcome.err());
                }
                None => {}
            }
            if is_evaluated {
                run.saw_property(name);
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

    fn array(&mut self, run: &mut Run<'_, 'a>, items: &[Json]) -> Checked<()> {
        run.bound("minItems", items.len(), Ordering::Less);
        run.bound("maxItems", items.len(), Ordering::Greater);
        if run.is_true("uniqueItems") {
            let twice = items.iter().enumerate().find_map(|(index, item)| {
                let earlier = items.iter().take(index).position(|other| other.equals(item))?;
                Some((earlier, index))
            });
            if let Some((a, b)) = twice {
                run.fail(format!(
                    "items at {} and {} are equal",
                    Number::of(a).shown_count(),
                    Number::of(b).shown_count()
                ));
            }
        }
        let is_new = run.draft >= 2020;
        let (first, rest) = match (run.keywords.get("items"), is_new) {
            (rest, true) => (run.keywords.get("prefixItems"), rest),
            (Some(Json::Array(_)), false) => (run.keywords.get("items"), run.keywords.get("additionalItems")),
            (rest, false) => (None, rest),
        };
        let first = first.and_then(Json::as_array).unwrap_or_default();
        for (index, (item, schema)) in items.iter().zip(first).enumerate() {
            let outcome = self.schema(schema, item, &Path::Item(run.path, index), None)?;
            run.problems.extend(outcome.err());
            run.saw_items([index]);
        }
        match rest {
            Some(Json::Bool(false)) if !is_new && !first.is_empty() && items.len() > first.len() => {
                let more = Number::of(items.len() - first.len()).shown_count();
                run.fail(format!("last {more} additionalItem(s) not allowed"));
                run.saw_items(first.len()..items.len());
            }
            Some(schema) => {
                for (index, item) in items.iter().enumerate().skip(first.len()) {
                    let outcome = self.schema(schema, item, &Path::Item(run.path, index), None)?;
                    run.problems.extend(outcome.err());
                    run.saw_items([index]);
                }
            }
            None => {}
        }
        self.contains(run, items)
    }

    fn contains(&mut self, run: &mut Run<'_, 'a>, items: &[Json]) -> Checked<()> {
        let Some(schema) = run.keywords.get("contains").filter(|_| run.draft >= 6) else {
            return Ok(());
        };
        let (mut matched, mut causes) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match self.schema(schema, item, &Path::Item(run.path, index), None)? {
                Ok(_) => matched.push(index),
                Err(problem) => causes.push(problem),
            }
        }
        if run.draft >= 2020 {
            run.saw_items(matched.iter().copied());
        }
        let limit = |name: &str| run.count(name).filter(|_| run.draft >= 2019);
        let at = matched.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        let count = Number::of(matched.len());
        let (least, most) = (limit("minContains"), limit("maxContains"));
        let told = |word: &str, want: &Number| {
            let (want, count) = (want.shown_count(), count.shown_count());
            format!(
                "{word} {want} items required to match contains schema, but matched {count} items at {at}"
            )
        };
        let text = match least {
            Some(want) if is(&count, Ordering::Less, want) && matched.is_empty() => Some(format!(
                "min {} items required to match contains schema, but none matched",
                want.shown_count()
            )),
            Some(want) if is(&count, Ordering::Less, want) => Some(told("min", want)),
            None if matched.is_empty() => Some("no items match contains schema".to_owned()),
            _ => None,
        };
        let most = most
            .filter(|want| is(&count, Ordering::Greater, want))
            .map(|want| told("max", want));
        if let Some(text) = text {
            run.because(text, causes);
        }
        if let Some(text) = most {
            run.fail(text);
        }
        Ok(())
    }

    fn text(&self, run: &mut Run<'_, 'a>, text: &str) {
        let length = text.chars().count();
        run.bound("minLength", length, Ordering::Less);
        run.bound("maxLength", length, Ordering::Greater);
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

    fn combinations(&mut self, run: &mut Run<'_, 'a>, value: &Json) -> Checked<()> {
        if let Some(schema) = run.keywords.get("not")
            && self.schema(schema, value, run.path, None)?.is_ok()
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
        run: &mut Run<'_, 'a>,
        schemas: &'a [Json],
        value: &Json,
        enough: usize,
    ) -> Checked<(Vec<Problem>, Vec<usize>)> {
        let (mut causes, mut matched) = (Vec::new(), Vec::new());
        for (index, schema) in schemas.iter().enumerate() {
            match self.schema(schema, value, run.path, None)? {
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

    fn conditional(&mut self, run: &mut Run<'_, 'a>, value: &Json) -> Checked<()> {
        let Some(schema) = run.keywords.get("if").filter(|_| run.draft >= 7) else {
            return Ok(());
        };
        let branch = match self.schema(schema, value, run.path, None)? {
            Ok(seen) => {
                run.seen.add(seen);
                "then"
            }
            Err(_) => "else",
        };
        if let Some(schema) = run.keywords.get(branch) {
            let outcome = self.schema(schema, value, run.path, None)?;
            run.take(outcome);
        }
        Ok(())
    }

    fn unevaluated(&mut self, run: &mut Run<'_, 'a>, value: &Json) -> Checked<()> {
        if let (Some(schema), Json::Object(fields)) = (run.keywords.get("unevaluatedProperties"), value) {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !run.seen.properties.contains(*name))
            {
                let outcome = self.schema(schema, value, &Path::Name(run.path, name), None)?;
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
                let outcome = self.schema(schema, item, &Path::Item(run.path, index), None)?;
                run.problems.extend(outcome.err());
            }
            run.seen.items.extend(0..items.len());
        }
        Ok(())
    }
}

/// One schema against one value.
struct Run<'r, 'a> {
    keywords: Keywords<'a>,
    draft: u16,
    value: &'r Json,
    path: &'r Path<'r>,
    problems: Vec<Problem>,
    counts_seen: bool,
    seen: Seen,
}

impl<'a> Run<'_, 'a> {
    fn fail(&mut self, text: String) {
        self.problems.push(rule(self.path, text));
    }

    fn because(&mut self, text: String, causes: Vec<Problem>) {
        self.problems.push(Problem::Because {
            path: self.path.text(),
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

    fn saw_property(&mut self, name: &str) {
        if self.counts_seen {
            self.seen.properties.insert(name.to_owned());
        }
    }

    fn saw_items(&mut self, items: impl IntoIterator<Item = usize>) {
        if self.counts_seen {
            self.seen.items.extend(items);
        }
    }

    fn is_true(&self, keyword: &str) -> bool {
        self.keywords.get(keyword).and_then(Json::as_bool) == Some(true)
    }

    /// A keyword with a count; fractions do not count.
    fn count(&self, keyword: &str) -> Option<&'a Number> {
        let number = self.keywords.get(keyword)?.as_number()?;
        number.is_integer().then_some(number)
    }

    /// It is wrong where the count stands in that order to the limit.
    fn bound(&mut self, keyword: &str, got: usize, wrong: Ordering) {
        let Some(want) = self.count(keyword) else {
            return;
        };
        let got = Number::of(got);
        if is(&got, wrong, want) {
            let (got, want) = (got.shown_count(), want.shown_count());
            self.fail(format!("{keyword}: got {got}, want {want}"));
        }
    }

    fn outcome(mut self) -> Outcome {
        match self.problems.len() {
            0 => Ok(self.seen),
            1 => self.problems.pop().map_or(Ok(self.seen), Err),
            _ => Err(Problem::Group {
                path: self.path.text(),
                causes: self.problems,
            }),
        }
    }
}

fn rule(path: &Path<'_>, text: String) -> Problem {
    Problem::Rule {
        path: path.text(),
        text,
    }
}

fn is(number: &Number, order: Ordering, other: &Number) -> bool {
    number.compare(other) == Some(order)
}

fn missing<'k>(fields: &Fields, names: Option<&'k Json>) -> Vec<&'k str> {
    let names = names.and_then(Json::as_array).into_iter().flatten();
    names
        .filter_map(Json::as_str)
        .filter(|name| !fields.contains_key(*name))
        .collect()
}

/// Type, constant, enumeration, format: the first that does not hold hides all other rules.
fn first_of_all(keywords: Keywords<'_>, value: &Json, draft: u16, asserts_formats: bool) -> Option<String> {
    // beside a "$ref" that replaces them only the constant counts
    let is_replaced = keywords.is_replaced(draft);
    let keyword = |name: &str| keywords.get(name).filter(|_| !is_replaced);
    let names = match keyword("type") {
        Some(Json::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    let wanted = || names.iter().filter_map(Json::as_str);
    let is = |name: &str| {
        name == value.kind() || name == "integer" && value.as_number().is_some_and(Number::is_integer)
    };
    if wanted().next().is_some() && !wanted().any(is) {
        let wanted: Vec<&str> = wanted().collect();
        return Some(format!(
            "got {}, want {}",
            value.kind(),
            in_type_order(&wanted).join(" or ")
        ));
    }
    if let Some(constant) = keywords.get("const").filter(|_| draft >= 6)
        && !value.equals(constant)
    {
        return Some(match constant.is_scalar() {
            false => "'const' failed".to_owned(),
            true => format!("value must be {}", shown(constant)),
        });
    }
    if let Some(Json::Array(allowed)) = keyword("enum")
        && !allowed.iter().any(|item| value.equals(item))
    {
        return Some(match allowed.as_slice() {
            _ if !allowed.iter().all(Json::is_scalar) => "'enum' failed".to_owned(),
            [one] => format!("value must be {}", shown(one)),
            many => format!(
                "value must be one of {}",
                many.iter().map(shown).collect::<Vec<_>>().join(", ")
            ),
        });
    }
    let name = keyword("format")
        .and_then(Json::as_str)
        .filter(|_| asserts_formats)?;
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

fn numeric(run: &mut Run<'_, '_>, got: &Number, draft: u16) {
    use Ordering::{Equal, Greater, Less};
    let limit = |name: &str| run.keywords.get(name).and_then(Json::as_number);
    // in draft 4 it is a boolean beside the limit
    let exclusive = |name: &str, limit_name: &str| match run.keywords.get(name) {
        Some(Json::Bool(true)) => (None, limit(limit_name)),
        _ => (limit(limit_name), limit(name).filter(|_| draft > 4)),
    };
    let (minimum, over) = exclusive("exclusiveMinimum", "minimum");
    let (maximum, under) = exclusive("exclusiveMaximum", "maximum");
    let bounds: [(_, _, &[Ordering]); 4] = [
        ("minimum", minimum, &[Less]),
        ("maximum", maximum, &[Greater]),
        ("exclusiveMinimum", over, &[Less, Equal]),
        ("exclusiveMaximum", under, &[Greater, Equal]),
    ];
    let mut texts = Vec::new();
    let mut tell = |name: &str, want: &Number| {
        texts.push(format!("{name}: got {}, want {}", got.shown(), want.shown()));
    };
    for (name, limit, wrong) in bounds {
        if let Some(want) = limit.filter(|want| got.compare(want).is_some_and(|order| wrong.contains(&order)))
        {
            tell(name, want);
        }
    }
    if let Some(of) = limit("multipleOf").filter(|of| !got.is_multiple(of)) {
        tell("multipleOf", of);
    }
    texts.into_iter().for_each(|text| run.fail(text));
}
