//! What applying would do, asked of the API server without changing anything.

use crate::cluster::{Cluster, Identity, Patch, PatchOptions, RequestError};
use crate::error::{ApplyError, Step};
use crate::judge;
use crate::served::find;
use crate::stage::APPLYING;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::Value;
use sluice_object::{GroupKind, Object, ObjectId};
use sluice_plan::{Action, IgnoreRules, Owner, Takeover, is_protected, is_prunable};
use std::collections::HashMap;

/// What would become of one object, with both sides where something would change.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The object.
    pub id: ObjectId,
    /// Flux's word for it.
    pub action: Action,
    /// How it is; none where it is absent, or would be deleted to be made anew.
    pub live: Option<Value>,
    /// How it would be; none where it would go.
    pub desired: Option<Value>,
}

/// How previews are asked for.
#[derive(Clone, Copy, Debug)]
pub struct PreviewOptions<'a> {
    /// Objects asked about at once.
    pub concurrency: usize,
    /// `spec.force`: objects that cannot be changed in place would be made anew.
    pub is_forced: bool,
    /// `spec.ignore`.
    pub ignore: &'a IgnoreRules,
}

/// Asks about the objects of all stages. Answers in their order; one that fails keeps none of the others. Only where nobody
/// answers the rest is not asked about: the answers end with that one. The controller's namespace and flags are not known here.
/// What lives in a namespace or is of a kind that would only be made by the same apply counts as created.
pub async fn preview_each(
    cluster: &dyn Cluster,
    identity: &Identity,
    objects: &[Object],
    options: PreviewOptions<'_>,
) -> Vec<Result<Preview, ApplyError>> {
    let previews: Vec<BoxFuture<'_, _>> = objects
        .iter()
        .map(|object| preview_one(cluster, identity, object, options).boxed())
        .collect();
    let mut previews = stream::iter(previews).buffered(options.concurrency.max(1));
    let mut answers: Vec<Result<Preview, ApplyError>> = Vec::with_capacity(objects.len());
    while let Some(answer) = previews.next().await {
        let is_unanswered = answer
            .as_ref()
            .is_err_and(|error| matches!(error.cause, RequestError::Transport(_)));
        answers.push(answer);
        if is_unanswered {
            break;
        }
    }
    let known = objects.iter().zip(&answers);
    let makers = Makers::of(known.map(|(object, answer)| (object, answer.is_ok())));
    for (object, answer) in objects.iter().zip(&mut answers) {
        let is_made = |error: &ApplyError| makers.are_awaited(object, &error.cause);
        if answer.as_ref().is_err_and(is_made) {
            *answer = Ok(Preview {
                id: object.id().clone(),
                action: Action::Created,
                live: None,
                desired: Some(Value::Object(object.body().clone())),
            });
        }
    }
    answers
}

/// What the objects of one apply make for others, and whether the API server takes all that make it.
struct Makers<'o> {
    namespaces: HashMap<&'o str, bool>,
    kinds: HashMap<GroupKind, bool>,
}

impl<'o> Makers<'o> {
    /// Of objects, and whether the API server takes each.
    fn of(all: impl Iterator<Item = (&'o Object, bool)>) -> Self {
        let (mut namespaces, mut kinds) = (HashMap::new(), HashMap::new());
        for (object, is_taken) in all {
            if object.gvk().kind == "Namespace" {
                *namespaces.entry(object.id().name.as_str()).or_insert(true) &= is_taken;
            }
            for kind in sluice_plan::defined([object]).into_keys() {
                *kinds.entry(kind).or_insert(true) &= is_taken;
            }
        }
        Self { namespaces, kinds }
    }

    /// Whether a refusal only means that something is not there yet, its namespace or its kind, that the same apply makes.
    fn are_awaited(&self, object: &Object, cause: &RequestError) -> bool {
        let namespace = object.id().namespace.as_deref();
        let namespace = namespace.and_then(|namespace| self.namespaces.get(namespace));
        let kind = self.kinds.get(&object.gvk().group_kind());
        let awaited = match cause {
            RequestError::NoMatch { .. } => kind,
            _ => namespace,
        };
        let are_taken = [namespace, kind].into_iter().flatten().all(|is_taken| *is_taken);
        cause.is_not_found() && awaited.is_some() && are_taken
    }
}

async fn preview_one(
    cluster: &dyn Cluster,
    identity: &Identity,
    object: &Object,
    options: PreviewOptions<'_>,
) -> Result<Preview, ApplyError> {
    let body = Value::Object(object.body().clone());
    let would = |action: Action, live: Option<Value>, desired: Option<Value>| Preview {
        id: object.id().clone(),
        action,
        live,
        desired,
    };
    let live = cluster.get(identity, object.id()).await;
    let live = live.map_err(|cause| ApplyError::new(object, Step::Look, cause))?;
    let is_created_only = sluice_plan::is_created_only(object) && live.is_some();
    if sluice_plan::is_left_alone(object, live.as_ref()) || is_created_only {
        return Ok(would(Action::Skipped, live, None));
    }
    let patch = PatchOptions {
        is_dry_run: true,
        ..APPLYING
    };
    let merged = match cluster
        .patch(identity, object.id(), Patch::Apply(body.clone()), patch)
        .await
    {
        Ok(patched) => patched.object,
        Err(cause) => {
            let is_asked = options.is_forced || sluice_plan::is_force_requested(object, live.as_ref());
            let is_recreated = is_asked && judge::is_immutable(&cause) && !is_protected(object.id(), "");
            if live.is_some() && is_recreated {
                return Ok(would(Action::Created, None, Some(body)));
            }
            return Err(ApplyError::new(object, Step::DryRun, cause));
        }
    };
    let is_taken_over = live
        .as_ref()
        .is_some_and(|live| sluice_plan::takeover(object, live, &Takeover::default()).is_some());
    let compared = sluice_plan::compare(object, live.as_ref(), &merged, options.ignore, is_taken_over);
    Ok(would(compared.action, live, Some(merged)))
}

/// What pruning would do to these objects, in its order. The namespace of the controller is not known here.
///
/// # Errors
/// One of them cannot be looked at: its text.
pub async fn preview_prune(
    cluster: &dyn Cluster,
    identity: &Identity,
    stale: &[ObjectId],
    owner: &Owner,
) -> Result<Vec<Preview>, String> {
    let mut previews = Vec::new();
    for id in stale {
        let live = match find(cluster, identity, id).await {
            Ok(Some(live)) => live,
            // gone already: nothing to show
            Ok(None) | Err(RequestError::NoMatch { .. }) => continue,
            Err(cause) => return Err(format!("{id} query failed: {cause}")),
        };
        let action = if is_prunable(&live, owner) && !is_protected(id, "") {
            Action::Deleted
        } else {
            Action::Skipped
        };
        previews.push(Preview {
            id: id.clone(),
            action,
            live: Some(live),
            desired: None,
        });
    }
    Ok(previews)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{KubeCluster, RetryPolicy};
    use http::{Method, Request, Response};
    use kube::client::Body;
    use serde_json::json;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn namespace(name: &str) -> Value {
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
    }

    fn config(namespace: &str, name: &str) -> Value {
        let metadata = json!({ "name": name, "namespace": namespace });
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "a": "b" } })
    }

    fn lamp(namespace: &str) -> Value {
        let metadata = json!({ "name": "desk", "namespace": namespace });
        json!({ "apiVersion": "example.com/v1", "kind": "Lamp", "metadata": metadata })
    }

    fn definition() -> Value {
        let names = json!({ "kind": "Lamp", "plural": "lamps" });
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "lamps.example.com" },
            "spec": { "group": "example.com", "scope": "Namespaced", "names": names },
        })
    }

    fn objects(values: impl IntoIterator<Item = Value>) -> Vec<Object> {
        values
            .into_iter()
            .map(|value| Object::new(value).unwrap())
            .collect()
    }

    fn refusal(code: u16, reason: &str, message: &str) -> (u16, Value) {
        let kind = "Status";
        (
            code,
            json!({ "kind": kind, "code": code, "reason": reason, "message": message }),
        )
    }

    /// An API server with one namespace, `shop`, and every ConfigMap there but those that are called new.
    fn answer(method: &Method, path: &str, sent: Value) -> (u16, Value) {
        let resource = |name: &str, kind: &str, namespaced: bool| json!({ "resources": [{ "name": name, "kind": kind, "namespaced": namespaced }] });
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (parts.as_slice(), method == Method::PATCH) {
            (["api", "v1"], _) => {
                let mut list = resource("configmaps", "ConfigMap", true);
                let namespaces = json!({ "name": "namespaces", "kind": "Namespace", "namespaced": false });
                list["resources"].as_array_mut().unwrap().push(namespaces);
                (200, list)
            }
            (["apis", "apiextensions.k8s.io", "v1"], _) => (
                200,
                resource("customresourcedefinitions", "CustomResourceDefinition", false),
            ),
            (["api", "v1", "namespaces", "banned"], true) => refusal(403, "Forbidden", "no more namespaces"),
            (["api", "v1", "namespaces", "shop", "configmaps", "bad" | "new-bad"], true) => {
                refusal(422, "Invalid", "no good")
            }
            (["api", "v1", "namespaces", "shop", "configmaps", "dead"], true) => (200, Value::Null),
            (["api", "v1", "namespaces", "shop", "configmaps", name], _) if !name.starts_with("new") => {
                let mut object = config("shop", name);
                object["metadata"]["resourceVersion"] = json!("1");
                (200, object)
            }
            (["api", "v1", "namespaces", "shop", "configmaps", _] | ["api", "v1", "namespaces", _], true)
            | (["apis", "apiextensions.k8s.io", "v1", _, _], true) => (201, sent),
            (["api", "v1", "namespaces", namespace, "configmaps", _], true) => {
                refusal(404, "NotFound", &format!("namespaces \"{namespace}\" not found"))
            }
            _ => refusal(404, "NotFound", "not found"),
        }
    }

    /// The server, each of whose answers takes a while.
    fn cluster<W: Future<Output = ()> + Send + 'static>(
        wait: impl Fn() -> W + Clone + Send + Sync + 'static,
    ) -> KubeCluster {
        let server = tower::service_fn(move |request: Request<Body>| {
            let wait = wait.clone();
            async move {
                wait().await;
                let (parts, body) = request.into_parts();
                let sent = body.collect_bytes().await.unwrap();
                let sent: Value = serde_json::from_slice(&sent).unwrap_or_default();
                let (status, body) = answer(&parts.method, parts.uri.path(), sent);
                // no JSON, as a proxy may answer
                let body = match body {
                    Value::Null => String::new(),
                    body => body.to_string(),
                };
                let answer = Response::builder().status(status);
                answer.body(Body::from(body.into_bytes()))
            }
        });
        let client = kube::Client::new(server, "default");
        let retry = RetryPolicy {
            retries_max: 0,
            ..RetryPolicy::default()
        };
        KubeCluster::new(client, retry)
    }

    async fn previewed(cluster: &KubeCluster, objects: &[Object], concurrency: usize) -> Vec<String> {
        let options = PreviewOptions {
            concurrency,
            is_forced: false,
            ignore: &IgnoreRules::default(),
        };
        let answers = preview_each(cluster, &Identity::AsController, objects, options).await;
        let word = |answer: Result<Preview, ApplyError>| match answer {
            Ok(preview) => format!("{} {}", preview.id, preview.action.as_str()),
            Err(error) => format!("{} {}", error.id, error.cause),
        };
        answers.into_iter().map(word).collect()
    }

    #[tokio::test]
    async fn what_fails_keeps_nothing_else_and_the_order_stays() {
        let cluster = cluster(|| std::future::ready(()));
        let all = [
            namespace("soon"),
            namespace("banned"),
            config("shop", "same"),
            config("shop", "bad"),
            config("shop", "new"),
            config("soon", "first"),
            config("banned", "first"),
            config("gone", "first"),
            lamp("shop"),
        ];
        let expected = [
            "Namespace/soon created",
            "Namespace/banned no more namespaces",
            "ConfigMap/shop/same unchanged",
            "ConfigMap/shop/bad no good",
            "ConfigMap/shop/new created",
            "ConfigMap/soon/first created",
            "ConfigMap/banned/first namespaces \"banned\" not found",
            "ConfigMap/gone/first namespaces \"gone\" not found",
            "Lamp/shop/desk no matches for kind \"Lamp\" in version \"example.com/v1\"",
        ];
        for concurrency in [1, 4] {
            assert_eq!(
                previewed(&cluster, &objects(all.clone()), concurrency).await,
                expected
            );
        }
        let defined = objects([definition(), lamp("shop")]);
        assert_eq!(
            previewed(&cluster, &defined, 4).await,
            [
                "CustomResourceDefinition/lamps.example.com created",
                "Lamp/shop/desk created"
            ]
        );
    }

    #[tokio::test]
    async fn what_is_made_anew_is_created() {
        let cluster = cluster(|| std::future::ready(()));
        let all = objects([config("shop", "bad"), config("shop", "new-bad")]);
        let ignore = IgnoreRules::default();
        let options = PreviewOptions {
            concurrency: 1,
            is_forced: true,
            ignore: &ignore,
        };
        let mut answers = preview_each(&cluster, &Identity::AsController, &all, options).await;
        assert!(
            answers.pop().unwrap().is_err(),
            "there is nothing to be made anew"
        );
        let preview = answers.pop().unwrap().unwrap();
        assert_eq!((preview.action, preview.live), (Action::Created, None));
        assert_eq!(preview.desired, Some(config("shop", "bad")));
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_are_asked_about_at_once_as_may_be() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = most.clone();
        let cluster = cluster(move || {
            let (now, most) = (now.clone(), counted.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        });
        let all = objects((0..9).map(|number| config("shop", &format!("c{number}"))));
        assert_eq!(previewed(&cluster, &all, 3).await.len(), 9);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn where_nobody_answers_the_rest_is_not_asked_about() {
        let cluster = cluster(|| std::future::ready(()));
        let all = objects(["one", "dead", "other"].map(|name| config("shop", name)));
        let answers = previewed(&cluster, &all, 1).await;
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert!(
            answers[1].starts_with("ConfigMap/shop/dead the API server's answer is no JSON"),
            "{answers:?}"
        );
    }
}
