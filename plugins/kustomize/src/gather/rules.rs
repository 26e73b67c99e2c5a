//! `configurations` and `crds`: where transformers act and names are referred to, beyond what is built in.

use std::rc::Rc;

use sluice_yaml::{Node, Resolver};

use super::Target;
use crate::{
    build::Session,
    config::{self, Config},
    error::{Context as _, Error, Result},
    read,
};

impl<'a> Target<'a> {
    pub(super) fn transformer_config(&self, session: &Session<'_>) -> Result<Rc<Config>> {
        if self.kustomization.configurations.is_empty() {
            return Ok(Rc::clone(&session.builtin));
        }
        let mut own = Config::default();
        for path in &self.kustomization.configurations {
            let bytes = self
                .loader
                .load(&path.value)
                .map_err(|e| e.at(&self.file, path.at))?;
            let file = self.loader.resolve(&path.value);
            let document = read::document_v2(&bytes, &file)
                .and_then(|document| refuse_repeated_keys(document, &file))
                .wrap(|| "error converting YAML to JSON".into())?;
            own = own.merge(&Config::decode(&document, &file)?).in_file(&file)?;
        }
        Ok(Rc::new(session.builtin.merge(&own).in_file(&self.file)?))
    }

    pub(super) fn crd_config(&self) -> Result<Config> {
        let crds = &self.kustomization.crds;
        let mut config = Config::default();
        for path in crds {
            let load = || {
                let bytes = self.loader.load(&path.value)?;
                let file = self.loader.resolve(&path.value);
                let unparsable = |e: Error| {
                    e.wrap(format!(
                        "unable to parse open API definition from '{}'",
                        path.value
                    ))
                };
                let mut document =
                    read::document_json(&bytes, &file, "unexpected end of JSON input").map_err(unparsable)?;
                config::check_crds(&document, &file).map_err(unparsable)?;
                if read::is_json(&bytes) {
                    config::check_crd_keys(&document, &file).map_err(unparsable)?;
                }
                read::keep_last(&mut document);
                config::from_crds(&document).in_file(&file)
            };
            config = load()
                .and_then(|found| config.merge(&found))
                .map_err(|e| e.at(&self.file, path.at))
                .wrap(|| {
                    let names: Vec<&str> = crds.iter().map(|p| p.value.as_str()).collect();
                    format!("loading CRDs [{}]", names.join(" "))
                })?;
        }
        Ok(config)
    }
}

/// A key that stands twice is refused, as where the original reads strictly.
fn refuse_repeated_keys(document: Node, file: &str) -> Result<Node> {
    sluice_yaml::to_json_strict(&document, Resolver::V2)
        .map_err(|e| Error::new(e.to_string()).at(file, e.position()))?;
    Ok(document)
}
