//! The flags that set values, and the files that they name.

use super::list;
use crate::tell::Original;
use clap::Args;
use sluice_wasm::{ValuesFile, ValuesSource};
use std::io::{ErrorKind, Read};

/// Later flags of one kind win over earlier ones; between the kinds the order is that of the fields.
#[derive(Args, Debug)]
pub(crate) struct Values {
    /// A file of values; - reads standard input
    #[arg(short = 'f', long = "values", value_name = "FILE", allow_hyphen_values = true)]
    files: Vec<String>,
    /// JSON values: key=json, or a whole object
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true)]
    set_json: Vec<String>,
    /// Values: key1=val1,key2=val2
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    set: Vec<String>,
    /// Values that are text whatever they look like
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true)]
    set_string: Vec<String>,
    /// Values that are the contents of files
    #[arg(long, value_name = "KEY=FILE", allow_hyphen_values = true)]
    set_file: Vec<String>,
    /// One value as it stands
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true)]
    set_literal: Vec<String>,
}

/// Files that cannot be read. That is told only when their turn comes, after the mistakes in what stands before them: the
/// renderer gets a source that names a file without bringing it, and what it says of that is replaced.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    /// What the renderer says of each, and what is to be said.
    files: Vec<(String, String)>,
}

impl Values {
    /// In the order in which the original merges them, with the files that they name.
    pub(super) fn read(&self) -> Result<(Vec<ValuesSource>, Unreadable), Original> {
        let mut sources = Vec::new();
        let mut unreadable = Unreadable::default();
        for name in list::items("-f, --values", &self.files)? {
            match file(&name) {
                Ok(file) => sources.push(ValuesSource::File(file)),
                Err(why) => {
                    // not under its own name, which may be empty: the renderer would take that for an empty text
                    unreadable.add(STAND_IN, why);
                    sources.push(ValuesSource::SetFile(format!("file={STAND_IN}"), vec![]));
                    // nothing behind it is looked at any more
                    return Ok((sources, unreadable));
                }
            }
        }
        sources.extend(self.set_json.iter().cloned().map(ValuesSource::SetJson));
        sources.extend(self.set.iter().cloned().map(ValuesSource::Set));
        sources.extend(self.set_string.iter().cloned().map(ValuesSource::SetString));
        for assignment in &self.set_file {
            let mut files = Vec::new();
            for name in named_files(assignment) {
                match file(&name) {
                    Ok(file) => files.push(file),
                    Err(why) => unreadable.add(&name, format!("{SET_FILE}{why}")),
                }
            }
            sources.push(ValuesSource::SetFile(assignment.clone(), files));
        }
        sources.extend(self.set_literal.iter().cloned().map(ValuesSource::SetLiteral));
        Ok((sources, unreadable))
    }
}

impl Unreadable {
    fn add(&mut self, name: &str, meant: String) {
        let told = format!("{SET_FILE}open {name}: no such file or directory");
        self.files.push((told, meant));
    }

    /// What is to be said where the renderer says `text`.
    pub(super) fn meant(&self, text: String) -> String {
        let mut files = self.files.iter();
        match files.find(|(told, _)| *told == text) {
            Some((_, meant)) => meant.clone(),
            None => text,
        }
    }
}

/// What a file of values that cannot be read is called before the renderer.
const STAND_IN: &str = "values";

/// How the renderer begins what it says of a file that it was not given.
const SET_FILE: &str = "failed parsing --set-file data: ";

/// The files that an assignment of `--set-file` names: behind each `=` one up to a comma, or several in braces. A backslash
/// takes the next character as it is.
fn named_files(assignment: &str) -> Vec<String> {
    let mut rest = assignment.chars();
    let mut names = Vec::new();
    loop {
        if until(&mut rest, &['=', ',']).1 != Some('=') {
            return names;
        }
        if let Some(list) = rest.as_str().strip_prefix('{') {
            rest = list.chars();
            loop {
                let (name, stop) = until(&mut rest, &[',', '}']);
                names.push(name);
                match stop {
                    Some(',') => {}
                    Some(_) => break,
                    None => return names,
                }
            }
            if let Some(next) = rest.as_str().strip_prefix(',') {
                rest = next.chars();
            }
        } else {
            let (name, stop) = until(&mut rest, &[',']);
            names.push(name);
            if stop.is_none() {
                return names;
            }
        }
    }
}

/// The text up to one of `stops`, which is taken too.
fn until(rest: &mut std::str::Chars<'_>, stops: &[char]) -> (String, Option<char>) {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '\\' => text.extend(rest.next()),
            stop if stops.contains(&stop) => return (text, Some(stop)),
            other => text.push(other),
        }
    }
    (text, None)
}

/// Reads a file; the error is in the original's words.
fn file(name: &str) -> Result<ValuesFile, String> {
    let content = if name.trim() == "-" {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(name)
    };
    let content = content.map_err(|error| {
        // a directory can be opened, and is no file only when it is read
        let step = match error.kind() {
            ErrorKind::IsADirectory => "read",
            _ => "open",
        };
        let why = error.to_string();
        let why = why.split(" (os error").next().unwrap_or_default().to_lowercase();
        format!("{step} {name}: {why}")
    })?;
    Ok(ValuesFile {
        name: name.to_owned(),
        content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_as_the_parser_of_assignments_finds_them() {
        assert_eq!(named_files("a=f.txt"), ["f.txt"]);
        assert_eq!(named_files("a=one,b.c[0]=two=2"), ["one", "two=2"]);
        assert_eq!(named_files(r"a\=b=f\.txt"), ["f.txt"]);
        assert_eq!(named_files(r"a=a\,b.txt,c=d"), ["a,b.txt", "d"]);
        assert_eq!(named_files("a={f1.txt,f2.txt},b=c"), ["f1.txt", "f2.txt", "c"]);
        assert_eq!(named_files("a={f1.txt"), ["f1.txt"]);
        assert_eq!(named_files("a,b=c"), Vec::<String>::new());
        assert_eq!(named_files("a="), [""]);
    }

    #[test]
    fn a_file_that_cannot_be_read_waits_for_its_turn() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = folder.path().to_str().expect("text").to_owned();
        let is_directory = format!("read {directory}: is a directory");
        for (files, why) in [
            (
                vec![directory, "never-looked-at".to_owned()],
                is_directory.as_str(),
            ),
            (vec![",".to_owned()], "open : no such file or directory"),
        ] {
            let values = Values {
                files,
                set_json: vec![],
                set: vec!["a=1".to_owned()],
                set_string: vec![],
                set_file: vec![],
                set_literal: vec![],
            };
            let (sources, unreadable) = values.read().expect("sources");
            assert!(matches!(
                sources.as_slice(),
                [ValuesSource::SetFile(assignment, brought)] if assignment == "file=values" && brought.is_empty()
            ));
            let told = "failed parsing --set-file data: open values: no such file or directory";
            assert_eq!(unreadable.meant(told.to_owned()), why);
            assert_eq!(unreadable.meant("else".to_owned()), "else");
        }
    }
}
