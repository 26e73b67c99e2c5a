//! `cargo xtask codegen [PART…] [--check]`: writes what is generated; `--check` only compares, and names what is stale.
//!
//! | part | from | to |
//! |---|---|---|
//! | `openapi` | a real API server | `host/schema/data/openapi` |
//! | `schema` | `host/schema/data/openapi` | `host/schema/data/current`, `host/schema/src/current/embedded.rs` |
//! | `crds` | the types in `host/api` | `deploy/base/crds` |
//!
//! Without a part: `schema` and `crds`, and with `--check` all three.

mod crds;
mod schema;

use crate::cluster;
use anyhow::{Result, bail};

/// A part, in the order in which one feeds the next; `true` only compares.
type Part = (&'static str, fn(bool) -> Result<()>);

const PARTS: &[Part] = &[("openapi", openapi), ("schema", schema::run), ("crds", crds::run)];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (check, names): (Vec<&str>, Vec<&str>) =
        args.iter().map(String::as_str).partition(|arg| *arg == "--check");
    let is_check = !check.is_empty();
    if let Some(other) = names
        .iter()
        .find(|name| !PARTS.iter().any(|(part, _)| part == *name))
    {
        bail!(
            "`{other}` is nothing to generate: write `cargo xtask codegen [openapi|schema|crds] [--check]`"
        );
    }
    for (name, part) in PARTS {
        // recording starts a server: only where it was asked for
        let is_default = names.is_empty() && (is_check || *name != "openapi");
        if is_default || names.contains(name) {
            part(is_check)?;
        }
    }
    Ok(())
}

fn openapi(is_check: bool) -> Result<()> {
    if cluster::available() {
        return cluster::record_openapi(is_check);
    }
    println!("SKIPPED: codegen openapi: no Go 1.26 and no KUBEBUILDER_ASSETS: no real API server to ask");
    Ok(())
}
