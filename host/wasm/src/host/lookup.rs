//! Objects of the cluster, for chart renderers. Without an identity nothing is found.

use crate::bindings::sluice::chart::lookup::Host;
use crate::bindings::sluice::types::objects as wire;
use crate::roles::lookup_digest;
use crate::state::CallState;
use sluice_object::{GroupVersionKind, ObjectId};

impl Host for CallState {
    fn lookup(&mut self, id: wire::ObjectId) -> wasmtime::Result<Result<Option<Vec<u8>>, String>> {
        self.count_host_call()?;
        // what is asked with is remembered, and a guest may ask with megabytes
        let namespace = id.namespace.as_ref().map_or(0, String::len);
        let asked = id.api_version.len() + id.kind.len() + namespace + id.name.len();
        self.count_tree_bytes(asked as u64)?;
        let id = ObjectId {
            gvk: GroupVersionKind::new(&id.api_version, &id.kind),
            namespace: id.namespace,
            name: id.name,
        };
        let answer = match &self.inputs.cluster {
            Some(cluster) => cluster.lookup(&id),
            None => Ok(None),
        };
        self.recorder.looked_up(id, lookup_digest(&answer));
        if let Ok(Some(body)) = &answer {
            self.count_tree_bytes(body.len() as u64)?;
        }
        Ok(answer)
    }
}
