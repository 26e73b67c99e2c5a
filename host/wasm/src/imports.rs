//! Which imports a component may have. Checked by name before anything of it runs.

use crate::LoadError;
use crate::host::{CONTRACT_VERSION, OFFERED};

/// The packages of WASI 0.2 that are linked hollow: see [`crate::hollow`].
const HOLLOW: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// What an import is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// Part of the contract.
    Contract,
    /// WASI, which is linked with nothing behind it.
    Hollow,
}

/// Sorts one import, or says why it is refused. `name` is what the component spells: `sluice:host/tree@0.1.0`.
pub(crate) fn check(plugin: &str, name: &str) -> Result<Import, LoadError> {
    let refuse = |why: String| {
        Err(LoadError::ForbiddenImport {
            plugin: plugin.to_owned(),
            import: name.to_owned(),
            why,
        })
    };
    let (path, version) = name.split_once('@').unwrap_or((name, ""));
    let (namespace, rest) = path.split_once(':').unwrap_or(("", path));
    let (package, interface) = rest.split_once('/').unwrap_or((rest, ""));
    match (namespace, package) {
        ("sluice", "types") | ("sluice", "host") if version != CONTRACT_VERSION && is_ours(package, interface) => {
            refuse(format!(
                "which this host offers as {CONTRACT_VERSION} only. Rebuild it with the sluice-sdk of this release, or upgrade sluice"
            ))
        }
        ("sluice", "types") => Ok(Import::Contract),
        // answers nothing but what the call's identity may read, so it needs no grant
        ("sluice", "chart") if interface == "lookup" && version == CONTRACT_VERSION => Ok(Import::Contract),
        ("sluice", "host") if OFFERED.contains(&interface) => Ok(Import::Contract),
        ("sluice", "host") => refuse(format!(
            "which is not granted and which this host does not offer: it offers {}. Use a version without it, or upgrade sluice",
            OFFERED.map(|interface| format!("sluice:host/{interface}")).join(", ")
        )),
        ("wasi", "http") => refuse(
            "and no plugin speaks HTTP: roles are pure functions, the host does the IO. Build it without an HTTP client".to_owned(),
        ),
        ("wasi", package) if HOLLOW.contains(&package) && version.starts_with("0.2.") => Ok(Import::Hollow),
        ("wasi", package) if HOLLOW.contains(&package) => {
            refuse("and only WASI 0.2 is accepted. Build it with a toolchain for wasm32-wasip2".to_owned())
        }
        _ => refuse(
            "which no plugin gets: only sluice:types, sluice:host and the hollow parts of WASI 0.2 are linked. Build it without it".to_owned(),
        ),
    }
}

fn is_ours(package: &str, interface: &str) -> bool {
    package == "types" || OFFERED.contains(&interface)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check_text(name: &str, expected: &Expect) {
        let text = match check("team-label", name) {
            Ok(import) => format!("{import:?}"),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&text);
    }

    /// The golden list (N44): what a guest gets, and in which words it is refused the rest.
    #[test]
    fn imports_are_sorted_by_name() {
        for name in [
            "sluice:host/tree@0.1.0",
            "sluice:host/revision@0.1.0",
            "sluice:host/log@0.1.0",
            "sluice:types/objects@0.1.0",
            "sluice:chart/lookup@0.1.0",
        ] {
            check_text(name, &expect!["Contract"]);
        }
        for name in [
            "wasi:cli/environment@0.2.6",
            "wasi:sockets/tcp@0.2.0",
            "wasi:random/random@0.2.3",
        ] {
            check_text(name, &expect!["Hollow"]);
        }
        for (name, expected) in [
            (
                "sluice:host/http@0.1.0",
                expect![
                    "Plugin/team-label: imports sluice:host/http@0.1.0, which is not granted and which this host does not offer: it offers sluice:host/tree, sluice:host/revision, sluice:host/log. Use a version without it, or upgrade sluice"
                ],
            ),
            (
                "sluice:host/tree@0.2.0",
                expect![
                    "Plugin/team-label: imports sluice:host/tree@0.2.0, which this host offers as 0.1.0 only. Rebuild it with the sluice-sdk of this release, or upgrade sluice"
                ],
            ),
            (
                "wasi:http/outgoing-handler@0.2.0",
                expect![
                    "Plugin/team-label: imports wasi:http/outgoing-handler@0.2.0, and no plugin speaks HTTP: roles are pure functions, the host does the IO. Build it without an HTTP client"
                ],
            ),
            (
                "wasi:sockets/types@0.3.0",
                expect![
                    "Plugin/team-label: imports wasi:sockets/types@0.3.0, and only WASI 0.2 is accepted. Build it with a toolchain for wasm32-wasip2"
                ],
            ),
            (
                "wasi:keyvalue/store@0.2.0",
                expect![
                    "Plugin/team-label: imports wasi:keyvalue/store@0.2.0, which no plugin gets: only sluice:types, sluice:host and the hollow parts of WASI 0.2 are linked. Build it without it"
                ],
            ),
            (
                "env",
                expect![
                    "Plugin/team-label: imports env, which no plugin gets: only sluice:types, sluice:host and the hollow parts of WASI 0.2 are linked. Build it without it"
                ],
            ),
        ] {
            check_text(name, &expected);
        }
    }
}
