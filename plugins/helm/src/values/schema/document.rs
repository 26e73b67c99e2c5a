//! A schema document: which drafts it has, where its references lead, which schemas are reached, checked before anything is
//! evaluated.
//!
//! The order of checks is the library's: addresses and anchors, the draft's own schema, then what is reached from the root.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

use super::{
    evaluate::Evaluation,
    json::{Fields, Json},
    keywords::{evaluated, is_replaced, present, within},
    location::{child, decode, join, lookup, quoted, split, with_fragment},
    metaschema,
};
use crate::go::{regexp::Regexp, url::Url};

/// How deep schemas and values may nest while they are checked (N26). Real schemas stay below 60.
const DEPTH_MAX: usize = 300;

/// The same for a schema that is looked at as a value: up to five of its draft's schemas look at each level of it.
const META_DEPTH_MAX: usize = 900;

/// Where the library says that the schema lies.
const LOCATION: &str = "file:///values.schema.json";

/// What a `urn:` that nobody knows leads to: everything is accepted.
static ANYTHING: Json = Json::Bool(true);

/// Schemas, ready to be evaluated.
#[derive(Default)]
pub(super) struct Document<'a> {
    /// Texts by address; the first is the chart's.
    files: Vec<File<'a>>,
    /// What is reached, by where it is in memory.
    schemas: ByAddress<Schema<'a>>,
    /// Where references lead, by where their texts are in memory.
    targets: ByAddress<&'a Json>,
    /// The schemas with a `$dynamicAnchor` by resource and name.
    dynamic: HashMap<(usize, String), &'a Json>,
    /// Whether a schema that is reached has a keyword that counts what others looked at.
    pub(super) counts_seen: bool,
    /// These are a draft's own schemas: formats are rules in all of them, not only up to the seventh.
    pub(super) is_library: bool,
}

/// One text.
struct File<'a> {
    address: String,
    root: &'a Json,
    /// By pointer.
    resources: BTreeMap<String, Resource>,
    /// The pointers of resources by their addresses.
    by_id: HashMap<String, String>,
    /// The pointers of all schemas that were seen.
    seen: HashSet<String>,
}

/// A schema with an address of its own and those inside of it.
struct Resource {
    id: String,
    draft: u16,
    /// Pointers by anchor.
    anchors: BTreeMap<String, String>,
    dynamic: Vec<String>,
}

/// What is known of a schema.
pub(super) struct Schema<'a> {
    file: usize,
    pointer: String,
    /// 4, 6, 7, 2019 or 2020.
    pub(super) draft: u16,
    /// Which keywords it may have.
    pub(super) present: u64,
    /// The root of its resource.
    resource: &'a Json,
}

/// A place in a file.
type Place = (usize, String);

/// What is still to be reached, by file and pointer. It was found on the way there and need not be looked up again.
type Queue<'a> = VecDeque<(usize, String, &'a Json)>;

/// What is known by where it is in memory.
type ByAddress<T> = HashMap<usize, T, BuildHasherDefault<AddressHasher>>;

/// Spreads addresses by a multiplication. Nobody can choose them to collide, and one is looked up for each schema and value.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, address: usize) {
        // the golden ratio: close addresses become far ones
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        // addresses end in zeros, and so does their product: the table looks at the low half
        self.0 ^ (self.0 >> 32)
    }
}

/// A schema in memory. Trees are not changed while they are looked at.
pub(super) fn key(json: &Json) -> usize {
    std::ptr::from_ref(json).addr()
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Json) -> Result<Self, String> {
        let mut document = Self::default();
        document.add(LOCATION, root)?;
        document.compile(0)?;
        Ok(document)
    }

    /// A draft's own schemas.
    pub(super) fn of_metaschema(draft: u16) -> Result<Document<'static>, String> {
        let mut document = Document {
            is_library: true,
            ..Document::default()
        };
        let file = document.load(metaschema::address(draft))?;
        document.compile(file)?;
        Ok(document)
    }

    /// The chart's schema.
    pub(super) fn root(&self) -> &'a Json {
        self.files.first().map_or(&ANYTHING, |file| file.root)
    }

    pub(super) fn schema(&self, json: &Json) -> Option<&Schema<'a>> {
        self.schemas.get(&key(json))
    }

    /// Where a reference leads.
    pub(super) fn target(&self, reference: &Json) -> Option<&'a Json> {
        self.targets.get(&key(reference)).copied()
    }

    /// The schema that a name means in the resource of another.
    pub(super) fn dynamic(&self, schema: &Json, name: &str) -> Option<&'a Json> {
        let resource = key(self.schema(schema)?.resource);
        self.dynamic.get(&(resource, name.to_owned())).copied()
    }

    /// Whether the resource of a schema has a `$recursiveAnchor`.
    pub(super) fn is_recursive(&self, schema: &Json) -> bool {
        let resource = self.schema(schema).map(|schema| schema.resource);
        resource.is_some_and(|resource| {
            resource.get("$recursiveAnchor").and_then(Json::as_bool) == Some(true)
                && self.schema(resource).is_some_and(|schema| schema.draft >= 2019)
        })
    }

    /// Address and pointer of a schema.
    pub(super) fn location(&self, schema: &Json) -> String {
        let place = self
            .schema(schema)
            .and_then(|schema| Some((self.files.get(schema.file)?, &schema.pointer)));
        place.map_or_else(String::new, |(file, pointer)| {
            with_fragment(&file.address, pointer)
        })
    }

    /// Refuses to go deeper than schemas may nest.
    pub(super) fn limit(&self, depth: usize) -> Result<(), String> {
        let limit = if self.is_library {
            META_DEPTH_MAX
        } else {
            DEPTH_MAX
        };
        if depth > limit {
            return Err(format!("the schema nests too deep: more than {limit} steps"));
        }
        Ok(())
    }

    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        Regexp::compile(pattern).is_ok_and(|pattern| pattern.is_match(text.as_bytes()))
    }

    fn file(&self, index: usize) -> Result<&File<'a>, String> {
        self.files.get(index).ok_or_else(|| "no such schema".to_owned())
    }

    /// The file of an address.
    fn load(&mut self, address: &str) -> Result<usize, String> {
        match self.files.iter().position(|file| file.address == address) {
            Some(index) => Ok(index),
            None => self.add(
                address,
                self.read(address, "put the schema into \"$defs\" of values.schema.json")?,
            ),
        }
    }

    /// What lies at an address; `remedy` is for what would have to be fetched.
    fn read(&self, address: &str, remedy: &str) -> Result<&'a Json, String> {
        if let Some(file) = self.files.iter().find(|file| file.address == address) {
            return Ok(file.root);
        }
        if let Some(schema) = metaschema::find(address) {
            return Ok(schema);
        }
        let url = Url::parse(address.as_bytes())?;
        let why = match url.scheme.as_slice() {
            b"urn" => return Ok(&ANYTHING),
            b"file" => format!(
                "open {}: no such file or directory",
                String::from_utf8_lossy(&url.path)
            ),
            b"http" | b"https" => format!("remote schemas are not loaded: {remedy}"),
            _ => format!("no URLLoader registered for {}", quoted(address)),
        };
        Err(format!("failing loading {}: {why}", quoted(address)))
    }

    fn add(&mut self, address: &str, root: &'a Json) -> Result<usize, String> {
        let mut file = File {
            address: address.to_owned(),
            root,
            resources: BTreeMap::new(),
            by_id: HashMap::new(),
            seen: HashSet::new(),
        };
        self.collect(&mut file, root, address, "", 2020, 0)?;
        if metaschema::find(address).is_none() {
            validate(&file, root, "")?;
        }
        self.files.push(file);
        Ok(self.files.len() - 1)
    }

    /// Takes note of the addresses and anchors at and below a schema.
    fn collect(
        &self,
        file: &mut File<'a>,
        schema: &'a Json,
        base: &str,
        pointer: &str,
        outer: u16,
        depth: usize,
    ) -> Result<(), String> {
        too_deep(depth)?;
        if !file.seen.insert(pointer.to_owned()) {
            return Ok(());
        }
        let Json::Object(keywords) = schema else {
            if pointer.is_empty() {
                file.set_resource(pointer, base, outer);
            }
            return Ok(());
        };
        let mut draft = self.draft(&file.address, pointer, schema, outer, 0)?;
        let mut id = id_of(keywords, draft);
        if id.is_empty() && !pointer.is_empty() {
            // "$schema" counts only where a resource begins
            draft = outer;
            id = id_of(keywords, draft);
        }
        let mut base = base.to_owned();
        if !id.is_empty() {
            let place = || quoted(&with_fragment(&file.address, pointer));
            (base, _) = join(&base, id).map_err(|_| format!("error in parsing id at {}", place()))?;
        }
        if !id.is_empty() || pointer.is_empty() {
            match file.by_id.get(&base) {
                Some(other) if other != pointer => {
                    return Err(format!(
                        "duplicate id {} in {} at {} and {}",
                        quoted(&base),
                        quoted(&file.address),
                        quoted(pointer),
                        quoted(other)
                    ));
                }
                Some(_) => {}
                None => file.set_resource(pointer, &base, draft),
            }
        }
        let resource = file.by_id.get(&base).cloned().unwrap_or_default();
        file.anchors(keywords, pointer, &resource)?;
        let draft_inside = file
            .resources
            .get(&resource)
            .map_or(draft, |resource| resource.draft);
        for (name, inner) in within(keywords, draft) {
            let inner_pointer = format!("{pointer}{name}");
            self.collect(file, inner, &base, &inner_pointer, draft_inside, depth + 1)?;
        }
        Ok(())
    }

    /// The draft that `$schema` names.
    fn draft(
        &self,
        address: &str,
        pointer: &str,
        schema: &Json,
        outer: u16,
        steps: usize,
    ) -> Result<u16, String> {
        let Some(named) = schema.get("$schema").and_then(Json::as_str) else {
            return Ok(outer);
        };
        if let Some(draft) = metaschema::draft(named) {
            return Ok(draft);
        }
        let (named, _) = split(named);
        Url::parse(named.as_bytes()).map_err(|error| {
            let place = quoted(&with_fragment(address, pointer));
            format!("invalid $schema in {place}: {error}")
        })?;
        if pointer.is_empty() && named == address {
            return Err(format!("draft {} is not supported", quoted(named)));
        }
        if steps > 4 {
            return Err(format!("cycle in resolving $schema in {}", quoted(named)));
        }
        let schema = self.read(named, "\"$schema\" must name a draft from 4 to 2020-12")?;
        self.draft(named, "", schema, outer, steps + 1)
    }

    /// What is reached from the root of a file.
    fn compile(&mut self, index: usize) -> Result<(), String> {
        let mut queue = Queue::from([(index, String::new(), self.file(index)?.root)]);
        let mut known = HashSet::new();
        while let Some((index, pointer, schema)) = queue.pop_front() {
            if known.insert((index, pointer.clone())) {
                self.reach(index, pointer, schema, &mut queue)?;
            }
        }
        Ok(())
    }

    fn reach(
        &mut self,
        index: usize,
        pointer: String,
        schema: &'a Json,
        queue: &mut Queue<'a>,
    ) -> Result<(), String> {
        self.ensure(index, &pointer)?;
        let file = self.file(index)?;
        let (resource_pointer, resource) = file.resource(&pointer);
        let draft = resource.draft;
        let resource_root = lookup(&file.address, file.root, resource_pointer)?;
        queue.push_back((index, resource_pointer.to_owned(), resource_root));
        let mut dynamic = Vec::new();
        if draft >= 2020 && resource_pointer == pointer {
            for name in &resource.dynamic {
                let Some(place) = resource.anchors.get(name) else {
                    continue;
                };
                let target = lookup(&file.address, file.root, place)?;
                queue.push_back((index, place.clone(), target));
                dynamic.push(((key(schema), name.clone()), target));
            }
        }
        self.dynamic.extend(dynamic);
        if let Json::Object(keywords) = schema {
            self.keywords(index, &pointer, keywords, draft, queue)?;
        }
        self.schemas.entry(key(schema)).or_insert(Schema {
            file: index,
            pointer,
            draft,
            present: schema.as_object().map_or(0, present),
            resource: resource_root,
        });
        Ok(())
    }

    fn keywords(
        &mut self,
        index: usize,
        pointer: &str,
        keywords: &'a Fields,
        draft: u16,
        queue: &mut Queue<'a>,
    ) -> Result<(), String> {
        let counting = ["unevaluatedProperties", "unevaluatedItems"];
        self.counts_seen |= counting.iter().any(|name| keywords.contains_key(*name));
        for name in ["$ref", "$recursiveRef", "$dynamicRef"] {
            let is_known = match name {
                "$ref" => true,
                "$recursiveRef" => draft >= 2019,
                _ => draft >= 2020,
            };
            let Some(reference) = keywords.get(name).filter(|_| is_known) else {
                continue;
            };
            if let Some(text) = reference.as_str() {
                let (file, pointer) = self.resolve(index, pointer, text)?;
                self.ensure(file, &pointer)?;
                let target = self.file(file)?;
                let target = lookup(&target.address, target.root, &pointer)?;
                self.targets.insert(key(reference), target);
                queue.push_back((file, pointer, target));
            }
        }
        for (name, schema) in evaluated(keywords, draft) {
            queue.push_back((index, [pointer, &name].concat(), schema));
        }
        if is_replaced(keywords, draft) {
            return Ok(());
        }
        if let Some(Json::Object(patterns)) = keywords.get("patternProperties") {
            for pattern in patterns.keys() {
                self.pattern(index, pointer, "patternProperties", pattern)?;
            }
        }
        if let Some(pattern) = keywords.get("pattern").and_then(Json::as_str) {
            self.pattern(index, pointer, "pattern", pattern)?;
        }
        Ok(())
    }

    fn pattern(&self, index: usize, pointer: &str, keyword: &str, pattern: &str) -> Result<(), String> {
        let address = &self.file(index)?.address;
        Regexp::compile(pattern).map(drop).map_err(|error| {
            let place = quoted(&with_fragment(address, &child(pointer, keyword)));
            format!("invalid regex {} at {place}: {error}", quoted(pattern))
        })
    }

    /// Where a reference in a schema leads.
    fn resolve(&mut self, index: usize, pointer: &str, reference: &str) -> Result<Place, String> {
        let file = self.file(index)?;
        let (_, resource) = file.resource(pointer);
        let (address, fragment) = join(&resource.id, reference)?;
        if address == file.address {
            return Ok((index, file.pointer("", &fragment)?));
        }
        if let Some(resource) = file.by_id.get(&address) {
            return Ok((index, file.pointer(resource, &fragment)?));
        }
        let other = self.load(&address)?;
        Ok((other, self.file(other)?.pointer("", &fragment)?))
    }

    /// A schema that is at no place for schemas is looked at on its own.
    fn ensure(&mut self, index: usize, pointer: &str) -> Result<(), String> {
        let Some(file) = self.files.get(index).filter(|file| !file.seen.contains(pointer)) else {
            return Ok(());
        };
        let schema = lookup(&file.address, file.root, pointer)?;
        let mut file = self.files.remove(index);
        let (_, resource) = file.resource(pointer);
        let (id, draft) = (resource.id.clone(), resource.draft);
        let outcome = self
            .collect(&mut file, schema, &id, pointer, draft, 0)
            .and_then(|()| validate(&file, schema, pointer));
        self.files.insert(index, file);
        outcome
    }
}

/// Whether a schema is one, by the draft's own schema.
fn validate(file: &File<'_>, schema: &Json, pointer: &str) -> Result<(), String> {
    let drafts = file
        .resources
        .iter()
        .map(|(pointer, resource)| (pointer.as_str(), resource.draft))
        .collect();
    let (_, resource) = file.resource(pointer);
    let meta = metaschema::address(resource.draft);
    let library = metaschema::library(resource.draft);
    let problems = Evaluation::of_schema(library, resource.draft, drafts).problems(schema)?;
    if problems.is_empty() {
        return Ok(());
    }
    let mut text = format!(
        "{} is not valid against metaschema: jsonschema validation failed with '{meta}#'\n",
        quoted(&with_fragment(&file.address, pointer))
    );
    for problem in &problems {
        problem.describe(0, &mut text);
    }
    Err(text.trim_end().to_owned())
}

impl File<'_> {
    fn set_resource(&mut self, pointer: &str, id: &str, draft: u16) {
        self.by_id.insert(id.to_owned(), pointer.to_owned());
        self.resources.insert(
            pointer.to_owned(),
            Resource {
                id: id.to_owned(),
                draft,
                anchors: BTreeMap::new(),
                dynamic: Vec::new(),
            },
        );
    }

    /// The resource around a schema and where it begins.
    fn resource<'s>(&'s self, pointer: &'s str) -> (&'s str, &'s Resource) {
        let mut pointer = pointer;
        loop {
            if let Some(resource) = self.resources.get(pointer) {
                return (pointer, resource);
            }
            pointer = pointer
                .rfind('/')
                .and_then(|at| pointer.get(..at))
                .expect("invariant: each file has a resource at its root");
        }
    }

    /// The pointer that a fragment means in a resource.
    fn pointer(&self, resource: &str, fragment: &str) -> Result<String, String> {
        if fragment.is_empty() || fragment.starts_with('/') {
            return Ok(format!("{resource}{fragment}"));
        }
        let (_, resource) = self.resource(resource);
        resource.anchors.get(fragment).cloned().ok_or_else(|| {
            format!(
                "anchor in {} not found in schema {}",
                quoted(&with_fragment(&resource.id, fragment)),
                quoted(&self.address)
            )
        })
    }

    fn anchors(&mut self, keywords: &Fields, pointer: &str, resource: &str) -> Result<(), String> {
        let address = &self.address;
        let Some(resource) = self.resources.get_mut(resource) else {
            return Ok(());
        };
        let text = |name: &str| keywords.get(name).and_then(Json::as_str);
        let mut names = Vec::new();
        match resource.draft {
            2019.. => {
                names.extend(text("$anchor").map(str::to_owned));
                if let Some(name) = text("$dynamicAnchor").filter(|_| resource.draft >= 2020) {
                    names.push(name.to_owned());
                    resource.dynamic.push(name.to_owned());
                }
            }
            // beside "$ref" nothing counts
            _ if keywords.contains_key("$ref") => {}
            draft => {
                let (_, fragment) = split(text(id_keyword(draft)).unwrap_or_default());
                let name = decode(fragment).map_err(|_| {
                    let place = quoted(&with_fragment(address, pointer));
                    format!("error in parsing anchor at {place}")
                })?;
                names.extend((!name.is_empty() && !name.starts_with('/')).then_some(name));
            }
        }
        for name in names {
            match resource.anchors.get(&name) {
                Some(other) if other != pointer => {
                    return Err(format!(
                        "duplicate anchor {} in {} at {} and {}",
                        quoted(&name),
                        quoted(address),
                        quoted(other),
                        quoted(pointer)
                    ));
                }
                _ => drop(resource.anchors.insert(name, pointer.to_owned())),
            }
        }
        Ok(())
    }
}

fn id_keyword(draft: u16) -> &'static str {
    if draft == 4 { "id" } else { "$id" }
}

/// The address that a schema gives itself.
fn id_of(keywords: &Fields, draft: u16) -> &str {
    if draft < 2019 && keywords.contains_key("$ref") {
        return "";
    }
    let id = keywords.get(id_keyword(draft)).and_then(Json::as_str);
    split(id.unwrap_or_default()).0
}

fn too_deep(depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("the schema nests deeper than {DEPTH_MAX} levels"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_spread() {
        for step in [8, 16, 24, 32, 64, 4096] {
            let places: HashSet<u64> = (0..256)
                .map(|index| {
                    let mut hasher = AddressHasher::default();
                    hasher.write_usize(0x10_0000 + index * step);
                    hasher.finish() % 1024
                })
                .collect();
            assert!(places.len() > 128, "{step}: {}", places.len());
        }
    }
}
