//! From values to text.

mod analysis;
mod v2;
mod v3;
mod writer;

pub use v2::{PrinterV2, emit_v2, emit_v2_node, emit_v2_node_into, print_v2};
pub use v3::{EmitV3, emit_v3};
