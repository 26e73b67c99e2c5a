//! The build system: `cargo xtask help` lists the verbs, each is one file in this folder.
//!
//! **Invariant:** building and testing need rustup, git and a C toolchain, nothing else;
//! what wants more (Go, a real API server) is skipped with a loud line where it is absent.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // this is a program for people at a terminal

mod bench;
mod ci;
mod cluster;
mod codegen;
mod conformance;
mod demo;
mod dependencies;
mod fuzz;
mod lints;
mod order;
mod plugins;
mod shell;
mod soak;
mod test;
mod tidy;
mod wit;

use std::process::ExitCode;

/// A verb of the build system.
struct Verb {
    name: &'static str,
    does: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "demo",
        does: "from a Git commit to a healthy cluster, on this machine (flags go to `sluice demo`)",
        run: demo::run,
    },
    Verb {
        name: "test",
        does: "all tests; `test plugins|host|conformance|cluster|simulation` runs one part, `test conformance --whole` every case, `test simulation [--seeds N] [--replay NAME]`; `test fuzz [--seconds N] [--target NAME] [--replay FILE]` is for itself",
        run: test::run,
    },
    Verb {
        name: "plugins",
        does: "build the plugins that are part of the program, by digest",
        run: plugins::run,
    },
    Verb {
        name: "guests",
        does: "build the misbehaving guests of the sandbox's tests",
        run: plugins::guests,
    },
    Verb {
        name: "order",
        does: "learn which functions run, so that the linker puts them side by side: `order [PROGRAM]` (without one it builds what is shipped; x86-64 Linux)",
        run: order::run,
    },
    Verb {
        name: "wit",
        does: "check the plugin contract and write its reference (`--check` only checks)",
        run: wit::run,
    },
    Verb {
        name: "codegen",
        does: "write generated files: `codegen [openapi|schema|crds] [--check]` (`--check` only compares)",
        run: codegen::run,
    },
    Verb {
        name: "lints",
        does: "Clippy over what is shipped: every room and the plugins; any warning fails",
        run: lints::run,
    },
    Verb {
        name: "dependencies",
        does: "licenses and known weaknesses of what is used, by cargo-deny",
        run: dependencies::run,
    },
    Verb {
        name: "bench",
        does: "the cost table, measured on a real API server: `bench [--n COUNT[,COUNT…] | --full] [--parked COUNT] [--debug] [--vs COMMIT] [--json FILE] [CASE…]`; a case is one of B1 to B19",
        run: bench::run,
    },
    Verb {
        name: "soak",
        does: "many Kustomizations, commits, drift, faults: nothing may grow: `soak [--minutes M] [--n COUNT] [--seed SEED]`",
        run: soak::run,
    },
    Verb {
        name: "cluster",
        does: "the real API server: `cluster build|compare|record [SCENARIO…]`",
        run: cluster::run,
    },
    Verb {
        name: "tidy",
        does: "the house's own rules: arrows between rooms, banned crates, crate docs, trailing space",
        run: tidy::run,
    },
    Verb {
        name: "ci",
        does: "everything that must pass before a change lands",
        run: ci::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = args
        .split_first()
        .map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        println!("cargo xtask VERB\n");
        for verb in VERBS {
            println!("  {:<14}{}", verb.name, verb.does);
        }
        return if matches!(name, "help" | "--help" | "-h") {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        };
    };
    if rest.iter().any(|arg| matches!(arg.as_str(), "--help" | "-h")) {
        println!("cargo xtask {name}: {}", verb.does);
        return ExitCode::SUCCESS;
    }
    match (verb.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
