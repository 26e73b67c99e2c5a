//! Every suite of the binary in one program: linking it is what costs.

mod artifact;
mod build_helm;
mod build_kustomization;
mod canary;
mod connect;
mod create;
mod create_secret;
mod create_tenant;
mod delete;
mod demo;
mod diff;
mod events;
mod export;
mod flux;
mod install;
mod kubectl;
mod logs;
mod looks;
mod panics;
mod real_server;
mod resume;
mod support;
mod usage;
