//! `.sourceignore` and `--ignore-paths`: what a local build looks past, since nobody packed its files before.

use anyhow::Result;
use sluice_artifact::{Digest, EntryType, Tree};
use sluice_render::Ignore;
use sluice_source::ignore::{IGNORE_FILE, IGNORE_FILE_SIZE_MAX, Pattern, Rules, parse};

/// The rules for the directory `path` of a tree: the ignore files in and below it, then the patterns of the command line.
pub(super) fn rules(tree: &dyn Tree, path: &str, patterns: &[String]) -> Result<Ignore> {
    let mut all = Vec::new();
    read_files(tree, path, &mut all)?;
    all.extend(parse(&patterns.join("\n"), &names(path)));
    let rules = Rules::beside_defaults(all, &names(path));
    let fingerprint = Digest::from(rules.fingerprint()).to_hex();
    Ok(Ignore::new(fingerprint, move |path, is_directory| {
        rules.excludes(&names(path), is_directory)
    }))
}

fn read_files(tree: &dyn Tree, directory: &str, patterns: &mut Vec<Pattern>) -> Result<()> {
    let entries = tree.read_dir(directory)?;
    let is_file = |entry: &&sluice_artifact::Entry| {
        entry.entry_type == EntryType::File && names(&entry.path).last() == Some(&IGNORE_FILE)
    };
    if let Some(entry) = entries.iter().find(is_file) {
        let bytes = tree.read(&entry.path)?;
        anyhow::ensure!(
            bytes.len() as u64 <= IGNORE_FILE_SIZE_MAX,
            "{} is larger than {IGNORE_FILE_SIZE_MAX} bytes",
            entry.path
        );
        patterns.extend(parse(&String::from_utf8_lossy(&bytes), &names(directory)));
    }
    for entry in entries
        .iter()
        .filter(|entry| entry.entry_type == EntryType::Directory)
    {
        let is_git = names(&entry.path).last() == Some(&".git");
        let rules = Rules::only(patterns.clone());
        if !is_git && !rules.excludes(&names(&entry.path), true) {
            read_files(tree, &entry.path, patterns)?;
        }
    }
    Ok(())
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_artifact::MemoryTree;

    #[test]
    fn files_and_patterns_join() {
        let files = [
            ("/app/.sourceignore", "secret.yaml\n"),
            ("/app/sub/.sourceignore", "/only-here.yaml\n"),
            ("/app/sub/a.yaml", ""),
        ];
        let mut tree = MemoryTree::new();
        for (path, text) in files {
            tree.add_file(path, text.as_bytes(), false).unwrap();
        }
        let ignore = rules(
            &tree,
            "/app",
            &["/extra/**/*.yaml".to_owned(), "drop.yaml".to_owned()],
        )
        .unwrap();
        for (path, expected) in [
            ("/app/secret.yaml", true),
            ("/app/deep/secret.yaml", true),
            ("/app/sub/only-here.yaml", true),
            ("/app/only-here.yaml", false),
            ("/app/extra/a/b.yaml", true),
            ("/app/drop.yaml", true),
            ("/app/.travis.yml", true),
            ("/app/web.yaml", false),
        ] {
            assert_eq!(ignore.is_ignored(path, false), expected, "{path}");
        }
    }
}
