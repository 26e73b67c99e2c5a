//! References by name follow objects that were renamed.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
};

use sluice_yaml::{Node, Value};

use crate::{
    Text,
    build::Session,
    config::NameReference,
    error::{Error, Result},
    fields,
    id::{Gvk, Id},
    kustomization::FieldSpec,
    object::Object,
    objects::Objects,
    output,
    transform::Place,
};

/// What a reference has to know of every object.
struct Candidate {
    /// Its index among the objects.
    at: usize,
    id: Id,
    previous: Vec<Id>,
    kind: Text,
    original_namespace: Text,
    current_namespace: Text,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
}

/// A place that may hold the name of an object of a kind.
struct Reference {
    target: Gvk,
    place: Place,
}

/// Updates all references. An object that was never renamed needs none.
pub(crate) fn fix_references(
    objects: &mut Objects,
    references: &[NameReference],
    session: &Session<'_>,
) -> Result<()> {
    let mut list = objects.take();
    let result = fix(&mut list, references, session);
    objects.replace(list);
    result
}

fn fix(list: &mut [Object], references: &[NameReference], session: &Session<'_>) -> Result<()> {
    let candidates: Vec<Candidate> = list
        .iter()
        .enumerate()
        .map(|(at, object)| candidate(at, object, session))
        .collect();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let mut names: Vec<&str> = candidate.previous.iter().map(|id| id.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            by_name.entry(name).or_default().push(at);
        }
    }
    let mut by_namespace: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        by_namespace
            .entry(&candidate.original_namespace)
            .or_default()
            .push(at);
    }
    let mut by_kind: HashMap<Gvk, Rc<Vec<Reference>>> = HashMap::new();
    for own in &candidates {
        let Some(object) = list.get_mut(own.at) else {
            continue;
        };
        let places = by_kind
            .entry(object.original_gvk())
            .or_insert_with_key(|gvk| Rc::new(places_of(gvk, references)));
        if places.is_empty() {
            continue;
        }
        let referrer = Referrer {
            own,
            binding_namespaces: role_binding_namespaces(object, own)?,
            role: role_of(object),
            candidates: &candidates,
            by_name: &by_name,
            by_namespace: &by_namespace,
            rivals: RefCell::default(),
        };
        let gvk = object.gvk();
        for reference in places.iter() {
            // The place was chosen by the original kind; it acts whatever the kind is now.
            let updated = reference
                .place
                .visit(object, &gvk, None, &mut |field| referrer.update(field, reference));
            if let Err(error) = updated {
                let error = error.wrap(format!(
                    "updating name reference in '{}' field of '{}'",
                    reference.place.spec.path, own.id
                ));
                return Err(show_rivals(error, list, own, &referrer.rivals.into_inner()));
            }
        }
    }
    Ok(())
}

/// Adds the objects that a reference may mean to the message, and the one that refers to them.
fn show_rivals(error: Error, list: &[Object], own: &Candidate, rivals: &[usize]) -> Error {
    let yaml = |at: &usize| {
        let object = list.get(*at).map(|object| output::without_secrets(&object.node));
        object.map(|node| output::yaml_text(&node)).unwrap_or_default()
    };
    if rivals.is_empty() {
        return error;
    }
    let referrer = format!(
        "\n\n**** Too many possible referral targets to referrer:\n{}",
        yaml(&own.at)
    );
    let rivals = rivals.iter().enumerate();
    let shown: String = std::iter::once(referrer)
        .chain(rivals.map(|(number, at)| format!("\n--- possible referral {number}:\n{}", yaml(at))))
        .collect();
    error.reword(|text| format!("{text}{shown}"))
}

fn candidate(at: usize, object: &Object, session: &Session<'_>) -> Candidate {
    let id = object.id(&session.schema);
    let previous = object.previous_ids();
    let original = previous.first().unwrap_or(&id);
    Candidate {
        at,
        original_namespace: original.effective_namespace(),
        current_namespace: id.effective_namespace(),
        kind: object.kind().into(),
        prefixes: object.prefixes.clone(),
        suffixes: object.suffixes.clone(),
        previous,
        id,
    }
}

fn places_of(gvk: &Gvk, references: &[NameReference]) -> Vec<Reference> {
    let mut places = Vec::new();
    for reference in references {
        for spec in reference
            .referrers
            .iter()
            .filter(|spec| gvk.is_selected(&spec.gvk))
        {
            let anywhere = FieldSpec {
                gvk: Gvk::default(),
                ..spec.clone()
            };
            places.push(Reference {
                target: reference.target.clone(),
                place: Place::new(&anywhere),
            });
        }
    }
    places
}

/// The namespaces of the service accounts that a role binding names.
fn role_binding_namespaces(object: &Object, own: &Candidate) -> Result<HashSet<Text>> {
    let mut namespaces = HashSet::new();
    if object.kind() != "RoleBinding" || own.id.cluster_scoped {
        return Ok(namespaces);
    }
    for subject in object.node.get("subjects").map(Node::items).unwrap_or_default() {
        let is_account = subject
            .get("kind")
            .is_some_and(|k| fields::raw(k) == "ServiceAccount");
        if let (Some(namespace), true) = (subject.get("namespace"), is_account) {
            if !fields::is_string(namespace) {
                return Err(Error::new(format!(
                    "Invalid Input: namespace is blank for resource {}\n",
                    crate::go::quote(&own.id.to_string())
                ))
                .about(&own.id)
                .on_field("subjects.namespace")
                .at(&object.source.file, object.position())
                .help("give the subject a namespace, or leave the field out"));
            }
            namespaces.insert(fields::shared(namespace));
        }
    }
    Ok(namespaces)
}

/// Group and kind of `roleRef`.
fn role_of(object: &Object) -> Option<Gvk> {
    let role = object.node.get("roleRef")?;
    Some(Gvk {
        group: fields::shared(role.get("apiGroup")?),
        version: Text::default(),
        kind: fields::shared(role.get("kind")?),
    })
}

/// An object that refers to others.
struct Referrer<'a> {
    own: &'a Candidate,
    binding_namespaces: HashSet<Text>,
    role: Option<Gvk>,
    candidates: &'a [Candidate],
    by_name: &'a HashMap<&'a str, Vec<usize>>,
    by_namespace: &'a HashMap<&'a str, Vec<usize>>,
    /// The objects that a reference may mean, where it may mean several: what the message shows.
    rivals: RefCell<Vec<usize>>,
}

impl Referrer<'_> {
    fn update(&self, field: &mut Node, reference: &Reference) -> Result<()> {
        if field.is_null() {
            return Ok(());
        }
        match &mut field.value {
            Value::Mapping(..) => self.update_mapping(field, reference),
            Value::Sequence(items, _) => {
                items
                    .iter_mut()
                    .filter(|item| !item.is_null())
                    .try_for_each(|item| match item.value {
                        Value::Mapping(..) => self.update_mapping(item, reference),
                        Value::Sequence(..) => Err(Error::new("item must be a scalar or a map")),
                        _ => self.update_scalar(item, reference),
                    })
            }
            _ => self.update_scalar(field, reference),
        }
    }

    fn update_scalar(&self, field: &mut Node, reference: &Reference) -> Result<()> {
        let old = fields::shared(field);
        let same = |a: &Candidate, b: &Candidate| a.id.name == b.id.name;
        if let Some(found) = self.select(&old, reference, |_| true, same)?
            && found.id.name != old
            && !found.id.name.is_empty()
        {
            fields::assign_untyped(field, &found.id.name);
        }
        Ok(())
    }

    fn update_mapping(&self, field: &mut Node, reference: &Reference) -> Result<()> {
        let Some(name) = field.get("name") else {
            return Err(Error::new("path config error; no 'name' field in node"));
        };
        let old = fields::shared(name);
        let namespace = field.get("namespace").map(fields::shared);
        let by_original = namespace
            .as_ref()
            .and_then(|n| self.by_namespace.get(n.as_str()))
            .is_some_and(|list| {
                list.iter()
                    .filter_map(|at| self.candidates.get(*at))
                    .any(|c| self.may_refer_to(c))
            });
        let in_namespace = |c: &Candidate| match &namespace {
            None => true,
            Some(wanted) if by_original => c.original_namespace == *wanted,
            Some(wanted) => c.current_namespace == *wanted,
        };
        let same = |a: &Candidate, b: &Candidate| a.id.name == b.id.name && a.id.namespace == b.id.namespace;
        let Some(found) = self.select(&old, reference, in_namespace, same)? else {
            return Ok(());
        };
        if found.id.name == old && found.id.namespace.is_empty() {
            return Ok(());
        }
        if !found.id.name.is_empty() {
            fields::set_untyped(field, "name", &found.id.name);
        }
        if !found.id.namespace.is_empty() {
            fields::set_untyped(field, "namespace", &found.id.namespace);
        }
        Ok(())
    }

    /// Whether an object could be referred to at all, by its namespace.
    fn may_refer_to(&self, candidate: &Candidate) -> bool {
        self.own.id.cluster_scoped
            || candidate.id.cluster_scoped
            || candidate.current_namespace == self.own.current_namespace
            || self.binding_namespaces.contains(&candidate.id.namespace)
    }

    fn select(
        &self,
        name: &str,
        reference: &Reference,
        accept: impl Fn(&Candidate) -> bool,
        identical: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<&Candidate>> {
        let was = |c: &Candidate, gvk: &Gvk| c.previous.iter().any(|id| id.gvk.is_selected(gvk));
        let role = self
            .role
            .as_ref()
            .filter(|_| reference.place.spec.path.ends_with("roleRef/name"));
        let near = |c: &Candidate| {
            self.own.id.cluster_scoped
                || c.id.cluster_scoped
                || c.kind == "ServiceAccount"
                || c.current_namespace == self.own.current_namespace
        };
        let named = self
            .by_name
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|at| self.candidates.get(*at));
        let mut found: Vec<&Candidate> = named
            .filter(|c| {
                self.may_refer_to(c)
                    && accept(c)
                    && was(c, &reference.target)
                    && role.is_none_or(|r| was(c, r))
                    && near(c)
            })
            .collect();
        if let [one] = found.as_slice() {
            return Ok(Some(one));
        }
        found.retain(|c| same_affixes(c, self.own, true));
        if found.len() > 1 {
            found.retain(|c| same_affixes(c, self.own, false));
        }
        match found.as_slice() {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|c| identical(first, c)) => Ok(Some(first)),
            many => {
                self.rivals.replace(many.iter().map(|c| c.at).collect());
                let ids: Vec<String> = many.iter().map(|c| c.id.to_string()).collect();
                Err(Error::new(format!("found multiple possible referrals: {}", ids.join(", ")))
                .help(format!("`{name}` may mean any of {}; give the objects different names, or the reference a namespace", ids.join(", "))))
            }
        }
    }
}

fn same_affixes(a: &Candidate, b: &Candidate, allow_empty: bool) -> bool {
    let same = |x: &[Text], y: &[Text]| (allow_empty && (x.is_empty() || y.is_empty())) || same_ending(x, y);
    same(&a.prefixes, &b.prefixes) && same(&a.suffixes, &b.suffixes)
}

/// Whether the shorter list ends the longer one; an empty one only an empty one.
fn same_ending(a: &[Text], b: &[Text]) -> bool {
    let (short, long) = if a.len() > b.len() { (b, a) } else { (a, b) };
    if short.is_empty() {
        long.is_empty()
    } else {
        long.ends_with(short)
    }
}
