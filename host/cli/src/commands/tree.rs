//! `sluice tree`: what a Kustomization has applied, and what that applied in turn (compat: cli, section 10).

use super::within;
use crate::args::Global;
use crate::kinds::{self, Kind};
use crate::subject::required;
use crate::tell;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand, ValueEnum};
use flate2::read::GzDecoder;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use sluice_api::meta;
use sluice_apply::cluster::{Cluster, Identity};
use sluice_object::{GroupVersionKind, Object, ObjectId, flatten, inventory};
use sluice_yaml::{ParseOptions, Resolver};
use std::io::Read as _;

#[derive(Subcommand, Debug)]
pub(crate) enum Tree {
    /// The objects of a Kustomization
    #[command(visible_alias = "ks")]
    Kustomization(TreeKustomization),
}

#[derive(Args, Debug)]
pub(crate) struct TreeKustomization {
    /// The Kustomization
    #[arg(value_parser = crate::args::name)]
    name: Option<String>,
    /// Only objects of Flux's kinds
    #[arg(long)]
    compact: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value = "tree")]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    #[value(alias = "table")]
    Tree,
    Json,
    Yaml,
}

/// Groups of Flux's kinds have this in their names.
const OF_FLUX: &str = "toolkit.fluxcd.io";

/// A release that takes more than this when it is unpacked is none that Helm could store.
const RELEASE_MAX: u64 = 64 << 20;

pub(crate) async fn run(tree: &Tree, global: &Global) -> Result<()> {
    let Tree::Kustomization(asked) = tree;
    let name = asked.name.as_deref().context("kustomization name is required")?;
    let root = within(global.timeout, Box::pin(grow(name, asked.compact, global))).await?;
    let text = match asked.output {
        Output::Tree => root.text(),
        Output::Json => serde_json::to_string_pretty(&root.printed())?,
        Output::Yaml => sluice_yaml::emit_v2(&serde_json::to_value(root.printed())?),
    };
    // Flux ends what it prints with a line feed, whatever it ends with
    tell::print(&format!("{text}\n"))
}

async fn grow(name: &str, is_compact: bool, global: &Global) -> Result<Node> {
    let cluster = global.connect.api_server().await?;
    let id = kinds::KUSTOMIZATION.id(&global.namespace, name);
    let root = required(&cluster, kinds::KUSTOMIZATION, &id).await?;
    let looking = Looking {
        cluster: &cluster,
        is_compact,
    };
    let children = looking.kustomization(&root, vec![id.clone()]).await?;
    Ok(Node { id, children })
}

/// An object with what it has applied.
struct Node {
    id: ObjectId,
    children: Vec<Node>,
}

impl Node {
    fn leaf(id: ObjectId) -> Self {
        Self {
            id,
            children: Vec::new(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.id);
        self.branches("", &mut text);
        text
    }

    fn branches(&self, before: &str, text: &mut String) {
        let mut children = self.children.iter().peekable();
        while let Some(child) = children.next() {
            let (branch, below) = match children.peek() {
                Some(_) => ("├── ", "│   "),
                None => ("└── ", "    "),
            };
            text.push_str(&format!("{before}{branch}{}\n", child.id));
            child.branches(&format!("{before}{below}"), text);
        }
    }

    fn printed(&self) -> Printed<'_> {
        Printed {
            resource: Resource {
                namespace: self.id.namespace.as_deref().unwrap_or_default(),
                name: &self.id.name,
                group_kind: GroupKind {
                    group: &self.id.gvk.group,
                    kind: &self.id.gvk.kind,
                },
            },
            resources: self.children.iter().map(Self::printed).collect(),
        }
    }
}

/// The document that Flux prints.
#[derive(Serialize)]
struct Printed<'a> {
    resource: Resource<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Printed<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource<'a> {
    namespace: &'a str,
    name: &'a str,
    group_kind: GroupKind<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupKind<'a> {
    group: &'a str,
    kind: &'a str,
}

/// Whether an object is of a kind, in whatever version.
fn is_of(kind: Kind, id: &ObjectId) -> bool {
    id.gvk.group == kind.group && id.gvk.kind == kind.kind
}

struct Looking<'a> {
    cluster: &'a dyn Cluster,
    is_compact: bool,
}

impl Looking<'_> {
    fn is_shown(&self, id: &ObjectId) -> bool {
        !self.is_compact || id.gvk.group.contains(OF_FLUX)
    }

    /// What a Kustomization has applied; `above` are those that it was reached by, itself the last.
    fn kustomization<'f>(
        &'f self,
        kustomization: &'f Value,
        above: Vec<ObjectId>,
    ) -> BoxFuture<'f, Result<Vec<Node>>> {
        async move {
            let mut nodes = Vec::new();
            for id in entries(kustomization)? {
                if !self.is_shown(&id) || above.last().is_some_and(|own| is_same(own, &id)) {
                    continue;
                }
                let children = match is_remote(kustomization) {
                    // what is in another cluster is not looked for in this one
                    true => Vec::new(),
                    false => self.children(&id, &above).await?,
                };
                nodes.push(Node { id, children });
            }
            Ok(nodes)
        }
        .boxed()
    }

    /// What an object has applied that a Kustomization applied.
    async fn children(&self, id: &ObjectId, above: &[ObjectId]) -> Result<Vec<Node>> {
        let namespace = id.namespace.as_deref().unwrap_or_default();
        if is_of(kinds::HELM_RELEASE, id) {
            let id = kinds::HELM_RELEASE.id(namespace, &id.name);
            let objects = self.release(&id).await?.into_iter();
            let shown = objects.filter(|id| self.is_shown(id));
            return Ok(shown.map(Node::leaf).collect());
        }
        // one that leads back to where it came from has been told of
        if !is_of(kinds::KUSTOMIZATION, id) || above.iter().any(|one| is_same(one, id)) {
            return Ok(Vec::new());
        }
        let id = kinds::KUSTOMIZATION.id(namespace, &id.name);
        let child = required(self.cluster, kinds::KUSTOMIZATION, &id).await;
        let child = child.context("failed to find object")?;
        let mut above = above.to_vec();
        above.push(id);
        self.kustomization(&child, above).await
    }

    /// What a HelmRelease has released last, as Helm stored it.
    async fn release(&self, id: &ObjectId) -> Result<Vec<ObjectId>> {
        let release = required(self.cluster, kinds::HELM_RELEASE, id).await?;
        let text = |pointer: &str| release.pointer(pointer).and_then(Value::as_str);
        let storage = text("/status/storageNamespace").unwrap_or_default();
        let version = release
            .pointer("/status/history/0/version")
            .and_then(Value::as_i64);
        let (Some(name), Some(version)) = (text("/status/history/0/name"), version) else {
            return Ok(Vec::new());
        };
        if is_remote(&release) || storage.is_empty() {
            return Ok(Vec::new());
        }
        let secret = ObjectId {
            gvk: GroupVersionKind::new("v1", "Secret"),
            namespace: Some(storage.to_owned()),
            name: format!("sh.helm.release.v1.{name}.v{version}"),
        };
        let full_name = format!("{}/{}", id.namespace.as_deref().unwrap_or_default(), id.name);
        let found = self.cluster.get(&Identity::AsController, &secret).await;
        let found = found.with_context(|| {
            format!("failed to find the Helm storage object for HelmRelease '{full_name}'")
        })?;
        let Some(secret) = found else {
            return Ok(Vec::new());
        };
        let objects = stored(&secret).with_context(|| {
            format!("failed to decode the Helm storage object for HelmRelease '{full_name}'")
        })?;
        let namespace = text("/status/history/0/namespace").unwrap_or_default();
        let mut ids = Vec::new();
        for mut id in objects {
            if id.namespace.is_none() && self.is_namespaced(&id.gvk).await {
                id.namespace = Some(namespace.to_owned());
            }
            ids.push(id);
        }
        self.add_definitions(&release, id, &mut ids).await;
        Ok(ids)
    }

    async fn is_namespaced(&self, gvk: &GroupVersionKind) -> bool {
        let mapping = self.cluster.mapping(gvk).await;
        mapping.is_ok_and(|mapping| mapping.is_namespaced)
    }

    /// Helm does not store the definitions of a chart: they are known by the labels of their release.
    async fn add_definitions(&self, release: &Value, id: &ObjectId, ids: &mut Vec<ObjectId>) {
        let has_definitions = |step: &str| {
            let policy = release.pointer(&format!("/spec/{step}/crds"));
            let policy = policy.and_then(Value::as_str).unwrap_or_default();
            !matches!(policy, "" | "Skip")
        };
        if !has_definitions("install") && !has_definitions("upgrade") {
            return;
        }
        let group = meta::HELM_GROUP;
        let namespace = id.namespace.as_deref().unwrap_or_default();
        let labels = format!("{group}/name={},{group}/namespace={namespace}", id.name);
        let gvk = GroupVersionKind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
        let identity = Identity::AsController;
        let listed = self.cluster.list(&identity, &gvk, None, &labels).await;
        // who may not list them sees the rest
        let definitions = listed.unwrap_or_default();
        for definition in &definitions {
            let name = crate::installed::name(definition);
            let id = ObjectId {
                gvk: gvk.clone(),
                namespace: None,
                name: name.to_owned(),
            };
            if !ids.iter().any(|known| is_same(known, &id)) {
                ids.push(id);
            }
        }
    }
}

/// Whether two names are of one object, in whatever versions.
fn is_same(one: &ObjectId, other: &ObjectId) -> bool {
    one.gvk.group_kind() == other.gvk.group_kind()
        && one.namespace == other.namespace
        && one.name == other.name
}

/// Whether an object works on another cluster.
fn is_remote(object: &Value) -> bool {
    let access = object.pointer("/spec/kubeConfig");
    access.is_some_and(|access| !access.is_null())
}

/// The inventory of a Kustomization.
fn entries(kustomization: &Value) -> Result<Vec<ObjectId>> {
    let entries = kustomization
        .pointer("/status/inventory/entries")
        .and_then(Value::as_array);
    let read = |entry: &Value| {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        let id = inventory::decode(text("id"), text("v"));
        id.with_context(|| format!("unable to parse stored object metadata: {}", text("id")))
    };
    entries.into_iter().flatten().map(read).collect()
}

/// The objects of a release, from the Secret that Helm stored it in.
fn stored(secret: &Value) -> Result<Vec<ObjectId>> {
    let data = secret.pointer("/data/release").and_then(Value::as_str);
    let data = STANDARD.decode(data.context("it has no release")?)?;
    let mut bytes = STANDARD.decode(data)?;
    // releases of old versions of Helm are not compressed
    if bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        let mut unpacked = Vec::new();
        GzDecoder::new(bytes.as_slice())
            .take(RELEASE_MAX)
            .read_to_end(&mut unpacked)?;
        bytes = unpacked;
    }
    let release: Value = serde_json::from_slice(&bytes)?;
    let manifest = release
        .get("manifest")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut ids = Vec::new();
    for document in sluice_yaml::parse_documents(manifest, &ParseOptions::new(Resolver::V2))? {
        let value = sluice_yaml::to_json(&document.root, Resolver::V2)?;
        for object in flatten(value).into_iter().filter(Value::is_object) {
            ids.push(Object::new(object)?.id().clone());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;
    use std::io::Write as _;

    fn id(text: &str) -> ObjectId {
        inventory::decode(text, "v1").unwrap()
    }

    fn tree() -> Node {
        let kustomization = |name: &str| {
            id(&format!(
                "flux-system_{name}_kustomize.toolkit.fluxcd.io_Kustomization"
            ))
        };
        let below = vec![
            Node::leaf(id("_cert-manager__Namespace")),
            Node::leaf(id("cert-manager_web_apps_Deployment")),
        ];
        Node {
            id: kustomization("flux-system"),
            children: vec![
                Node {
                    id: kustomization("infrastructure"),
                    children: below,
                },
                Node::leaf(id(
                    "flux-system_flux-system_source.toolkit.fluxcd.io_GitRepository",
                )),
            ],
        }
    }

    #[test]
    fn a_tree_is_drawn_as_in_flux() {
        expect![[r"
            Kustomization/flux-system/flux-system
            ├── Kustomization/flux-system/infrastructure
            │   ├── Namespace/cert-manager
            │   └── Deployment/cert-manager/web
            └── GitRepository/flux-system/flux-system
        "]]
        .assert_eq(&tree().text());
    }

    #[test]
    fn documents_have_the_fields_of_flux() {
        let small = Node {
            id: id("ns_apps_kustomize.toolkit.fluxcd.io_Kustomization"),
            children: vec![Node::leaf(id("_x__Namespace"))],
        };
        expect![[r#"
            {
              "resource": {
                "Namespace": "ns",
                "Name": "apps",
                "GroupKind": {
                  "Group": "kustomize.toolkit.fluxcd.io",
                  "Kind": "Kustomization"
                }
              },
              "resources": [
                {
                  "resource": {
                    "Namespace": "",
                    "Name": "x",
                    "GroupKind": {
                      "Group": "",
                      "Kind": "Namespace"
                    }
                  }
                }
              ]
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&small.printed()).unwrap());
    }

    /// The Secret of a release with this manifest.
    fn secret(manifest: &str, is_compressed: bool) -> Value {
        let release = json!({"name": "web", "manifest": manifest}).to_string();
        let bytes = match is_compressed {
            true => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(release.as_bytes()).unwrap();
                packed.finish().unwrap()
            }
            false => release.into_bytes(),
        };
        let encoded = STANDARD.encode(STANDARD.encode(bytes));
        json!({"data": {"release": encoded}})
    }

    #[test]
    fn a_release_is_read_as_helm_stored_it() {
        let manifest = "---\n# Source: web/a.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n---\n\
                        apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: other}}]\n";
        for is_compressed in [true, false] {
            let ids = stored(&secret(manifest, is_compressed)).unwrap();
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            assert_eq!(ids, ["Service/web", "Secret/other/key"]);
        }
        assert!(stored(&json!({"data": {}})).is_err());
        assert!(stored(&json!({"data": {"release": "!"}})).is_err());
    }

    #[test]
    fn an_inventory_that_cannot_be_read_is_told() {
        let of = |id: &str| json!({"status": {"inventory": {"entries": [{"id": id, "v": "v1"}]}}});
        assert_eq!(entries(&of("ns_a__ConfigMap")).unwrap(), [id("ns_a__ConfigMap")]);
        assert_eq!(
            entries(&of("nonsense")).unwrap_err().to_string(),
            "unable to parse stored object metadata: nonsense"
        );
        assert!(entries(&json!({"status": {}})).unwrap().is_empty());
    }
}
