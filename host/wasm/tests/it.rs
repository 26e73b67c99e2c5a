//! Every suite of the sandbox in one program: linking it is what costs. `memory.rs` alone is a program of its own.

mod closure;
mod loading;
mod misbehavior;
mod roles;
mod support;
mod wasi;
