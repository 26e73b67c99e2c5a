//! Every suite of the plugin in one program: linking it is what costs. `umbrella.rs` alone is a program of its own.

mod cases;
mod charts;
mod corpus;
mod functions;
mod hostile;
mod language;
mod lookup;
mod mutations;
mod printf;
mod reading;
mod robust;
mod snippets;
mod values;
