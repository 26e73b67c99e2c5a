//! The embedded server gives the answers that the real one gave.
//!
//! `differences.txt` lists the steps where it does not yet, with the reason. A step that differs and is not listed fails the
//! test, and so does a listed one that no longer differs. `SCENARIO=name` plays one scenario and shows every difference.
#![allow(clippy::print_stderr)]

use sluice_cluster_tests::{Server, all, compare, folder, play, read};
use sluice_devcluster::{Config, DevCluster};
use std::collections::BTreeSet;

/// `scenario step`, the first two words of a line.
fn listed() -> BTreeSet<(String, usize)> {
    let text = std::fs::read_to_string(folder("differences.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            (
                words.next().unwrap().to_owned(),
                words.next().unwrap().parse().unwrap(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_server_answers_as_the_real_one() {
    let wanted = std::env::var("SCENARIO").ok();
    let (listed, mut seen, mut steps, mut wrong) = (listed(), BTreeSet::new(), 0, String::new());
    for scenario in all(&folder("requests")).unwrap() {
        if wanted.as_ref().is_some_and(|wanted| *wanted != scenario.name) {
            continue;
        }
        let config = Config {
            tls: false,
            anonymous: true,
            simulate_workloads: false,
            ..Config::default()
        };
        let cluster = DevCluster::start(config).await.unwrap();
        let server = Server {
            url: cluster.url.clone(),
            client: reqwest::Client::new(),
        };
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
            if wanted.is_some() || !listed.contains(&step) {
                let (_, text) = compare(std::slice::from_ref(recorded), std::slice::from_ref(given));
                wrong += &format!("{} {}\n{text}", step.0, step.1);
            }
            seen.insert(step);
        }
        cluster.shutdown().await;
    }
    eprintln!("{steps} answers compared, {} differ", seen.len());
    assert!(wrong.is_empty(), "{wrong}");
    let mended: Vec<_> = listed.difference(&seen).filter(|_| wanted.is_none()).collect();
    assert!(
        mended.is_empty(),
        "no longer different, strike from differences.txt: {mended:?}"
    );
}
