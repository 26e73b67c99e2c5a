//! Writes the CustomResourceDefinitions into a folder: `cargo run -p sluice-api --example crdgen -- deploy/base/crds`.
//! `cargo xtask codegen` calls it; it is a program of its own so that the build system need not be built with the API.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("deploy/base/crds"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for (name, text) in sluice_api::crd::files() {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
