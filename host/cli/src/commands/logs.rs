//! `sluice logs`: what the controllers say of objects, a line each (compat: cli, section 10).

use super::within;
use crate::args::{DEFAULT_NAMESPACE, Global};
use crate::installed::selector;
use crate::tell;
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, LogParams};
use serde_json::Value;
use std::pin::pin;
use std::time::Duration;

/// The levels that `flux logs` knows.
const LEVELS: [&str; 3] = ["debug", "info", "error"];
/// The container of a controller, in a Pod that has others too.
const CONTAINER: &str = "manager";

#[derive(Args, Debug)]
pub(crate) struct Logs {
    /// Only lines of this level: debug, info or error
    #[arg(long, value_parser = level, value_name = "LEVEL")]
    level: Option<String>,
    /// Only lines about objects of this kind
    #[arg(long, default_value = "", hide_default_value = true, value_name = "KIND")]
    kind: String,
    /// Only lines about objects of this name
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    name: String,
    /// Go on with every new line
    #[arg(short, long)]
    follow: bool,
    /// Only so many of the last lines, -1 for all
    #[arg(
        long,
        default_value_t = -1,
        allow_negative_numbers = true,
        hide_default_value = true,
        value_name = "COUNT"
    )]
    tail: i64,
    /// Where the controllers run
    #[arg(long, default_value = DEFAULT_NAMESPACE, value_parser = crate::args::namespace, value_name = "NAME")]
    flux_namespace: String,
    /// Lines about objects of all namespaces, and about none
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only lines newer than this, such as 2m
    #[arg(long, value_parser = crate::args::duration, value_name = "DURATION")]
    since: Option<Duration>,
    /// Only lines after this time, such as 2026-01-02T03:04:05Z
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TIME")]
    since_time: String,
}

fn level(text: &str) -> Result<String, String> {
    let known = LEVELS.join(", ");
    match text.trim() {
        "" => Err(format!("no log level given, must be one of: {known}")),
        _ if LEVELS.contains(&text) => Ok(text.to_owned()),
        _ => Err(format!("unsupported log level '{text}', must be one of: {known}")),
    }
}

impl Logs {
    /// Whether it goes on until it is stopped.
    pub(crate) fn is_followed(&self) -> bool {
        self.follow
    }

    /// What is asked of a Pod.
    fn params(&self) -> Result<LogParams> {
        let since = self.since.filter(|since| !since.is_zero());
        ensure!(
            since.is_none() || self.since_time.is_empty(),
            "at most one of `sinceTime` or `sinceDuration` may be specified"
        );
        let time = match self.since_time.as_str() {
            "" => None,
            time => {
                let read: Result<Timestamp, _> = time.parse();
                Some(read.with_context(|| format!("{time} is not a valid (RFC3339) time"))?)
            }
        };
        // to the nearest second; the API server knows no part of one, and refuses none at all
        let seconds = since.map(|since| since.saturating_add(Duration::from_millis(500)).as_secs().max(1));
        Ok(LogParams {
            follow: self.follow,
            tail_lines: (self.tail > -1).then_some(self.tail),
            since_seconds: seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
            since_time: time,
            ..LogParams::default()
        })
    }

    fn filter<'a>(&'a self, namespace: &'a str) -> Filter<'a> {
        Filter {
            level: self.level.as_deref(),
            kind: &self.kind,
            name: &self.name,
            namespace: (!self.all_namespaces).then_some(namespace),
        }
    }
}

pub(crate) async fn run(logs: &Logs, global: &Global) -> Result<()> {
    let params = logs.params()?;
    // without a limit of time: a controller may have nothing to say for long
    let client = global.connect.client().await?;
    let pods = within(global.timeout, pods(&client, &logs.flux_namespace)).await?;
    let reading = Reading {
        api: Api::namespaced(client, &logs.flux_namespace),
        params,
        filter: logs.filter(&global.namespace),
    };
    // those that are followed all at once, others one after another
    let at_once = if logs.follow { pods.len() } else { 1 };
    let ends = stream::iter(&pods).map(|pod| reading.pod(pod));
    let mut ends = pin!(ends.buffer_unordered(at_once));
    let mut is_whole = true;
    while let Some(end) = ends.try_next().await? {
        match end {
            End::Read => {}
            End::Broken => is_whole = false,
            End::Unheard => return Ok(()),
        }
    }
    ensure!(is_whole, "failed to collect logs from all Flux pods");
    Ok(())
}

/// How the reading of a Pod's log came to its end.
enum End {
    /// All of it was read, or all up to what is no line of a controller.
    Read,
    /// It could not be read, as was told.
    Broken,
    /// Nobody reads what is printed any more.
    Unheard,
}

/// A Pod of each Deployment of an installation: the one whose log says most.
async fn pods(client: &kube::Client, namespace: &str) -> Result<Vec<Pod>> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let found: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let mut pods = Vec::new();
    let installed = ListParams::default().labels(&selector());
    for deployment in deployments.list(&installed).await? {
        let template = deployment.spec.template.metadata.unwrap_or_default();
        let labels = template.labels.unwrap_or_default();
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let of_deployment = found
            .list(&ListParams::default().labels(&labels.join(",")))
            .await?;
        pods.extend(of_deployment.items.into_iter().min_by_key(order));
    }
    if pods.is_empty() {
        bail!("no Flux pods found in namespace \"{namespace}\"");
    }
    Ok(pods)
}

/// Which Pod is looked at first, as `kubectl logs` chooses: one on a node, one that runs, one that is ready, the one that was
/// restarted least, the oldest.
fn order(pod: &Pod) -> (bool, u8, bool, i32, Option<Timestamp>) {
    let is_placed = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    let status = pod.status.clone().unwrap_or_default();
    let phase = match status.phase.as_deref() {
        Some("Running") => 0,
        Some("Unknown") => 1,
        Some("Pending") => 2,
        _ => 3,
    };
    let mut conditions = status.conditions.iter().flatten();
    let is_ready = conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let containers = status.container_statuses.iter().flatten();
    let restarts = containers.map(|container| container.restart_count).max();
    let made = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (!is_placed, phase, !is_ready, restarts.unwrap_or(0), made)
}

/// How logs are read and what of them is printed.
struct Reading<'a> {
    api: Api<Pod>,
    params: LogParams,
    filter: Filter<'a>,
}

impl Reading<'_> {
    /// Prints the log of a Pod. A line that is none of a controller's ends it, as in Flux.
    async fn pod(&self, pod: &Pod) -> Result<End> {
        let containers = pod.spec.as_ref().map_or(0, |spec| spec.containers.len());
        let params = LogParams {
            container: (containers > 1).then(|| CONTAINER.to_owned()),
            ..self.params.clone()
        };
        let failed = |error: &(dyn std::error::Error + 'static)| {
            tell::line(&format!("failed getting logs: {}", tell::whole(error)));
            Ok(End::Broken)
        };
        let log = match self.api.log_stream(&pod.name_any(), &params).await {
            Ok(log) => log,
            Err(error) => return failed(&error),
        };
        let mut lines = pin!(log.lines());
        while let Some(line) = lines.next().await {
            let line = match line {
                Ok(line) => line,
                Err(error) => return failed(&error),
            };
            match self.filter.shown(&line) {
                Ok(Some(text)) => {
                    if !tell::print_on(&text)? {
                        return Ok(End::Unheard);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tell::failure(&format!("parse error: {error}"));
                    break;
                }
            }
        }
        Ok(End::Read)
    }
}

/// Which lines are printed.
struct Filter<'a> {
    level: Option<&'a str>,
    kind: &'a str,
    name: &'a str,
    /// The namespace of the objects, none for all.
    namespace: Option<&'a str>,
}

impl Filter<'_> {
    /// What is printed of a line, nothing of one that is not wanted.
    fn shown(&self, line: &str) -> serde_json::Result<Option<String>> {
        if !line.starts_with('{') {
            return Ok(None);
        }
        let entry: Value = serde_json::from_str(line)?;
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let (level, name, namespace) = (text("level"), text("name"), text("namespace"));
        // of controllers, and of servers
        let kinds = [text("reconciler kind"), text("controllerKind")];
        let is_wanted = self.level.is_none_or(|wanted| wanted == level)
            && (self.kind.is_empty() || kinds.iter().any(|kind| kind.eq_ignore_ascii_case(self.kind)))
            && (self.name.is_empty() || name.eq_ignore_ascii_case(self.name))
            && self
                .namespace
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(namespace));
        if !is_wanted {
            return Ok(None);
        }
        let kind = kinds
            .into_iter()
            .find(|kind| !kind.is_empty())
            .unwrap_or_default();
        let object = match name {
            "" => String::new(),
            name => format!("/{name}.{namespace}"),
        };
        let (time, message, error) = (text("ts"), text("msg"), text("error"));
        Ok(Some(format!(
            "{time} {level} {kind}{object} - {message} {error}\n"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;
    use serde_json::json;

    fn read(flags: &[&str]) -> Result<Logs> {
        let cli = Cli::try_parse_from(["sluice", "logs"].iter().chain(flags))?;
        match cli.command {
            Command::Logs(logs) => Ok(logs),
            _ => bail!("another command"),
        }
    }

    const LOG: &str = r#"
Flag --log-level has been deprecated
{"level":"info","ts":"2022-08-02T12:55:34.419Z","msg":"no changes","controllerKind":"GitRepository","gitRepository":{"name":"podinfo"},"namespace":"default","name":"podinfo"}
{"level":"error","ts":"2022-08-02T12:56:34.961Z","msg":"reconciliation failed","reconciler kind":"Kustomization","name":"podinfo","namespace":"flux-system","error":"no such path"}
{"level":"info","ts":"2022-08-02T12:57:00.000Z","msg":"starting manager"}
"#;

    #[test]
    fn lines_are_chosen_and_printed_as_in_flux() {
        let shown = |flags: &[&str]| {
            let logs = read(flags).unwrap();
            let filter = logs.filter("flux-system");
            let lines = LOG.lines().filter_map(|line| filter.shown(line).unwrap());
            lines.collect::<String>()
        };
        let git = "2022-08-02T12:55:34.419Z info GitRepository/podinfo.default - no changes \n";
        let failed = "2022-08-02T12:56:34.961Z error Kustomization/podinfo.flux-system - reconciliation failed no such path\n";
        let start = "2022-08-02T12:57:00.000Z info  - starting manager \n";
        assert_eq!(shown(&["-A"]), format!("{git}{failed}{start}"));
        assert_eq!(shown(&[]), failed);
        assert_eq!(shown(&["-A", "--level=info"]), format!("{git}{start}"));
        assert_eq!(shown(&["-A", "--kind=gitrepository"]), git);
        assert_eq!(
            shown(&["--kind=Kustomization", "--name=PODINFO", "--level=error"]),
            failed
        );
        assert_eq!(shown(&["--name=other"]), "");
        let logs = read(&[]).unwrap();
        assert!(logs.filter("a").shown("{\"level\": ").is_err());
    }

    #[test]
    fn what_is_asked_of_a_pod() {
        let params = read(&["--since=90s", "--tail=5", "-f"])
            .unwrap()
            .params()
            .unwrap();
        assert_eq!((params.since_seconds, params.tail_lines), (Some(90), Some(5)));
        assert!(params.follow && params.since_time.is_none());
        let params = read(&["--since=1ms", "--tail=-1"]).unwrap().params().unwrap();
        assert_eq!((params.since_seconds, params.tail_lines), (Some(1), None));
        let params = read(&["--since-time=2026-01-02T03:04:05Z"])
            .unwrap()
            .params()
            .unwrap();
        assert_eq!(params.since_time.unwrap().to_string(), "2026-01-02T03:04:05Z");
        for (flags, expected) in [
            (
                vec!["--since=1m", "--since-time=2026-01-02T03:04:05Z"],
                "at most one of `sinceTime` or `sinceDuration` may be specified",
            ),
            (vec!["--since-time=today"], "today is not a valid (RFC3339) time"),
        ] {
            let refused = read(&flags).unwrap().params().unwrap_err().to_string();
            assert_eq!(refused, expected);
        }
        let refused = read(&["--level=loud"]).unwrap_err().to_string();
        let expected = "unsupported log level 'loud', must be one of: debug, info, error";
        assert!(refused.contains(expected), "{refused}");
    }

    #[test]
    fn the_pod_whose_log_says_most_is_read() {
        let pod = |name: &str, phase: &str, created: &str| -> Pod {
            let pod = json!({"metadata": {"name": name, "creationTimestamp": created}, "spec": {"containers": [], "nodeName": "a"},
                "status": {"phase": phase}});
            serde_json::from_value(pod).unwrap()
        };
        let pods = [
            pod("ended", "Succeeded", "2026-01-01T00:00:00Z"),
            pod("waits", "Pending", "2026-01-01T00:00:00Z"),
            pod("new", "Running", "2026-01-03T00:00:00Z"),
            pod("old", "Running", "2026-01-02T00:00:00Z"),
        ];
        assert_eq!(
            pods.iter().min_by_key(|pod| order(pod)).unwrap().name_any(),
            "old"
        );
    }
}
