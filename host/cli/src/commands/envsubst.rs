//! `sluice envsubst`: variables of the environment in a text, line by line, as `postBuild` replaces them (compat: cli,
//! section 13).

use crate::tell;
use anyhow::{Context as _, Result, bail};
use clap::Args;
use sluice_envsubst::{Undefined, Variables, expand};
use std::io::{BufRead, Read as _};

/// The longest line, in bytes: as long as a result may be.
const LINE_BYTES_MAX: usize = 4 << 20;

/// Bytes that are gathered before they are written.
const GATHERED_BYTES: usize = 1 << 16;

#[derive(Args, Debug)]
pub(crate) struct Envsubst {
    /// Fail where a variable has neither a value nor a default
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(envsubst: &Envsubst) -> Result<()> {
    // a name or a value that is no text is nobody's who writes YAML
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let undefined = match envsubst.strict {
        true => Undefined::Fails,
        false => Undefined::IsEmpty,
    };
    replace(
        std::io::stdin().lock(),
        &variables.collect(),
        undefined,
        tell::print_on,
    )
}

/// Writes the lines before one that fails, and ends where nobody reads them.
fn replace(
    mut input: impl BufRead,
    variables: &Variables,
    undefined: Undefined,
    mut write: impl FnMut(&str) -> Result<bool>,
) -> Result<()> {
    let (mut line, mut gathered) = (Vec::new(), String::new());
    loop {
        let replaced = match next(&mut input, &mut line) {
            Ok(Some(text)) => expand(text, variables, undefined).map_err(anyhow::Error::new),
            Ok(None) => return write(&gathered).map(|_| ()),
            Err(error) => Err(error),
        };
        match replaced {
            Ok(text) => {
                gathered.push_str(&text);
                gathered.push('\n');
            }
            Err(error) => {
                write(&gathered)?;
                return Err(error);
            }
        }
        if gathered.len() >= GATHERED_BYTES {
            if !write(&gathered)? {
                return Ok(());
            }
            gathered.clear();
        }
    }
}

/// The next line without its end; none where there is no more.
fn next<'a>(input: &mut impl BufRead, line: &'a mut Vec<u8>) -> Result<Option<&'a str>> {
    line.clear();
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let read = input
        .by_ref()
        .take(limit.saturating_add(1))
        .read_until(b'\n', line);
    if read.context("reading standard input")? == 0 {
        return Ok(None);
    }
    let whole: &[u8] = line;
    let text = whole.strip_suffix(b"\n").unwrap_or(whole);
    if text.len() > LINE_BYTES_MAX {
        bail!("a line of standard input has more than {LINE_BYTES_MAX} bytes");
    }
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let text = std::str::from_utf8(text).context("a line of standard input is no text")?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(input: &[u8], undefined: Undefined) -> (String, Result<(), String>) {
        let variables = [("region", "eu"), ("two", "a\nb")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut written = String::new();
        let done = replace(input, &variables.into(), undefined, |text| {
            written.push_str(text);
            Ok(true)
        });
        (written, done.map_err(|error| error.to_string()))
    }

    #[test]
    fn lines_are_replaced_one_by_one() {
        let lenient = |input: &[u8]| replaced(input, Undefined::IsEmpty);
        assert_eq!(
            lenient(b"a: ${region}\r\n\nb: ${none:=x}${none}\nc: $region ${two}"),
            ("a: eu\n\nb: x\nc: $region a\nb\n".to_owned(), Ok(()))
        );
        assert_eq!(lenient(b""), (String::new(), Ok(())));
        // an expression does not go on in the next line
        let (written, done) = lenient(b"a\n${region\n}");
        assert_eq!(written, "a\n");
        assert_eq!(done, Err("missing closing brace".to_owned()));
        let (written, done) = lenient(b"a\n\xff\n");
        assert_eq!(written, "a\n");
        assert_eq!(done, Err("a line of standard input is no text".to_owned()));
    }

    #[test]
    fn what_is_not_set_fails_where_that_is_asked_for() {
        assert_eq!(
            replaced(b"a\n${region}\n${none}\nb\n", Undefined::Fails),
            (
                "a\neu\n".to_owned(),
                Err("variable not set (strict mode): \"none\"".to_owned())
            )
        );
    }

    #[test]
    fn lines_have_an_end() {
        let long = vec![b'a'; LINE_BYTES_MAX + 1];
        let (_, done) = replaced(&long, Undefined::IsEmpty);
        assert!(done.unwrap_err().contains("more than 4194304 bytes"));
    }
}
