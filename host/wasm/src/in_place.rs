//! Native code that is part of this program runs where it lies.
//!
//! Wasmtime copies code that it loads from bytes: 18 MB for our own plugins, in every process and in every run of a command.
//! In place nothing is copied: a page is read when its code is first run, and all processes share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::CustomCodeMemory;
use wasmtime::component::Component;

/// What `builtin` aligns code to.
const PAGE_BYTES: usize = 4096;

/// What makes memory executable: that of the program itself, and that which wasmtime takes for code it compiles here.
pub(crate) fn code_memory() -> Arc<dyn CustomCodeMemory> {
    Arc::new(Pages)
}

/// Loads a component whose code lies in the program: once, and kept. Wasmtime knows code by its address, where it can be only once.
///
/// # Safety
/// The bytes are what wasmtime's own compiler made, unchanged: they are run.
#[allow(unsafe_code)]
pub(crate) unsafe fn load(engine: &wasmtime::Engine, code: &'static [u8]) -> wasmtime::Result<Component> {
    static LOADED: Mutex<BTreeMap<usize, Component>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let address = code.as_ptr().addr();
    if !address.is_multiple_of(PAGE_BYTES) {
        wasmtime::bail!("its code does not begin at a page: embed what `cargo xtask plugins` makes");
    }
    if let Some(component) = loaded.get(&address) {
        return Ok(component.clone());
    }
    // SAFETY: by this function's own contract the code is the compiler's; being static it stays, and nothing writes to it
    let component = unsafe { Component::deserialize_raw(engine, code.into())? };
    loaded.insert(address, component.clone());
    Ok(component)
}

struct Pages;

impl CustomCodeMemory for Pages {
    fn required_alignment(&self) -> usize {
        PAGE_BYTES
    }

    #[allow(unsafe_code)]
    fn publish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
        use rustix::mm::{MprotectFlags, mprotect};
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: wasmtime hands whole pages of its own compiler's code, which nothing writes to from here on
        unsafe { mprotect(start.cast_mut().cast(), length, flags)? };
        Ok(())
    }

    /// Code stays what it is, readable and executable, until its memory goes.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}
