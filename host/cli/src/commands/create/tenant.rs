//! `sluice create tenant`: namespaces, and the accounts that may do something there and nowhere else.

use super::{Common, said};
use crate::args::Global;
use crate::commands::{export, until};
use crate::tell;
use anyhow::{Result, bail};
use clap::Args;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, PostParams};
use serde_json::{Value, json};
use sluice_object::label::key_problems;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Whose an object is.
const TENANT: &str = "toolkit.fluxcd.io/tenant";

#[derive(Args, Debug)]
pub(crate) struct Tenant {
    #[command(flatten)]
    common: Common,
    /// A namespace of the tenant, may be repeated
    #[arg(long = "with-namespace", value_delimiter = ',', value_name = "NAME")]
    namespaces: Vec<String>,
    /// What the tenant may do there
    #[arg(long, default_value = "cluster-admin", value_name = "NAME")]
    cluster_role: String,
    /// The tenant's service account, which is called as the tenant unless given
    #[arg(long, value_name = "NAME")]
    with_service_account: Option<String>,
    /// The namespaces are there already
    #[arg(long)]
    skip_namespace: bool,
}

/// The objects of one namespace.
struct Room {
    namespace: DynamicObject,
    account: DynamicObject,
    binding: DynamicObject,
}

pub(super) async fn run(tenant: &Tenant, global: &Global) -> Result<()> {
    let rooms = tenant.rooms()?;
    if tenant.common.export {
        for room in &rooms {
            if !tenant.skip_namespace {
                export::print(&serde_json::to_value(&room.namespace)?)?;
            }
            export::print(&serde_json::to_value(&room.account)?)?;
            export::print(&serde_json::to_value(&room.binding)?)?;
        }
        return Ok(());
    }
    let deadline = Instant::now() + global.timeout;
    let client = global.connect.client().await?;
    for room in rooms {
        until(deadline, room.apply(&client, tenant.skip_namespace)).await?;
    }
    tell::success("tenant setup completed");
    Ok(())
}

impl Tenant {
    fn rooms(&self) -> Result<Vec<Room>> {
        let name = self.common.name()?;
        check("tenant name", name)?;
        if self.cluster_role.is_empty() {
            bail!("cluster-role is required");
        }
        if self.namespaces.is_empty() {
            bail!("with-namespace is required");
        }
        let mut labels = self.common.labels()?;
        labels.insert(TENANT.to_owned(), name.to_owned());
        let account = said(&self.with_service_account).unwrap_or(name);
        let rooms = self.namespaces.iter().map(|namespace| {
            check("namespace", namespace)?;
            check("service-account name", account)?;
            self.room(name, namespace, account, &labels)
        });
        rooms.collect()
    }

    fn room(
        &self,
        name: &str,
        namespace: &str,
        account: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<Room> {
        const RBAC: &str = "rbac.authorization.k8s.io";
        let object = |value: Value| serde_json::from_value(value);
        Ok(Room {
            namespace: object(json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace, "labels": labels},
            }))?,
            account: object(json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": account, "namespace": namespace, "labels": labels},
            }))?,
            binding: object(json!({
                "apiVersion": format!("{RBAC}/v1"),
                "kind": "RoleBinding",
                "metadata": {"name": format!("{name}-reconciler"), "namespace": namespace, "labels": labels},
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": self.cluster_role},
                "subjects": [
                    {"apiGroup": RBAC, "kind": "User", "name": format!("gotk:{namespace}:reconciler")},
                    {"kind": "ServiceAccount", "name": account, "namespace": namespace},
                ],
            }))?,
        })
    }
}

fn check(what: &str, name: &str) -> Result<()> {
    let problems = key_problems(name);
    if !problems.is_empty() {
        bail!("invalid {what} '{name}': [{}]", problems.join(" "));
    }
    Ok(())
}

impl Room {
    async fn apply(&self, client: &kube::Client, is_there: bool) -> Result<()> {
        if !is_there {
            let resource = ApiResource::erase::<Namespace>(&());
            tell::action(&format!("applying namespace {}", self.namespace.name_any()));
            label(&Api::all_with(client.clone(), &resource), &self.namespace).await?;
        }
        let namespace = self.namespace.name_any();
        let resource = ApiResource::erase::<ServiceAccount>(&());
        let accounts = Api::namespaced_with(client.clone(), &namespace, &resource);
        tell::action(&format!("applying service account {}", self.account.name_any()));
        label(&accounts, &self.account).await?;
        let resource = ApiResource::erase::<RoleBinding>(&());
        let bindings = Api::namespaced_with(client.clone(), &namespace, &resource);
        tell::action(&format!("applying role binding {}", self.binding.name_any()));
        bind(&bindings, &self.binding).await
    }
}

/// Makes an object, or sets the labels of the one of that name, where one of them is missing.
async fn label(api: &Api<DynamicObject>, object: &DynamicObject) -> Result<()> {
    let Some(mut existing) = api.get_opt(&object.name_any()).await? else {
        let _created = api.create(&PostParams::default(), object).await?;
        return Ok(());
    };
    if !has_labels(&existing, object) {
        existing.metadata.labels.clone_from(&object.metadata.labels);
        let params = PostParams::default();
        let _updated = api.replace(&object.name_any(), &params, &existing).await?;
    }
    Ok(())
}

/// Makes a role binding, in place of another of that name: what it refers to cannot be changed.
async fn bind(api: &Api<DynamicObject>, binding: &DynamicObject) -> Result<()> {
    let name = binding.name_any();
    if let Some(existing) = api.get_opt(&name).await? {
        if has_labels(&existing, binding) && binds_alike(&existing, binding) {
            return Ok(());
        }
        let _deleted = api.delete(&name, &DeleteParams::default()).await?;
    }
    let _created = api.create(&PostParams::default(), binding).await?;
    Ok(())
}

fn has_labels(existing: &DynamicObject, object: &DynamicObject) -> bool {
    let there = existing.labels();
    object
        .labels()
        .iter()
        .all(|(name, value)| there.get(name) == Some(value))
}

/// Whether two bindings give the same to the same; what the API server fills in does not count.
fn binds_alike(existing: &DynamicObject, binding: &DynamicObject) -> bool {
    role(existing) == role(binding) && subjects(existing) == subjects(binding)
}

/// What a binding gives: the role's group, kind and name.
fn role(binding: &DynamicObject) -> [&str; 3] {
    let role = binding.data.get("roleRef");
    ["apiGroup", "kind", "name"].map(|field| text(role, field))
}

/// Whom a binding gives it to: the group, kind, name and namespace of each.
fn subjects(binding: &DynamicObject) -> Vec<[&str; 4]> {
    let subjects = binding.data.get("subjects").and_then(Value::as_array);
    let subjects = subjects.into_iter().flatten();
    let subjects = subjects
        .map(|subject| ["apiGroup", "kind", "name", "namespace"].map(|field| text(Some(subject), field)));
    subjects.collect()
}

/// The text of a field; a field that is missing is an empty one.
fn text<'a>(of: Option<&'a Value>, field: &str) -> &'a str {
    let text = of.and_then(|of| of.get(field)).and_then(Value::as_str);
    text.unwrap_or_default()
}
