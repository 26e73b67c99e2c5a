//! The embedded server gives the answers that the real one gave.
//!
//! `differences.txt` lists the steps where it does not yet, with the reason. A step that differs and is not listed fails the
//! test, one that is listed and no longer differs is named; `UPDATE_EXPECT=1` writes the list anew, keeping the reasons. `SCENARIO=name` plays one scenario and shows every difference.
#![allow(clippy::print_stderr)]

use sluice_cluster_tests::{Server, all, compare, folder, play, read};
use sluice_devcluster::{Config, DevCluster};
use std::collections::BTreeMap;

/// `scenario step reason`, a line each.
fn listed() -> BTreeMap<(String, usize), String> {
    let text = std::fs::read_to_string(folder("differences.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let step = (
                words.next().unwrap().to_owned(),
                words.next().unwrap().parse().unwrap(),
            );
            (step, words.next().unwrap_or_default().to_owned())
        })
        .collect()
}

fn write_list(seen: &BTreeMap<(String, usize), String>) {
    let mut text = String::from(
        "# Steps where the embedded server does not yet answer as the real one: scenario, step, why.\n",
    );
    for ((scenario, step), reason) in seen {
        text += &format!("{scenario} {step} {reason}\n");
    }
    std::fs::write(folder("differences.txt"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_server_answers_as_the_real_one() {
    let wanted = std::env::var("SCENARIO").ok();
    let (listed, mut seen, mut steps, mut wrong) = (listed(), BTreeMap::new(), 0, String::new());
    for scenario in all(&folder("requests")).unwrap() {
        if wanted.as_ref().is_some_and(|wanted| *wanted != scenario.name) {
            continue;
        }
        let config = Config {
            tls: false,
            anonymous: true,
            simulate_workloads: false,
            collect_garbage: scenario.controllers,
            ..Config::default()
        };
        let cluster = DevCluster::start(config).await.unwrap();
        let server = Server::at(&cluster.url, None).unwrap();
        let recorded = read(&scenario.name).unwrap();
        let given = match play(&server, &scenario).await {
            Ok(given) => given,
            Err(error) => {
                wrong += &format!("{}: {error:#}\n", scenario.name);
                continue;
            }
        };
        steps += given.len();
        for (index, (recorded, given)) in recorded.iter().zip(&given).enumerate() {
            if recorded == given {
                continue;
            }
            let step = (scenario.name.clone(), index + 1);
            if wanted.is_some() || !listed.contains_key(&step) {
                let (_, text) = compare(std::slice::from_ref(recorded), std::slice::from_ref(given));
                wrong += &format!("{} {}\n{text}", step.0, step.1);
            }
            let reason = listed
                .get(&step)
                .cloned()
                .unwrap_or_else(|| recorded["request"].as_str().unwrap_or_default().to_owned());
            seen.insert(step, reason);
        }
        cluster.shutdown().await;
    }
    eprintln!("{steps} answers compared, {} differ", seen.len());
    if std::env::var_os("UPDATE_EXPECT").is_some() && wanted.is_none() {
        write_list(&seen);
        return;
    }
    assert!(wrong.is_empty(), "{wrong}");
    for (scenario, step) in listed
        .keys()
        .filter(|step| wanted.is_none() && !seen.contains_key(step))
    {
        eprintln!("no longer different: {scenario} {step}: write differences.txt anew with UPDATE_EXPECT=1");
    }
}
