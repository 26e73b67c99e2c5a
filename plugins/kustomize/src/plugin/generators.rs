//! Generators from their configurations.

use sluice_yaml::Node;

use super::{Config, Plugin, decoding};
use crate::{
    error::{Error, Result},
    fields,
    generate::{self, Generated},
    kustomization::{Field, GeneratorArgs},
    object::{Object, Source},
};

impl Config<'_> {
    pub(super) fn generator(&self, what: Generated) -> Result<Plugin> {
        let d = self.decoder();
        let top = Field {
            is_embedded: true,
            ..Field::top(what.kind())
        };
        let mut args =
            GeneratorArgs::decode(&d, self.node, top, what == Generated::Secret).map_err(decoding)?;
        args.at = self.config.position();
        if args.name.is_empty() {
            args.name = self.config.name();
        }
        if args.namespace.is_empty() {
            args.namespace = self.config.namespace();
        }
        Ok(Plugin::Generator(Box::new(generate::generate(
            what,
            &args,
            self.loader,
            self.file,
        )?)))
    }

    pub(super) fn iam_policy(&self) -> Result<Plugin> {
        let text = |path: &[&str]| self.node.get_path(path).map(fields::shared).unwrap_or_default();
        let cloud = text(&["cloud"]);
        if cloud != "gke" {
            return Err(Error::new(format!("cloud provider {cloud} not supported yet"))
                .help("cloud: gke is the only one"));
        }
        let account = format!(
            "{}@{}.iam.gserviceaccount.com",
            text(&["serviceAccount", "name"]),
            text(&["serviceAccount", "projectId"])
        );
        let mut metadata = Node::map([
            (
                "annotations",
                Node::map([("iam.gke.io/gcp-service-account", fields::string_node(account))]),
            ),
            ("name", Node::plain(text(&["kubernetesService", "name"]))),
        ]);
        let namespace = text(&["kubernetesService", "namespace"]);
        if !namespace.is_empty() {
            metadata.set("namespace", Node::plain(namespace));
        }
        let node = Node::map([
            ("apiVersion", Node::plain("v1")),
            ("kind", Node::plain("ServiceAccount")),
            ("metadata", metadata),
        ]);
        let source = Source {
            file: self.file.into(),
            ..self.config.source.clone()
        };
        Ok(Plugin::Generator(Box::new(Object::new(node, source))))
    }
}
