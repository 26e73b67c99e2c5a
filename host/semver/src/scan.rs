//! The pieces both grammars are made of. A piece is always as long as it can be: no shorter one could be followed by what may follow.

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a str,
}

/// The parts of a version or of a bound, as they are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) text: &'a str,
    pub(crate) major: &'a str,
    pub(crate) minor: &'a str,
    pub(crate) patch: &'a str,
    pub(crate) prerelease: &'a str,
    pub(crate) metadata: &'a str,
}

/// Which characters may stand for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    Digits,
    /// Digits and wildcards; the original's character class has a `|` in it.
    Wildcards,
}

impl Numbers {
    fn admit(self, byte: u8) -> bool {
        byte.is_ascii_digit() || self == Numbers::Wildcards && matches!(byte, b'x' | b'X' | b'*' | b'|')
    }
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Scanner { rest: text }
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes one of the given texts, the first that fits.
    pub(crate) fn take(&mut self, texts: &[&'static str]) -> Option<&'static str> {
        texts
            .iter()
            .copied()
            .find(|text| match self.rest.strip_prefix(text) {
                Some(rest) => {
                    self.rest = rest;
                    true
                }
                None => false,
            })
    }

    /// Takes blanks; whether there were any.
    pub(crate) fn skip_blanks(&mut self) -> bool {
        !self
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C))
            .is_empty()
    }

    fn take_while(&mut self, admits: impl Fn(u8) -> bool) -> &'a str {
        let length = self.rest.bytes().take_while(|byte| admits(*byte)).count();
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Takes `v1.2.3-pre+meta`, of which all but the first number may be missing.
    pub(crate) fn parts(&mut self, numbers: Numbers) -> Option<Parts<'a>> {
        let start = *self;
        self.take(&["v"]);
        let major = self.take_while(|byte| numbers.admit(byte));
        if major.is_empty() {
            *self = start;
            return None;
        }
        let minor = self.further_number(numbers);
        let patch = if minor.is_empty() {
            ""
        } else {
            self.further_number(numbers)
        };
        let prerelease = self.identifiers("-");
        let metadata = self.identifiers("+");
        let length = start.rest.len() - self.rest.len();
        Some(Parts {
            text: start.rest.get(..length).unwrap_or_default(),
            major,
            minor,
            patch,
            prerelease,
            metadata,
        })
    }

    fn further_number(&mut self, numbers: Numbers) -> &'a str {
        let start = *self;
        if self.take(&["."]).is_some() {
            let number = self.take_while(|byte| numbers.admit(byte));
            if !number.is_empty() {
                return number;
            }
        }
        *self = start;
        ""
    }

    /// Takes dot-separated identifiers after a mark.
    fn identifiers(&mut self, mark: &'static str) -> &'a str {
        let start = *self;
        if self.take(&[mark]).is_none() {
            return "";
        }
        let first = self.rest;
        let is_identifier = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.take_while(is_identifier).is_empty() {
            *self = start;
            return "";
        }
        loop {
            let before_dot = *self;
            if self.take(&["."]).is_none() || self.take_while(is_identifier).is_empty() {
                *self = before_dot;
                return first.get(..first.len() - self.rest.len()).unwrap_or_default();
            }
        }
    }

    /// Leaves out one character.
    pub(crate) fn advance(&mut self) -> bool {
        let mut chars = self.rest.chars();
        let advanced = chars.next().is_some();
        self.rest = chars.as_str();
        advanced
    }
}
