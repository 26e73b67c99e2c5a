//! What a plugin says about itself, taken from its code once, at build time, and kept in sections of the component.

use crate::binary::{MIN_HOST_SECTION, SCHEMA_SECTION};
use serde_json::Value;
use wasmtime::{Engine, Linker, Module, Store};

/// The function that `sluice_sdk::export!` adds: it answers the address and size of a JSON text.
const DESCRIBE: &str = "sluice_describe";

/// Runs the description of a core module and adds it to the component that was made from it, as the sections
/// `sluice:config-schema` and `sluice:min-host`. A module without one stays as it is.
pub fn describe(core: &[u8], component: &[u8]) -> Result<Vec<u8>, String> {
    let Some(description) = description(core).map_err(|error| format!("{error:#}"))? else {
        return Ok(component.to_vec());
    };
    let description: Value = serde_json::from_str(&description)
        .map_err(|error| format!("the description is not JSON: {error}"))?;
    let mut component = component.to_vec();
    if let Some(schema) = description.get("configSchema") {
        append_section(&mut component, SCHEMA_SECTION, schema.to_string().as_bytes());
    }
    if let Some(min_host) = description.get("minHost").and_then(Value::as_str) {
        append_section(&mut component, MIN_HOST_SECTION, min_host.as_bytes());
    }
    Ok(component)
}

/// The function runs alone: its imports trap, so it can say nothing but what is compiled in.
fn description(core: &[u8]) -> wasmtime::Result<Option<String>> {
    let engine = Engine::default();
    let module = Module::new(&engine, core)?;
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&module)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let Some(function) = instance.get_func(&mut store, DESCRIBE) else {
        return Ok(None);
    };
    let packed = function
        .typed::<(), i64>(&store)?
        .call(&mut store, ())?
        .cast_unsigned();
    let (address, size) = ((packed >> 32) as usize, (packed & 0xffff_ffff) as usize);
    let memory = instance.get_memory(&mut store, "memory");
    let bytes = memory.and_then(|memory| memory.data(&store).get(address..address.checked_add(size)?));
    let bytes = bytes.ok_or_else(|| wasmtime::Error::msg("the description lies outside of the memory"))?;
    Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
}

/// A custom section: id 0, size, name with its size, bytes.
fn append_section(component: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let mut content = Vec::with_capacity(bytes.len() + name.len() + 5);
    leb128(&mut content, name.len());
    content.extend(name.as_bytes());
    content.extend(bytes);
    component.push(0);
    leb128(component, content.len());
    component.extend(content);
}

fn leb128(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
