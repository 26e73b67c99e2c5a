//! Names that outlive versions: an inventory, a health check or a watch may know a kind by one that is served no more.

use crate::cluster::{Cluster, Identity, Mapping, RequestError};
use serde_json::Value;
use sluice_object::{GroupVersionKind, ObjectId};
use std::sync::Arc;

/// A kind in a version that is served: the one that is named, or else another of its group.
///
/// # Errors
/// What the API server said, or that it serves the kind in no version.
pub async fn served(
    cluster: &dyn Cluster,
    gvk: &GroupVersionKind,
) -> Result<(GroupVersionKind, Arc<Mapping>), RequestError> {
    match cluster.mapping(gvk).await {
        Err(unserved @ RequestError::NoMatch { .. }) => otherwise(cluster, gvk, unserved).await,
        mapping => mapping.map(|mapping| (gvk.clone(), mapping)),
    }
}

/// A kind in another version than the named one, which is not served, as `unserved` says.
async fn otherwise(
    cluster: &dyn Cluster,
    gvk: &GroupVersionKind,
    unserved: RequestError,
) -> Result<(GroupVersionKind, Arc<Mapping>), RequestError> {
    for version in cluster.versions(&gvk.group).await? {
        // the group may have it, for other kinds
        if version == gvk.version {
            continue;
        }
        let other = GroupVersionKind {
            version,
            ..gvk.clone()
        };
        match cluster.mapping(&other).await {
            Err(RequestError::NoMatch { .. }) => {}
            mapping => return mapping.map(|mapping| (other, mapping)),
        }
    }
    Err(unserved)
}

/// An object, in whatever version its kind is served; none where it is absent. It costs one question where the version that
/// is named is served.
///
/// # Errors
/// What the API server said, or that it serves the kind in no version.
pub async fn find(
    cluster: &dyn Cluster,
    identity: &Identity,
    id: &ObjectId,
) -> Result<Option<Value>, RequestError> {
    let (gvk, _) = match cluster.get(identity, id).await {
        // it is not there, or the version is not that was served when it was last asked for
        Ok(None) => served(cluster, &id.gvk).await?,
        Err(unserved @ RequestError::NoMatch { .. }) => otherwise(cluster, &id.gvk, unserved).await?,
        answer => return answer,
    };
    if gvk == id.gvk {
        return Ok(None);
    }
    let id = ObjectId { gvk, ..id.clone() };
    cluster.get(identity, &id).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{KubeCluster, RetryPolicy};
    use http::{Request, Response};
    use kube::client::Body;
    use std::sync::Mutex;

    type Asked = Arc<Mutex<Vec<String>>>;

    /// An API server that serves lamps in `v2` and none of them is there; in `v1` it has other kinds. With it, what it was
    /// asked for.
    fn server() -> (KubeCluster, Asked) {
        let asked = Asked::default();
        let noted = asked.clone();
        let server = tower::service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            let (status, body): (u16, &str) = match path.as_str() {
                "/apis/example.com" => (200, r#"{"versions":[{"version":"v1"},{"version":"v2"}]}"#),
                "/apis/example.com/v1" => (
                    200,
                    r#"{"resources":[{"name":"shades","kind":"Shade","namespaced":true}]}"#,
                ),
                "/apis/example.com/v2" => (
                    200,
                    r#"{"resources":[{"name":"lamps","kind":"Lamp","namespaced":true}]}"#,
                ),
                "/apis/example.com/v2/namespaces/ns/lamps/desk" => (
                    404,
                    r#"{"kind":"Status","code":404,"reason":"NotFound","message":"lamps.example.com \"desk\" not found"}"#,
                ),
                _ => (404, "404 page not found"),
            };
            noted.lock().unwrap().push(path);
            let answer = Response::builder().status(status);
            std::future::ready(answer.body(Body::from(body.as_bytes().to_vec())))
        });
        let client = kube::Client::new(server, "default");
        (KubeCluster::new(client, RetryPolicy::default()), asked)
    }

    #[tokio::test]
    async fn what_is_absent_costs_one_question_where_its_version_is_served() {
        const DESK: &str = "/apis/example.com/v2/namespaces/ns/lamps/desk";
        let (cluster, asked) = server();
        let look = async |api_version: &str| {
            let id = ObjectId {
                gvk: GroupVersionKind::new(api_version, "Lamp"),
                namespace: Some("ns".to_owned()),
                name: "desk".to_owned(),
            };
            let found = find(&cluster, &Identity::AsController, &id).await;
            (found, std::mem::take(&mut *asked.lock().unwrap()))
        };
        let (found, asked) = look("example.com/v2").await;
        assert_eq!(found.unwrap(), None);
        assert_eq!(asked, ["/apis/example.com/v2", DESK]);
        let (found, asked) = look("example.com/v2").await;
        assert_eq!(found.unwrap(), None);
        assert_eq!(asked, [DESK]);
        // that a version is not served is not remembered: it may be, the next time
        for _ in 0..2 {
            let (found, asked) = look("example.com/v1").await;
            assert_eq!(found.unwrap(), None);
            assert_eq!(asked, ["/apis/example.com/v1", "/apis/example.com", DESK]);
        }
        let (found, asked) = look("example.org/v1").await;
        assert!(matches!(found, Err(RequestError::NoMatch { .. })));
        assert_eq!(asked, ["/apis/example.org/v1", "/apis/example.org"]);
    }
}
