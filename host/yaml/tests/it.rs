//! Every suite of YAML in one program: linking it is what costs.

mod comments;
mod corpus;
mod decode;
mod errors;
mod limits;
mod numbers;
mod oracle;
