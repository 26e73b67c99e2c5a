use std::fmt;

/// The formats SOPS writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Any bytes, in a JSON envelope.
    Binary,
    /// `KEY=value` lines.
    Dotenv,
    /// Sections of `key = value`.
    Ini,
    /// JSON.
    Json,
    /// YAML, several documents allowed.
    Yaml,
}

impl Format {
    /// By the end of a file's name, as SOPS and Flux tell them apart.
    pub fn of_path(path: &str) -> Self {
        let has = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
        if has(&[".dockerconfigjson", ".json"]) {
            Self::Json
        } else if has(&[".yaml", ".yml"]) {
            Self::Yaml
        } else if has(&[".env"]) {
            Self::Dotenv
        } else if has(&[".ini"]) {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// Bytes that every encrypted file of the format contains.
    pub const fn marker(self) -> &'static [u8] {
        match self {
            Self::Binary | Self::Json => b"\"mac\": \"ENC[",
            Self::Dotenv => b"sops_mac=ENC[",
            Self::Ini => b"[sops]",
            Self::Yaml => b"mac: ENC[",
        }
    }

    /// Whether these bytes are an encrypted file of this format.
    pub fn is_in(self, data: &[u8]) -> bool {
        let marker = self.marker();
        data.windows(marker.len()).any(|window| window == marker)
    }

    /// The format of an encrypted value of a Secret; none where it is not encrypted.
    pub fn detect(data: &[u8]) -> Option<Self> {
        [Self::Binary, Self::Dotenv, Self::Ini, Self::Yaml]
            .into_iter()
            .find(|format| format.is_in(data))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
            Self::Dotenv => "dotenv",
            Self::Ini => "INI",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}
