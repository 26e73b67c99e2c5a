//! The plugin SDK for Rust.
