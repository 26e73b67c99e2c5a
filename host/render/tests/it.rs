//! Every suite of rendering in one program: linking it is what costs.

mod charts;
mod generate;
mod memo;
