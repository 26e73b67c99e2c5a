//! Every suite of the plugin in one program: linking it is what costs.

mod corpus;
mod expressions;
mod golden;
mod laws;
mod paths;
mod tree;
