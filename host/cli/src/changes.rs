//! Objects as they come, change and go.

use crate::tell;
use futures::{Stream, StreamExt as _, stream};
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event, watcher};
use sluice_apply::cluster::Chance;
use sluice_controller::runtime::Again;
use tokio::time::Instant;

/// What happened to an object.
pub(crate) struct Change {
    /// As it is, or was last.
    pub(crate) object: DynamicObject,
    /// Whether it is not there any more.
    pub(crate) is_gone: bool,
}

/// What is there, then what changes. A watch that breaks is told and made anew; one that is refused, or that never began,
/// ends with the error.
pub(crate) fn changes(
    api: Api<DynamicObject>,
    config: watcher::Config,
) -> impl Stream<Item = watcher::Result<Change>> + Send {
    let events = Box::pin(watcher(api, config));
    let again = Again::new(Chance::default());
    stream::unfold(
        (events, false, again),
        async |(mut events, mut is_listed, mut again)| {
            let change = loop {
                match events.next().await? {
                    Ok(Event::Init) => {}
                    Ok(Event::InitDone) => is_listed = true,
                    Ok(Event::InitApply(object) | Event::Apply(object)) => {
                        break Ok(Change {
                            object,
                            is_gone: false,
                        });
                    }
                    Ok(Event::Delete(object)) => {
                        break Ok(Change {
                            object,
                            is_gone: true,
                        });
                    }
                    Err(error) if !is_listed || is_refused(&error) => break Err(error),
                    Err(error) => {
                        let why = tell::whole(&error);
                        tell::warning(&format!("the watch broke and is made anew: {why}"));
                        tokio::time::sleep(again.wait(Instant::now())).await;
                    }
                }
            };
            Some((change, (events, is_listed, again)))
        },
    )
}

/// Whether asking again would be answered the same: no rights, no such kind, a malformed selector.
fn is_refused(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    let (InitialListFailed(error) | WatchStartFailed(error)) = error else {
        return false;
    };
    match error {
        kube::Error::Api(status) => matches!(status.code, 400 | 401 | 403 | 404 | 405 | 422),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt as _;
    use http::{Request, Response};
    use kube::client::Body;
    use std::collections::VecDeque;
    use std::pin::pin;
    use std::sync::{Arc, Mutex};

    /// What comes of a server that gives these answers, one after the other.
    async fn first(answers: &[(u16, &'static str)]) -> watcher::Result<Option<DynamicObject>> {
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let server = tower::service_fn(move |_: Request<Body>| {
            let (status, body) = answers.lock().unwrap().pop_front().unwrap();
            let answer = Response::builder().status(status);
            std::future::ready(answer.body(Body::from(body.as_bytes().to_vec())))
        });
        let client = kube::Client::new(server, "apps");
        let api = Api::default_namespaced_with(client, &crate::kinds::KUSTOMIZATION.api());
        let mut changes = pin!(changes(api, watcher::Config::default()));
        Ok(changes.try_next().await?.map(|change| change.object))
    }

    #[tokio::test(start_paused = true)]
    async fn what_breaks_is_made_anew_and_what_is_refused_ends() {
        const FAILED: &str = r#"{"kind":"Status","status":"Failure","code":500,"message":"etcd is away","reason":"InternalError"}"#;
        const FORBIDDEN: &str =
            r#"{"kind":"Status","status":"Failure","code":403,"message":"no","reason":"Forbidden"}"#;
        const EMPTY: &str = r#"{"kind":"KustomizationList","metadata":{"resourceVersion":"7"},"items":[]}"#;
        const ADDED: &str = r#"{"type":"ADDED","object":{"apiVersion":"v1","kind":"K","metadata":{"name":"apps","resourceVersion":"8"}}}
"#;
        let object = first(&[(200, EMPTY), (500, FAILED), (200, EMPTY), (200, ADDED)]).await;
        assert_eq!(object.unwrap().unwrap().metadata.name.as_deref(), Some("apps"));
        assert!(first(&[(500, FAILED)]).await.is_err(), "it never began");
        assert!(first(&[(403, FORBIDDEN)]).await.is_err());
        assert!(first(&[(200, EMPTY), (403, FORBIDDEN)]).await.is_err());
    }
}
