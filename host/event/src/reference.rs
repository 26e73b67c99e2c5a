//! Holds `host/docs/reference/signals.md` to the code: each metric, reason and key has a row there, and no row is left over.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../docs/reference/signals.md");
const METRICS: [&str; 3] = [
    include_str!("metrics.rs"),
    include_str!("metrics/caches.rs"),
    include_str!("metrics/process.rs"),
];
const REASONS: &str = include_str!("../../api/src/reason.rs");
const KEYS: &str = include_str!("../../api/src/meta.rs");

/// What the first column of the table below a heading names.
fn rows(heading: &str) -> BTreeSet<&'static str> {
    let mut sections = PAGE.split("\n## ");
    let section = sections.find(|section| section.lines().next() == Some(heading));
    let lines = section.unwrap().lines();
    let names = lines.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    names.collect()
}

/// The texts in quotes that stand right behind a mark.
fn quoted(source: &'static str, mark: &str) -> BTreeSet<&'static str> {
    let behind = source.split(mark).skip(1);
    let texts = behind.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    texts.collect()
}

#[test]
fn the_page_of_signals_is_complete() {
    let metrics: BTreeSet<&str> = METRICS
        .iter()
        .flat_map(|source| quoted(source, "register("))
        .collect();
    let told: BTreeSet<&str> = rows("Metrics")
        .into_iter()
        .map(|name| name.strip_suffix("_total").unwrap_or(name))
        .collect();
    assert_eq!(told, metrics);
    assert_eq!(rows("Reasons"), quoted(REASONS, " ="));

    let constants = quoted(KEYS, "&str =");
    let is_key = |text: &&str| text.contains('/') || text.starts_with("finalizers.");
    let keys: BTreeSet<&str> = constants.iter().copied().filter(is_key).collect();
    assert_eq!(rows("Labels, annotations and finalizers"), keys);
    assert!(rows("Field managers").is_subset(&constants));
}
