//! A render in which something is decrypted: files before it, objects after it, and who sees what of them.
//!
//! The renderer sees the files that it turns into Secrets and patches, as its result depends on what they say. It sees no
//! object in clear text that it only passes on. The transformer sees of what was decrypted only what it could change: values
//! with a `$` in them; it gets marks in the place of all others. Nothing of it is remembered. (ADR: what a component sees.)

use super::decrypt::{Decryption, failure};
use super::render::{Plugins, Rendered, Wanted, built, built_once};
use super::variables;
use crate::error_policy::Failure;
use serde_json::Value;
use sluice_api::reason;
use sluice_artifact::Overlay;
use sluice_object::{Manifests, Object};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Decrypts what the renderer needs, renders, decrypts the rest, substitutes.
pub(super) async fn render(
    plugins: &Plugins,
    mut wanted: Wanted,
    decryption: &Decryption,
) -> Result<Rendered, Failure> {
    let sources = |error: &sluice_decrypt::Error| failure("error decrypting sources", error);
    let (base, spec) = (wanted.tree.clone(), wanted.spec.clone());
    let generated = plugins
        .run(
            move |_| sluice_render::generate(&base, &spec, None),
            str::to_owned,
        )
        .await?;
    let found = sluice_decrypt::sources(
        &decryption.keyring,
        &*generated.tree,
        &generated.path,
        decryption.mac,
    );
    let found = found.await.map_err(|error| sources(&error))?;
    let is_confidential = !found.files.is_empty();
    if is_confidential {
        let files = found
            .files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        let overlay = Overlay::new(wanted.tree, files);
        let unusable = |error: &dyn std::fmt::Display| {
            Failure::retry(reason::BUILD_FAILED, format!("error decrypting sources: {error}"))
        };
        wanted.tree = Arc::new(overlay.map_err(|error| unusable(&error))?);
    }
    // substitution comes after the rest is decrypted
    let (post_build, context) = (wanted.post_build.take(), wanted.context.clone());
    let build = move |render: &sluice_render::Render| match is_confidential {
        true => built_once(render, &wanted.build()),
        false => built(render, &wanted.build()),
    };
    // what a component says of files in clear text may quote them
    let built = plugins.run(build, |text| found.redact(text)).await?;
    let mut objects = built.manifests.objects.clone();
    let mut decrypted = vec![false; objects.len()];
    for (object, is_decrypted) in objects.iter_mut().zip(&mut decrypted) {
        let mut body = Value::Object(object.body().clone());
        let done =
            sluice_decrypt::object(&decryption.keyring, &mut body, &found.vouched, decryption.mac).await;
        let done = done.map_err(|error| {
            failure(
                &format!("decryption failed for '{}'", variables::named(object)),
                &error,
            )
        })?;
        if done {
            let origin = object.origin().cloned();
            let odd = |_| {
                Failure::retry(
                    reason::BUILD_FAILED,
                    format!("decryption failed for '{}'", variables::named(object)),
                )
            };
            *object = Object::new(body).map_err(odd)?.with_origin(origin);
            *is_decrypted = true;
        }
    }
    let mut findings = built.findings.clone();
    let mut manifests = Manifests { objects };
    if let Some(post_build) = post_build {
        let mut marks = Marks::default();
        for (object, _) in manifests
            .objects
            .iter_mut()
            .zip(&decrypted)
            .filter(|(_, is_decrypted)| **is_decrypted)
        {
            marks.hide(object);
        }
        let substitute =
            move |render: &sluice_render::Render| render.substitute(manifests, &post_build, &context);
        let show = |text: &str| {
            sluice_decrypt::redacted(&found.redact(text), marks.shown.iter().map(|text| text.as_str()))
        };
        let (substituted, more) = plugins.run(substitute, show).await?;
        manifests = substituted;
        marks.restore(&mut manifests);
        findings.extend(more);
    }
    Ok(Rendered::new(Arc::new(sluice_render::Rendered::new(
        manifests, findings,
    ))))
}

/// Values that are kept from a transformer, each with the mark that stands for it.
#[derive(Default)]
struct Marks {
    hidden: HashMap<String, Value>,
    /// What was decrypted and is not hidden.
    shown: Vec<Zeroizing<String>>,
    nonce: String,
}

impl Marks {
    /// Takes out every text and number that substitution would leave as it is. Names and metadata stay: messages need them.
    fn hide(&mut self, object: &mut Object) {
        if self.nonce.is_empty() {
            // nobody can write a mark beforehand that he does not know
            self.nonce = format!("{:016x}", RandomState::new().hash_one(0u8));
        }
        let hidden = object.edit(|body| {
            for (key, value) in body.iter_mut() {
                if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                    self.hide_in(value);
                }
            }
        });
        hidden.expect("invariant: what names the object stays");
    }

    fn hide_in(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains('$') => self.shown.push(Zeroizing::new(text.clone())),
            Value::String(_) | Value::Number(_) => {
                let mark = format!("sluice-hidden-{}-{}", self.nonce, self.hidden.len());
                let hidden = std::mem::replace(value, Value::from(mark.as_str()));
                self.hidden.insert(mark, hidden);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.hide_in(item)),
            _ => {}
        }
    }

    fn restore(&self, manifests: &mut Manifests) {
        if self.hidden.is_empty() {
            return;
        }
        for object in &mut manifests.objects {
            let restored = object.edit(|body| body.values_mut().for_each(|value| self.restore_in(value)));
            restored.expect("invariant: a mark is no name");
        }
    }

    fn restore_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(hidden) = self.hidden.get(text.as_str()) {
                    *value = hidden.clone();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.restore_in(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.restore_in(item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_substitution_leaves_alone_it_does_not_see() {
        let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData":
            {"password": "hunter2", "url": "https://$${host}", "list": ["a"], "empty": ""}, "spec": {"pin": 4711, "ratio": 0.5, "on": true}});
        let mut manifests = Manifests {
            objects: vec![Object::new(body.clone()).unwrap()],
        };
        let mut marks = Marks::default();
        marks.hide(&mut manifests.objects[0]);
        let shown = Value::Object(manifests.objects[0].body().clone()).to_string();
        assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
        assert!(
            shown.contains("$${host}") && shown.contains(r#""name":"s""#),
            "{shown}"
        );
        marks.restore(&mut manifests);
        assert_eq!(Value::Object(manifests.objects[0].body().clone()), body);
    }
}
