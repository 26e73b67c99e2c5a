//! Makes a finished plugin of a core module and its component: adds what it says about itself, compiles it ahead of time.
//! `cargo xtask plugins` runs it; nobody else does.
//!
//! `sluice-precompile CORE.wasm COMPONENT.wasm OUT.wasm OUT.cwasm`

use std::fs;

fn main() -> Result<(), String> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [core, component, finished, code] = paths.as_slice() else {
        return Err("usage: sluice-precompile CORE.wasm COMPONENT.wasm OUT.wasm OUT.cwasm".to_owned());
    };
    let read = |path: &String| fs::read(path).map_err(|error| format!("{path}: {error}"));
    let write =
        |path: &String, bytes: &[u8]| fs::write(path, bytes).map_err(|error| format!("{path}: {error}"));
    let component = sluice_wasm::describe(&read(core)?, &read(component)?)?;
    write(finished, &component)?;
    write(code, &sluice_wasm::precompile(&component)?)
}
