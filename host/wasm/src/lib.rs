//! The sandbox: wasmtime behind role traits.
