//! Gathering the objects of a kustomization, level by level: resources, generated objects, components, and what
//! transformers make of them.

mod builtins;
mod load;
mod plugins;
mod resources;
mod rules;

use std::rc::Rc;

use crate::{
    Text,
    build::Session,
    config::{self, Config},
    error::{Class, Context as _, Error, Result},
    files::Loader,
    kustomization::Kustomization,
    metadata::Trace,
    objects::Objects,
    schema,
    vars::{self, Vars},
};

/// The objects of some kustomizations, and the rules for them.
pub(crate) struct Gathered {
    pub(crate) objects: Objects,
    pub(crate) config: Rc<Config>,
    pub(crate) vars: Vars,
}

impl Gathered {
    pub(crate) fn empty() -> Self {
        Self {
            objects: Objects::default(),
            config: Rc::default(),
            vars: Vars::default(),
        }
    }

    /// Takes over the rules of another part. As in the original they are added one by one even to none at all, so that a
    /// place for all kinds drops out behind one that names a kind.
    fn merge_config(&mut self, other: &Rc<Config>, session: &Session<'_>) -> Result<()> {
        let is_first = *self.config == Config::default();
        if is_first && Rc::ptr_eq(other, &session.builtin) {
            self.config = Rc::clone(other);
            return Ok(());
        }
        self.config = config::merge_shared(&self.config, other)?;
        Ok(())
    }

    fn merge(&mut self, other: Gathered, session: &Session<'_>) -> Result<()> {
        self.objects.append(other.objects.into_vec(), &session.schema)?;
        self.merge_config(&other.config, session)?;
        other
            .vars
            .values()
            .try_for_each(|var| vars::add(&mut self.vars, var))
    }
}

/// One kustomization.
pub(crate) struct Target<'a> {
    pub(crate) loader: Rc<Loader<'a>>,
    pub(crate) kustomization: Kustomization,
    pub(crate) file: String,
    pub(crate) file_name: &'static str,
    pub(crate) trace: Option<Trace>,
}

impl<'a> Target<'a> {
    /// Everything this kustomization makes. A component works on what is there already.
    pub(crate) fn gather(&mut self, mut gathered: Gathered, session: &Session<'a>) -> Result<Gathered> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        self.gather_resources(&mut gathered, &resources, session)
            .wrap(|| "accumulating resources".into())?;
        let config = self.transformer_config(session)?;
        gathered
            .merge_config(&config, session)
            .in_file(&self.file)
            .wrap(|| format!("merging config {config}"))?;
        if !self.kustomization.crds.is_empty() {
            let config = Rc::new(self.crd_config()?);
            gathered
                .merge_config(&config, session)
                .in_file(&self.file)
                .wrap(|| format!("merging CRDs {config}"))?;
        }
        self.run_generators(&mut gathered, session)?;
        let components = std::mem::take(&mut self.kustomization.components);
        for component in &components {
            gathered = self
                .gather_component(gathered, component, session)
                .map_err(|e| e.at(&self.file, component.at))
                .wrap(|| "accumulating components".into())?;
        }
        self.run_transformers(&mut gathered, session)?;
        self.run_validators(&mut gathered, session)?;
        let vars = std::mem::take(&mut self.kustomization.vars);
        vars::record(&mut gathered.vars, &vars, &mut gathered.objects, session)
            .map_err(|e| {
                let shown: Vec<String> = vars.iter().map(|var| var.display_as_written()).collect();
                e.wrap(format!("merging vars [{}]", shown.join(" ")))
            })
            .in_file(&self.file)?;
        if gathered.objects.len() > session.limits.objects {
            return Err(Error::of(
                Class::Limit,
                format!("the build holds more than {} objects", session.limits.objects),
            )
            .in_file(&self.file)
            .help("split it into several kustomizations, or raise the limit `objects`"));
        }
        Ok(gathered)
    }

    /// Takes the schema of `openapi`.
    pub(crate) fn set_schema(&self, session: &Session<'_>, is_top: bool) -> Result<()> {
        let openapi = &self.kustomization.openapi;
        let document = match openapi.get("path") {
            None => None,
            Some(path) => {
                let bytes = self.loader.load(path).in_file(&self.file)?;
                let document = schema::document(&bytes, &self.loader.resolve(path));
                Some(document.map_err(|e| e.wrap("invalid schema file")))
            }
        };
        session
            .schema
            .set(openapi.get("version").map(Text::as_str), document, is_top)
            .in_file(&self.file)
    }
}
