//! The seam to the API server: raw JSON objects, an identity with every request, nothing else.

mod answer;
mod bounded;
mod chance;
mod connect;
mod connections;
mod error;
mod identity;
mod kube;
mod mapper;
mod segment;

pub use answer::Unowned;
pub use chance::Chance;
pub use error::RequestError;
pub(crate) use error::{DATABASE_FULL, MESSAGE_TOO_LARGE, REQUEST_TOO_LARGE};
pub use identity::Identity;
pub use kube::{KubeCluster, RetryPolicy};
pub use mapper::Mapping;

use futures::future::BoxFuture;
use serde_json::Value;
use sluice_object::{GroupVersionKind, ObjectId};
use std::sync::Arc;
use std::time::Duration;

/// An answer that is on its way.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, RequestError>>;

/// A change to one object.
#[derive(Clone, Debug)]
pub enum Patch {
    /// Server-side apply, conflicts forced.
    Apply(Value),
    /// RFC 7396.
    Merge(Value),
    /// RFC 6902.
    Json(Value),
}

/// How a patch is meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct PatchOptions<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// Whether the API server only says what would be.
    pub is_dry_run: bool,
    /// `status` for the status subresource.
    pub subresource: Option<&'a str>,
    /// Whether the answer has its `managedFields`: often the greater part of it, so only where somebody reads them.
    pub with_owners: bool,
}

/// What a patch gave.
#[derive(Clone, Debug)]
pub struct Patched {
    /// The object as it is now, or would be.
    pub object: Value,
    /// Whether the patch made it.
    pub is_created: bool,
}

/// What must hold for a delete.
#[derive(Clone, Debug, Default)]
pub struct Preconditions {
    /// Only the object with this UID, never one of the same name that came after.
    pub uid: Option<String>,
}

/// Objects of one list: who asks wants to know how things are, and a namespace may hold any number.
pub const LISTED_MAX: usize = 500;

/// The API server of one cluster. The one real implementation is [`KubeCluster`].
pub trait Cluster: Send + Sync {
    /// Path and scope of a kind; asks the API server for kinds that are not known yet.
    fn mapping<'a>(&'a self, gvk: &'a GroupVersionKind) -> Answer<'a, Arc<Mapping>>;
    /// The versions in which a group is served, in its order; none where it is not.
    fn versions<'a>(&'a self, group: &'a str) -> Answer<'a, Vec<String>>;
    /// One object, none where it is absent.
    fn get<'a>(&'a self, identity: &'a Identity, id: &'a ObjectId) -> Answer<'a, Option<Value>>;
    /// Objects of a kind that carry the labels, at most [`LISTED_MAX`]; `namespace` none for all namespaces.
    fn list<'a>(
        &'a self,
        identity: &'a Identity,
        gvk: &'a GroupVersionKind,
        namespace: Option<&'a str>,
        labels: &'a str,
    ) -> Answer<'a, Vec<Value>>;
    /// Makes a new object.
    fn create<'a>(&'a self, identity: &'a Identity, id: &'a ObjectId, object: Value) -> Answer<'a, Value>;
    /// Makes a new object of which nobody reads what became of it, such as an Event. `object` is JSON.
    fn record<'a>(&'a self, identity: &'a Identity, id: &'a ObjectId, object: Vec<u8>) -> Answer<'a, ()>;
    /// Posts to a subresource of an object, such as `token` of a ServiceAccount. The answer is not the object.
    fn create_in<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        subresource: &'a str,
        body: Value,
    ) -> Answer<'a, Value>;
    /// Changes an object; server-side apply makes it where it is absent.
    fn patch<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        patch: Patch,
        options: PatchOptions<'a>,
    ) -> Answer<'a, Patched>;
    /// Deletes an object in the background; false where it was gone already.
    fn delete<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        only: Preconditions,
    ) -> Answer<'a, bool>;
    /// Returns when the object changed (or vanished) after `resource_version`, or after `timeout`. Where it cannot be watched
    /// it returns after a moment, so that whoever looks again does not do so at once.
    fn changed<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        resource_version: Option<&'a str>,
        timeout: Duration,
    ) -> BoxFuture<'a, ()>;
}
