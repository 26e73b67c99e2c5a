//! The log as Flux writes it: one JSON object a line with the keys that `flux logs` and existing queries look for
//! (compat/cli.md section 23), or text for people.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{IsTerminal as _, Write};
use std::str::FromStr;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Span, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// `--log-encoding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// One JSON object a line, Flux's default.
    #[default]
    Json,
    /// Text for people.
    Console,
}

impl FromStr for Encoding {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "console" => Ok(Self::Console),
            other => Err(format!("unknown log encoding {other:?}: use json or console")),
        }
    }
}

/// `--log-level`, Flux's four words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Everything.
    Trace,
    /// Decisions.
    Debug,
    /// One line a reconcile.
    #[default]
    Info,
    /// Only what a human must act on.
    Error,
}

impl FromStr for Verbosity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "trace" => Ok(Self::Trace),
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "error" => Ok(Self::Error),
            other => Err(format!(
                "unknown log level {other:?}: use trace, debug, info or error"
            )),
        }
    }
}

impl Verbosity {
    fn directives(self) -> &'static str {
        // Other people's crates speak only when asked for everything; all of ours begin with sluice. What the client of the
        // API server cannot do, whoever asked tells.
        match self {
            Self::Trace => "trace",
            // of a refused watch its caller tells, too
            Self::Debug => "warn,kube_runtime=error,sluice=debug",
            Self::Info => "error,kube_client=off,sluice=info",
            Self::Error => "error,kube_client=off",
        }
    }
}

/// Installs the log of this process, to standard error. A second call does nothing.
pub fn init(encoding: Encoding, verbosity: Verbosity) {
    let filter = EnvFilter::new(verbosity.directives());
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match encoding {
        Encoding::Json => registry.with(FluxJson::new(std::io::stderr)).try_init(),
        Encoding::Console => {
            let layer = tracing_subscriber::fmt::layer()
                .with_target(false)
                .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
                .with_writer(std::io::stderr);
            registry.with(layer).try_init()
        }
    };
}

/// The root span of one reconcile: its fields are in every line logged inside.
pub fn reconcile_span(
    controller: &str,
    group: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    reconcile_id: &str,
) -> Span {
    tracing::info_span!(
        target: "sluice",
        "reconcile",
        controller,
        controllerGroup = group,
        controllerKind = kind,
        namespace,
        name,
        reconcileID = reconcile_id,
    )
}

/// Writes events as Flux's JSON lines.
pub struct FluxJson<W> {
    writer: W,
}

impl<W> FluxJson<W> {
    /// Lines go to `writer`.
    pub fn new(writer: W) -> Self {
        Self { writer }
    }
}

impl<S, W> Layer<S> for FluxJson<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let inherited = span
            .parent()
            .and_then(|parent| parent.extensions().get::<Fields>().cloned());
        let mut fields = inherited.unwrap_or_default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let span = ctx.event_span(event);
        let extensions = span.as_ref().map(|span| span.extensions());
        let line = Line {
            level: level(*event.metadata().level()),
            ts: jiff::Timestamp::now(),
            own: &own,
            span: extensions
                .as_ref()
                .and_then(|extensions| extensions.get::<Fields>()),
        };
        // a map of texts and numbers is always JSON
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        // nowhere is left to say that the log cannot be written
        let _ = self.writer.make_writer_for(event.metadata()).write_all(&bytes);
    }
}

/// One line of the log.
struct Line<'a> {
    level: &'static str,
    ts: jiff::Timestamp,
    own: &'a Fields,
    span: Option<&'a Fields>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("level", self.level)?;
        line.serialize_entry("ts", &Milliseconds(self.ts))?;
        line.serialize_entry("msg", self.own.get(MESSAGE).unwrap_or(&Value::Null))?;
        for (name, value) in self.own.0.iter().filter(|(name, _)| *name != MESSAGE) {
            line.serialize_entry(name, value)?;
        }
        if let Some(span) = self.span {
            for (name, value) in span.0.iter().filter(|(name, _)| self.own.get(name).is_none()) {
                line.serialize_entry(name, value)?;
            }
            // controller-runtime also gives the object under its kind
            if let (Some(Value::String(kind)), Some(name), Some(namespace)) = (
                span.get("controllerKind"),
                span.get("name"),
                span.get("namespace"),
            ) {
                line.serialize_entry(kind, &BTreeMap::from([("name", name), ("namespace", namespace)]))?;
            }
        }
        line.end()
    }
}

/// A time of the log, to the millisecond, as zap writes it.
struct Milliseconds(jiff::Timestamp);

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

fn level(level: Level) -> &'static str {
    match level {
        // Flux knows four words: who looks for errors finds what went wrong and was got over, too
        Level::ERROR | Level::WARN => "error",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The field that is the text of a line.
const MESSAGE: &str = "message";

/// Fields in the order they were given, each once; a span's also hold those of the spans around it.
#[derive(Clone, Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    fn set(&mut self, field: &Field, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == field.name()) {
            Some((_, known)) => *known = value,
            None => self.0.push((field.name(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        // maps of changes come as JSON text and are logged as the map they are
        let value = if field.name() == "output" {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        } else {
            text.into()
        };
        self.set(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_what_flux_logs_reads() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry().with(FluxJson::new(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let span = reconcile_span(
                "kustomization",
                "kustomize.toolkit.fluxcd.io",
                "Kustomization",
                "apps",
                "web",
                "r-1",
            );
            let _entered = span.enter();
            crate::events::ObjectsApplied {
                changes: &[("ConfigMap/apps/a".to_owned(), "created")],
                revision: "main@sha1:abc",
            }
            .emit();
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let mut line: Value = serde_json::from_str(text.trim_end()).unwrap();
        let ts = line.as_object_mut().unwrap().remove("ts").unwrap();
        assert_eq!(ts.as_str().unwrap().len(), "2022-08-02T12:55:34.419Z".len());
        expect_test::expect![[r#"{"Kustomization":{"name":"web","namespace":"apps"},"controller":"kustomization","controllerGroup":"kustomize.toolkit.fluxcd.io","controllerKind":"Kustomization","level":"info","msg":"server-side apply completed","name":"web","namespace":"apps","output":{"ConfigMap/apps/a":"created"},"reconcileID":"r-1","revision":"main@sha1:abc"}"#]]
        .assert_eq(&line.to_string());
    }

    #[test]
    fn a_refused_watch_is_told_by_who_asked_for_it() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry()
            .with(EnvFilter::new(Verbosity::Debug.directives()))
            .with(FluxJson::new(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "kube_runtime::watcher", "refused");
            tracing::error!(target: "kube_runtime::watcher", "broken");
            tracing::warn!(target: "hyper", "odd");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let said = ["refused", "broken", "odd"].map(|word| text.contains(word));
        assert_eq!(said, [false, true, true], "{text}");
    }
}
