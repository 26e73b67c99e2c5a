//! Generators from their configurations.

use sluice_yaml::{Node, ParseOptions};

use super::{Config, decoding};
use crate::{
    Text,
    error::{Error, Result},
    fields::OBJECTS,
    files::Loader,
    generate::{self, Generated},
    kustomization::{Field, GeneratorArgs},
    object::Object,
    read,
};

/// What the configuration of a generator says.
#[derive(Debug)]
pub(crate) enum Generator {
    KeyValues(Generated, GeneratorArgs),
    IamPolicy(IamPolicy),
}

/// A service account of Kubernetes that stands for one of Google's.
#[derive(Debug, Default)]
pub(crate) struct IamPolicy {
    cloud: Text,
    account: Text,
    project: Text,
    name: Text,
    namespace: Text,
}

impl Generator {
    /// Makes the object.
    pub(crate) fn generate(&self, config: &Object, loader: &Loader<'_>) -> Result<Object> {
        let file = &config.source.file;
        let object = match self {
            Self::KeyValues(what, args) => generate::generate(*what, args, loader, file),
            Self::IamPolicy(policy) => policy
                .service_account()
                .map(|node| Object::new(node, config.source.clone())),
        };
        object.map_err(|error| error.at(file, config.position()))
    }
}

impl IamPolicy {
    /// Written as text and read again, as in the original: what the values hold counts as YAML.
    fn service_account(&self) -> Result<Node> {
        let Self {
            cloud,
            account,
            project,
            name,
            namespace,
        } = self;
        if cloud != "gke" {
            return Err(Error::new(format!("cloud provider {cloud} not supported yet"))
                .help("cloud: gke is the only one"));
        }
        let mut text = format!(
            "
apiVersion: v1
kind: ServiceAccount
metadata:
  annotations:
    iam.gke.io/gcp-service-account: {account}@{project}.iam.gserviceaccount.com
  name: {name}
"
        );
        if !namespace.is_empty() {
            text += &format!("\n  namespace: {namespace}");
        }
        let document = sluice_yaml::parse_document(&text, &ParseOptions::new(OBJECTS)).map_err(|error| {
            Error::new(error.to_string())
                .help("this is what is wrong with the ServiceAccount that these values make; correct them")
        })?;
        let node = document.map_or_else(Node::null, |document| document.root);
        read::check_metadata(&node)?;
        Ok(node)
    }
}

impl Config<'_> {
    pub(super) fn generator(&self, what: Generated) -> Result<Generator> {
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
        Ok(Generator::KeyValues(what, args))
    }

    pub(super) fn iam_policy(&self) -> Result<Generator> {
        let d = self.decoder();
        let mut policy = IamPolicy::default();
        let two = |node: &Node, field: Field<'_>, go_type: &str, names, texts: [&mut Text; 2]| {
            let [first, second] = texts;
            d.object(node, field, go_type, names, |name, node, field, _| {
                let text = d.text(node, field)?;
                match name {
                    "name" => *first = text,
                    _ => *second = text,
                }
                Ok(())
            })
        };
        d.object(
            self.node,
            Field::top("Plugin"),
            "IAMPolicyGeneratorPlugin",
            &["cloud", "kubernetesService", "serviceAccount"],
            |name, node, field, _| match name {
                "cloud" => {
                    policy.cloud = d.text(node, field)?;
                    Ok(())
                }
                "kubernetesService" => {
                    let texts = [&mut policy.name, &mut policy.namespace];
                    two(node, field, "KubernetesService", &["name", "namespace"], texts)
                }
                _ => {
                    let texts = [&mut policy.account, &mut policy.project];
                    two(node, field, "ServiceAccount", &["name", "projectId"], texts)
                }
            },
        )
        .map_err(decoding)?;
        Ok(Generator::IamPolicy(policy))
    }
}
