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
use sluice_artifact::{Overlay, Tree};
use sluice_decrypt::{Decrypted, Keyring, Mac, Vouched};
use sluice_object::{Manifests, Object};
use sluice_render::PostBuild;
use sluice_wasm::{Context, Finding};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How long files, or objects, of one Kustomization may take to be decrypted: thousands of them at a slow key service take
/// some minutes, and whoever asks for more would keep a place for it from others.
const DECRYPTION_TIME_MAX: Duration = Duration::from_secs(600);

/// Decrypts what the renderer needs, renders, decrypts the rest, substitutes.
pub(super) async fn render(
    plugins: &Plugins,
    mut wanted: Wanted,
    decryption: &Decryption,
) -> Result<Rendered, Failure> {
    let (found, tree) = sources(plugins, &wanted, decryption).await?;
    let found = Arc::new(found);
    wanted.tree = tree;
    // substitution comes after the rest is decrypted
    let (post_build, context) = (wanted.post_build.take(), wanted.context.clone());
    let built = build(plugins, wanted, found.clone()).await?;
    let mut findings = built.findings.clone();
    let (mut manifests, marks) = open(decryption, found.clone(), built, post_build.is_some()).await?;
    if let Some(post_build) = post_build {
        let substituting = substitute(plugins, manifests, marks, found, post_build, context);
        let (substituted, more) = substituting.await?;
        manifests = substituted;
        findings.extend(more);
    }
    // it gets its digests
    let rendered = move |_: &sluice_render::Render| {
        let rendered = sluice_render::Rendered::new(manifests, findings);
        Ok(Rendered::new(Arc::new(rendered)))
    };
    plugins.run(rendered, str::to_owned).await
}

/// The files that the renderer needs in clear text, and the tree with them in it.
async fn sources(
    plugins: &Plugins,
    wanted: &Wanted,
    decryption: &Decryption,
) -> Result<(Decrypted, Arc<dyn Tree>), Failure> {
    let (base, spec) = (wanted.tree.clone(), wanted.spec.clone());
    let generated = plugins
        .run(
            move |_| sluice_render::generate(&base, &spec, None),
            str::to_owned,
        )
        .await?;
    let (base, keyring, mac) = (wanted.tree.clone(), decryption.keyring.clone(), decryption.mac);
    let found = async move {
        let found = sluice_decrypt::sources(&keyring, &*generated.tree, &generated.path, mac).await;
        let found = found.map_err(|error| failure("error decrypting sources", &error))?;
        let tree = laid_over(base, &found)?;
        Ok::<_, Failure>((found, tree))
    };
    while_wanted(found).await
}

/// Builds. Where files were decrypted nothing of it is remembered, and what a component says may quote them.
async fn build(
    plugins: &Plugins,
    wanted: Wanted,
    found: Arc<Decrypted>,
) -> Result<Arc<sluice_render::Rendered>, Failure> {
    let is_confidential = !found.files.is_empty();
    let build = move |render: &sluice_render::Render| match is_confidential {
        true => built_once(render, &wanted.build()),
        false => built(render, &wanted.build()),
    };
    plugins.run(build, move |text| found.redact(text)).await
}

/// The objects in clear text. Where they are to be substituted, what was decrypted and could not change is hidden.
async fn open(
    decryption: &Decryption,
    found: Arc<Decrypted>,
    built: Arc<sluice_render::Rendered>,
    is_substituted: bool,
) -> Result<(Manifests, Marks), Failure> {
    let (keyring, mac) = (decryption.keyring.clone(), decryption.mac);
    let opening = async move {
        let mut marks = Marks::default();
        let mut objects = Vec::with_capacity(built.manifests.objects.len());
        for object in &built.manifests.objects {
            let (mut object, was_encrypted) = in_clear_text(&keyring, mac, &found.vouched, object).await?;
            if was_encrypted && is_substituted {
                marks.hide(&mut object);
            }
            objects.push(object);
        }
        Ok::<_, Failure>((Manifests { objects }, marks))
    };
    while_wanted(opening).await
}

/// Puts variables in. The component sees marks, and what it says is told without what was decrypted.
async fn substitute(
    plugins: &Plugins,
    manifests: Manifests,
    marks: Marks,
    found: Arc<Decrypted>,
    post_build: PostBuild,
    context: Context,
) -> Result<(Manifests, Vec<Finding>), Failure> {
    let marks = Arc::new(marks);
    let hidden = marks.clone();
    let substitute = move |render: &sluice_render::Render| {
        let (mut manifests, findings) = render.substitute(manifests, &post_build, &context)?;
        hidden.restore(&mut manifests);
        Ok::<_, sluice_render::Error>((manifests, findings))
    };
    let show = move |text: &str| {
        sluice_decrypt::redacted(&found.redact(text), marks.shown.iter().map(|text| text.as_str()))
    };
    plugins.run(substitute, show).await
}

/// Does what computes between its waits, for as long as somebody's files and keys make it, on a thread that may block: on
/// this one everybody else would wait for it. It ends early where nobody wants its answer any more.
async fn while_wanted<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let withdrawn = CancellationToken::new();
    let _withdraws = withdrawn.clone().drop_guard();
    let runtime = Handle::current();
    let task = tokio::task::spawn_blocking(move || {
        let work = async { tokio::time::timeout(DECRYPTION_TIME_MAX, work).await };
        runtime.block_on(withdrawn.run_until_cancelled(work))
    });
    match task.await {
        Ok(Some(Ok(done))) => done,
        Ok(Some(Err(_))) => {
            let limit = DECRYPTION_TIME_MAX.as_secs();
            let message = format!(
                "decryption takes longer than the limit of {limit}s (decryption_time_max): divide what is encrypted among \
                 Kustomizations"
            );
            Err(Failure::retry(reason::BUILD_FAILED, message))
        }
        Ok(None) => Err(Failure::back_off(
            reason::BUILD_FAILED,
            "decryption was withdrawn",
        )),
        // its text could quote what was decrypted
        Err(_) => Err(Failure::back_off(
            reason::BUILD_FAILED,
            "decryption ended unexpectedly",
        )),
    }
}

/// The tree with the decrypted files in it.
fn laid_over(base: Arc<dyn Tree>, found: &Decrypted) -> Result<Arc<dyn Tree>, Failure> {
    if found.files.is_empty() {
        return Ok(base);
    }
    let files = found
        .files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    match Overlay::new(base, files) {
        Ok(overlay) => Ok(Arc::new(overlay)),
        Err(error) => {
            let message = format!("error decrypting sources: {error}");
            Err(Failure::retry(reason::BUILD_FAILED, message))
        }
    }
}

/// An object in clear text, and whether it was not.
async fn in_clear_text(
    keyring: &Keyring,
    mac: Mac,
    vouched: &Vouched,
    object: &Object,
) -> Result<(Object, bool), Failure> {
    let failed = || format!("decryption failed for '{}'", variables::named(object));
    let mut body = Value::Object(object.body().clone());
    let decrypted = sluice_decrypt::object(keyring, &mut body, vouched, mac).await;
    let was_encrypted = decrypted.map_err(|error| failure(&failed(), &error))?;
    let opened = Object::new(body).map_err(|_| Failure::retry(reason::BUILD_FAILED, failed()))?;
    Ok((opened.with_origin(object.origin().cloned()), was_encrypted))
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
    use crate::runtime::{KUSTOMIZATION, Key, object_id};
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use serde_json::json;
    use sluice_apply::live::short;
    use sluice_artifact::{AnswerDigest, Entry, MemoryTree, Question, TreeError};
    use sluice_decrypt::sops::{DataKey, MasterKey};
    use sluice_decrypt::{KeyError, KeyService};
    use sluice_render::{BuildSpec, Memo, Render};
    use sluice_wasm::{Engine, Limits, Pool, builtin};
    use std::sync::Mutex;
    use std::thread::{self, ThreadId};

    /// On which threads something was done.
    #[derive(Clone, Default)]
    struct Threads(Arc<Mutex<Vec<ThreadId>>>);

    impl Threads {
        fn note(&self) {
            self.0.lock().unwrap().push(thread::current().id());
        }
    }

    /// Files, and who reads them.
    struct Noted(MemoryTree, Threads);

    impl Tree for Noted {
        fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
            self.1.note();
            self.0.read(path)
        }

        fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            self.1.note();
            self.0.read_dir(path)
        }

        fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            self.1.note();
            self.0.walk(path)
        }

        fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest {
            self.1.note();
            self.0.answer_digest(question, path)
        }
    }

    /// Has no key, and notes who asks for one.
    struct Keyless(Threads);

    impl KeyService for Keyless {
        fn decrypt<'a>(&'a self, _: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
            self.0.note();
            Some(async { Err(KeyError::lasting("not for you")) }.boxed())
        }
    }

    fn plugins() -> Plugins {
        let engine = Engine::get().unwrap();
        let load = |name| builtin::load(engine, name, Limits::default()).unwrap();
        let (renderer, substitute) = (
            load("kustomize").renderer().unwrap(),
            load("substitute").transformer().unwrap(),
        );
        let render = Render::new(renderer, substitute, Memo::default());
        Plugins::new(Arc::new(render), Pool::default(), "v1.36.3".to_owned())
    }

    /// All of a controller's tasks share one thread, as they do here: whatever is read or unlocked on it holds up all others.
    #[tokio::test]
    async fn neither_files_are_read_nor_keys_unlocked_where_others_wait() {
        let threads = Threads::default();
        let files = MemoryTree::from([
            ("/kustomization.yaml", "resources: [secret.yaml]\n".as_bytes()),
            (
                "/secret.yaml",
                include_bytes!("../../../../decrypt/tests/fixtures/encrypted/secret.yaml").as_slice(),
            ),
        ]);
        let mut keyring = Keyring::new();
        keyring.add(Keyless(threads.clone()));
        let decryption = Decryption {
            keyring: Arc::new(keyring),
            mac: Mac::Verified,
            digest: short(b""),
        };
        let key = Key::new(KUSTOMIZATION.kind, "apps", "apps");
        let wanted = Wanted {
            spec: BuildSpec::default(),
            post_build: None,
            context: Context {
                subject: object_id(&KUSTOMIZATION, &key),
                kube_version: "v1.36.3".to_owned(),
                api_versions: Vec::new(),
                labels: Vec::new(),
            },
            tree: Arc::new(Noted(files, threads.clone())),
            revision: "main@sha1:a".to_owned(),
        };
        let refused = render(&plugins(), wanted, &decryption).await.unwrap_err();
        assert!(refused.message.contains("not for you"), "{}", refused.message);
        let seen = threads.0.lock().unwrap();
        assert!(!seen.is_empty() && !seen.contains(&thread::current().id()));
    }

    #[tokio::test]
    async fn decryption_ends_when_nobody_waits_for_it() {
        let (held, ended) = tokio::sync::oneshot::channel::<()>();
        let waits = while_wanted(async move {
            let _held = held;
            std::future::pending::<()>().await;
            Ok(())
        });
        tokio::select! {
            biased;
            _ = waits => panic!("it never ends by itself"),
            () = tokio::task::yield_now() => {}
        }
        assert!(ended.await.is_err(), "what it held is dropped");
    }

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
