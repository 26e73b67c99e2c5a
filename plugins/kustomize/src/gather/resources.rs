//! `resources` and `components`: files, directories, and the errors of what is neither.

use std::rc::Rc;

use super::{Gathered, Target};
use crate::{
    Text,
    build::Session,
    error::{Class, Context as _, Error, Result},
    files::Loader,
    kustomization::Spot,
    metadata::{self, Trace},
    object::Object,
    read,
    transform::patches,
};

impl<'a> Target<'a> {
    pub(super) fn gather_resources(
        &mut self,
        gathered: &mut Gathered,
        paths: &[Spot<Text>],
        session: &Session<'a>,
    ) -> Result<()> {
        for path in paths {
            self.gather_resource(gathered, &path.value, session)
                .map_err(|e| e.at(&self.file, path.at))?;
        }
        Ok(())
    }

    /// A resource is a file or else a directory; if it is neither, both reasons are given.
    fn gather_resource(&mut self, gathered: &mut Gathered, path: &str, session: &Session<'a>) -> Result<()> {
        let Err(not_file) = self.gather_file(gathered, path, session) else {
            return Ok(());
        };
        let loader = match self.loader.child(path) {
            Ok(loader) => loader,
            Err(_) if not_file.class() == Class::Malformed => return Err(not_file),
            Err(not_directory) => return Err(self.explain_missing(not_file, not_directory, path, session)),
        };
        let prefix = format!("accumulation err='{}'", not_file.text());
        let trace = self.trace.as_ref().map(|t| t.join(path));
        self.gather_directory(None, loader, trace, session)
            .and_then(|sub| {
                let root = self.loader.resolve(path);
                gathered
                    .merge(sub, session)
                    .wrap(|| format!("recursed merging from path '{root}'"))
            })
            .map_err(|e| e.wrap(prefix))
    }

    fn explain_missing(
        &self,
        not_file: Error,
        not_directory: Error,
        path: &str,
        session: &Session<'_>,
    ) -> Error {
        let full = self.loader.resolve(path);
        let exists = session.files.kind(&full).is_some();
        let text = format!("accumulation err='{}': {}", not_file.text(), not_directory.text());
        let hint = if exists {
            not_file.hint().or(not_directory.hint())
        } else {
            not_directory.hint()
        };
        let mut error = Error::of(
            if not_directory.class() == Class::Refused {
                Class::Refused
            } else {
                not_file.class()
            },
            text,
        );
        if let (true, Some(place)) = (exists, not_file.place()) {
            error = error.at(&place.file, place.position);
        }
        match hint {
            Some(hint) => error.help(hint),
            None if !exists => error.help(format!(
                "{full} does not exist; correct the path, or add the file to the repository"
            )),
            None => error,
        }
    }

    fn gather_file(&self, gathered: &mut Gathered, path: &str, session: &Session<'_>) -> Result<()> {
        let read = || {
            let bytes = self.loader.load(path)?;
            read::objects(&bytes, &self.loader.resolve(path)).map_err(|e| patches::name_file(e, path))
        };
        let mut objects = read().wrap(|| format!("accumulating resources from '{path}'"))?;
        check_unique(&objects, session).wrap(|| format!("accumulating resources from '{path}'"))?;
        if let Some(trace) = &self.trace {
            let origin = trace.of_file(path);
            objects
                .iter_mut()
                .try_for_each(|object| object.set_annotation(metadata::ORIGIN, &origin))?;
        }
        gathered
            .objects
            .append(objects, &session.schema)
            .wrap(|| format!("merging resources from '{path}'"))
    }

    pub(super) fn gather_component(
        &mut self,
        gathered: Gathered,
        component: &Spot<Text>,
        session: &Session<'a>,
    ) -> Result<Gathered> {
        let path = &component.value;
        let loader = self
            .loader
            .child(path)
            .map_err(|e| e.reword(|text| format!("loader.New {}", crate::go::quote(text))))?;
        let trace = self.trace.as_ref().map(|t| t.join(path));
        let root = loader.root().to_owned();
        let quoted = |e: Error| e.reword(|text| format!("accumulateDirectory: {}", crate::go::quote(text)));
        let made = self
            .gather_directory(Some(gathered), loader, trace, session)
            .map_err(quoted)?;
        let mut joined = Gathered::empty();
        joined
            .merge(made, session)
            .wrap(|| format!("recursed merging from path '{root}'"))
            .map_err(quoted)?;
        Ok(joined)
    }

    /// The objects of another kustomization; a component gets those gathered so far.
    fn gather_directory(
        &self,
        component_of: Option<Gathered>,
        loader: Rc<Loader<'a>>,
        trace: Option<Trace>,
        session: &Session<'a>,
    ) -> Result<Gathered> {
        let root = loader.root().to_owned();
        let mut target =
            Target::load(loader, session).wrap(|| format!("couldn't make target for path '{root}'"))?;
        target.trace = trace;
        target.set_schema(session, false)?;
        let kind = &target.kustomization.kind;
        match (component_of.is_some(), target.kustomization.is_component()) {
            (true, false) => {
                return Err(Error::new(format!(
                    "expected kind 'Component' for path '{root}' but got '{kind}'"
                ))
                .help("list it under `resources:`, or make it `kind: Component`"));
            }
            (false, true) => {
                return Err(
                    Error::new(format!("expected kind != 'Component' for path '{root}'"))
                        .help("list it under `components:`"),
                );
            }
            _ => {}
        }
        target
            .gather(component_of.unwrap_or_else(Gathered::empty), session)
            .wrap(|| format!("recursed accumulation of path '{root}'"))
    }
}

/// The objects of one file must differ.
fn check_unique(objects: &[Object], session: &Session<'_>) -> Result<()> {
    let mut seen = std::collections::HashMap::new();
    for object in objects {
        let id = object.id(&session.schema);
        if let Some(line) = seen.insert(id.key(), object.source.line) {
            return Err(Error::new(format!(
                "may not add resource with an already registered id: {id}"
            ))
            .at(&object.source.file, object.position())
            .about(&id)
            .help(format!("the same object is in line {line} of this file")));
        }
    }
    Ok(())
}
