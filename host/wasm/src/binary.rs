//! What can be told from the bytes of a component, before it is compiled.

use crate::LoadError;
use wasmparser::{CanonicalFunction, CanonicalOption, Encoding, Parser, Payload};

/// The largest component that is loaded, in bytes: language runtimes take 10 MiB, compiling takes ten times its size.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// The section with the JSON Schema of the plugin's configuration.
pub(crate) const SCHEMA_SECTION: &str = "sluice:config-schema";
/// The section with the oldest host that the plugin runs on.
pub(crate) const MIN_HOST_SECTION: &str = "sluice:min-host";

/// What a component says about itself without being run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The JSON Schema of its configuration.
    pub config_schema: Option<String>,
    /// The oldest host that it runs on: `0.1.0`.
    pub min_host: Option<String>,
}

/// Checks what can be checked without compiling: that it is a component, that its strings are UTF-8 (N38), that this
/// host is new enough.
pub(crate) fn inspect(plugin: &str, bytes: &[u8]) -> Result<Metadata, LoadError> {
    let not_a_component = |what: String| LoadError::NotAComponent {
        plugin: plugin.to_owned(),
        what,
    };
    let size = bytes.len() as u64;
    if size > COMPONENT_BYTES_MAX {
        return Err(LoadError::TooLarge {
            plugin: plugin.to_owned(),
            size,
            allowed: COMPONENT_BYTES_MAX,
        });
    }
    if !bytes.starts_with(b"\0asm") {
        let looks_like = if bytes.trim_ascii_start().starts_with(b"<") {
            "HTML or XML"
        } else {
            "something else"
        };
        return Err(not_a_component(format!(
            "is no WebAssembly but {looks_like}. Check the reference it was pulled from"
        )));
    }
    let mut metadata = Metadata::default();
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| not_a_component(format!("is damaged: {error}")))? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                return Err(not_a_component(
                    "is a core module, not a component. Build it with `sluice plugin build`, or wrap it with `wasm-tools component new`"
                        .to_owned(),
                ));
            }
            Payload::Version { .. } => depth += 1,
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    let function =
                        function.map_err(|error| not_a_component(format!("is damaged: {error}")))?;
                    if let Some(encoding) = foreign_encoding(&function) {
                        return Err(LoadError::ForeignEncoding {
                            plugin: plugin.to_owned(),
                            encoding,
                        });
                    }
                }
            }
            Payload::CustomSection(section) => {
                let text = || String::from_utf8_lossy(section.data()).into_owned();
                match section.name() {
                    SCHEMA_SECTION => metadata.config_schema = Some(text()),
                    MIN_HOST_SECTION => metadata.min_host = Some(text()),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    check_min_host(plugin, metadata.min_host.as_deref())?;
    Ok(metadata)
}

fn foreign_encoding(function: &CanonicalFunction) -> Option<&'static str> {
    let options = match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => options,
        _ => return None,
    };
    options.iter().find_map(|option| match option {
        CanonicalOption::UTF16 => Some("UTF-16"),
        CanonicalOption::CompactUTF16 => Some("Latin-1 or UTF-16"),
        _ => None,
    })
}

fn check_min_host(plugin: &str, wanted: Option<&str>) -> Result<(), LoadError> {
    let offered = env!("CARGO_PKG_VERSION");
    let Some(wanted) = wanted else { return Ok(()) };
    if numbers(wanted) <= numbers(offered) {
        return Ok(());
    }
    Err(LoadError::NeedsNewerHost {
        plugin: plugin.to_owned(),
        wanted: wanted.to_owned(),
        offered: offered.to_owned(),
    })
}

/// `1.2.3-rc.1` as its three numbers; what is no number counts as 0.
fn numbers(version: &str) -> [u64; 3] {
    let mut numbers = version
        .split(['.', '-', '+'])
        .map(|part| part.trim().parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}
