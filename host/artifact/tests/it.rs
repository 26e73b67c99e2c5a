//! Every suite of artifacts in one program: linking it is what costs.

mod ambiguous;
mod answers;
mod hostile;
mod serving;
mod written;
