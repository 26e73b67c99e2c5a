//! Asks whoever sits at the terminal whether to go on.

use anyhow::{Result, ensure};
use std::io::Write as _;

/// Asks a question that is answered with y, and with anything else, or nothing, is not.
pub(crate) fn confirm(question: &str) -> bool {
    let mut told = std::io::stderr().lock();
    // who cannot be asked does not answer
    let asked = write!(told, "{question}? [y/N] ").and_then(|()| told.flush());
    let mut answer = String::new();
    let heard = asked.and_then(|()| std::io::stdin().read_line(&mut answer));
    heard.is_ok() && is_yes(&answer)
}

/// The same of a command that ends with a no, unless it was told by `--silent` not to ask.
pub(crate) fn confirm_or_abort(question: &str) -> Result<()> {
    ensure!(confirm(question), "aborting; --silent goes on without asking");
    Ok(())
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim(), "y" | "Y")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes("Y"));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("n\n") && !is_yes("yes, but\n"));
    }
}
