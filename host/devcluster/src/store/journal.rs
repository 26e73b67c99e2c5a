use super::{Change, ChangeKind, Key};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// After this many appended changes the log is folded into a snapshot: it bounds both the file and the time of a restart.
const CHANGES_PER_SNAPSHOT: usize = 20_000;

/// What a journal held when it was opened.
type State = (u64, Vec<(String, Value)>);

/// The objects on disk: a snapshot and the changes since. A torn last line (the process died while writing it) is ignored.
pub(crate) struct Journal {
    folder: PathBuf,
    log: File,
    appended: usize,
    state: State,
}

impl Journal {
    /// Opens or makes the journal of `folder`.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let state = read_state(folder)?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("changes.jsonl"))?;
        let mut journal = Self {
            folder: folder.to_owned(),
            log,
            appended: 0,
            state,
        };
        let objects: Vec<(String, Arc<Value>)> = journal
            .state
            .1
            .iter()
            .map(|(table, object)| (table.clone(), Arc::new(object.clone())))
            .collect();
        // starting from a fresh snapshot also drops a torn line, so that nothing is ever appended behind it
        journal.write_snapshot(journal.state.0, &objects)?;
        Ok(journal)
    }

    pub(super) fn take_state(&mut self) -> State {
        std::mem::take(&mut self.state)
    }

    pub(super) fn append(&mut self, change: &Change) {
        let line = match change.kind {
            ChangeKind::Deleted => json!({"rv": change.revision, "table": change.table,
                "delete": [change.key.namespace, change.key.name]}),
            _ => json!({"rv": change.revision, "table": change.table, "put": *change.object}),
        };
        self.appended += 1;
        if let Err(error) = writeln!(self.log, "{line}") {
            tracing::error!(%error, folder = %self.folder.display(), "state could not be written; a restart will not see this change");
        }
    }

    pub(super) fn wants_snapshot(&self) -> bool {
        self.appended >= CHANGES_PER_SNAPSHOT
    }

    pub(super) fn snapshot(&mut self, revision: u64, objects: &[(String, Arc<Value>)]) {
        if let Err(error) = self.write_snapshot(revision, objects) {
            tracing::error!(%error, folder = %self.folder.display(), "snapshot could not be written; the log is kept");
        }
    }

    /// The snapshot is complete on disk before the log is emptied; replaying a log that the snapshot already holds is harmless.
    fn write_snapshot(&mut self, revision: u64, objects: &[(String, Arc<Value>)]) -> io::Result<()> {
        let (partial, complete) = (
            self.folder.join("snapshot.jsonl.partial"),
            self.folder.join("snapshot.jsonl"),
        );
        let mut file = io::BufWriter::new(File::create(&partial)?);
        writeln!(file, "{}", json!({"rv": revision}))?;
        for (table, object) in objects {
            writeln!(file, "{}", json!({"table": table, "put": **object}))?;
        }
        writeln!(file, "{}", json!({"end": objects.len()}))?;
        file.into_inner()
            .map_err(|error| error.into_error())?
            .sync_all()?;
        std::fs::rename(&partial, &complete)?;
        self.log.set_len(0)?;
        self.appended = 0;
        Ok(())
    }
}

fn read_state(folder: &Path) -> io::Result<State> {
    let mut revision = 1;
    let mut objects: HashMap<(String, Key), Value> = HashMap::new();
    for file in ["snapshot.jsonl", "changes.jsonl"] {
        let file = match File::open(folder.join(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        // a torn line may end within a character
        for line in BufReader::new(file).split(b'\n') {
            let Ok(mut entry) = serde_json::from_slice::<Value>(&line?) else {
                break;
            };
            let seen = entry.get("rv").and_then(Value::as_u64).unwrap_or_default();
            revision = revision.max(seen);
            let table = entry
                .get("table")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            if let Some(object) = entry.get_mut("put") {
                let object = object.take();
                objects.insert((table, Key::of(&object)), object);
            } else if let Some(Value::Array(key)) = entry.get("delete") {
                let part = |index: usize| key.get(index).and_then(Value::as_str).unwrap_or_default();
                objects.remove(&(table, Key::new(part(0), part(1))));
            }
        }
    }
    Ok((
        revision,
        objects
            .into_iter()
            .map(|((table, _), object)| (table, object))
            .collect(),
    ))
}
