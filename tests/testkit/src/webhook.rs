//! An admission webhook over https, for API servers that call one.
#![allow(clippy::missing_panics_doc, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    authority::Authority,
    http_server::{Listener, Response, base64},
};

/// What a webhook makes of an object.
#[derive(Clone, Debug)]
pub enum Review {
    /// It may be.
    Allow,
    /// It may not, for this reason.
    Refuse(String),
    /// It may be, changed by this JSON patch.
    Change(Value),
}

/// A running webhook; it stops when dropped.
pub struct Webhook {
    listener: Listener,
    authority: Authority,
    asked: Arc<AtomicUsize>,
    has_stopped: Arc<AtomicBool>,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        // connections that are kept alive are answered no more either
        self.has_stopped.store(true, Ordering::Relaxed);
    }
}

impl Webhook {
    /// Answers every review by what `review` makes of the object in it.
    pub fn start(review: impl Fn(&Value) -> Review + Send + Sync + 'static) -> Webhook {
        let authority = Authority::new();
        let asked = Arc::<AtomicUsize>::default();
        let has_stopped = Arc::<AtomicBool>::default();
        let (count, stopped) = (Arc::clone(&asked), Arc::clone(&has_stopped));
        let listener = Listener::start(Some(authority.server_config(None)), move |request, stream, _| {
            if stopped.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            count.fetch_add(1, Ordering::Relaxed);
            let question: Value = serde_json::from_slice(&request.body)?;
            let mut answer = match review(&question["request"]["object"]) {
                Review::Allow => json!({ "allowed": true }),
                Review::Refuse(message) => {
                    json!({ "allowed": false, "status": { "code": 403, "reason": "Forbidden", "message": message } })
                }
                Review::Change(patch) => {
                    json!({ "allowed": true, "patchType": "JSONPatch", "patch": base64(patch.to_string()) })
                }
            };
            answer["uid"] = question["request"]["uid"].clone();
            let answer =
                json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer });
            let mut response = Response::new("200 OK", answer.to_string().as_bytes());
            let json = ("Content-Type".to_owned(), "application/json".to_owned());
            response.headers.push(json);
            response.send(stream)
        });
        Webhook {
            listener,
            authority,
            asked,
            has_stopped,
        }
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// The configuration that makes an API server ask it about every ConfigMap written in a namespace: `kind` is
    /// `ValidatingWebhookConfiguration` or `MutatingWebhookConfiguration`.
    pub fn configuration(&self, kind: &str, name: &str, namespace: &str) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": namespace },
            "webhooks": [{
                "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                "clientConfig": { "url": format!("{}/", self.listener.base()), "caBundle": base64(self.authority.pem()) },
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } },
                "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"] }],
            }],
        })
    }
}
