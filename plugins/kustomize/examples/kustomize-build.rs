//! `kustomize-build DIR [--reorder none|legacy] [--load-restrictor LoadRestrictionsNone] [--enable-managedby-label]`:
//! builds a directory of the local disk, as `kustomize build` does.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

use std::{io::Write, path::Path, process::ExitCode};

use sluice_plugin_kustomize::{FileKind, Files, LoadRestrictor, Options, Reorder, build};

struct Disk;

impl Files for Disk {
    fn kind(&self, path: &str) -> Option<FileKind> {
        let meta = std::fs::metadata(path).ok()?;
        Some(if meta.is_dir() {
            FileKind::Directory
        } else {
            FileKind::File
        })
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|e| e.to_string())
    }

    fn canonical(&self, path: &str) -> String {
        Path::new(path)
            .canonicalize()
            .ok()
            .and_then(|p| p.to_str().map(str::to_owned))
            .unwrap_or_else(|| path.to_owned())
    }
}

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut directory = ".".to_owned();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--reorder" => {
                options.reorder = match args.next().as_deref() {
                    Some("none") => Reorder::None,
                    _ => Reorder::Legacy,
                }
            }
            "--load-restrictor" => {
                if args.next().as_deref() == Some("LoadRestrictionsNone") {
                    options.load_restrictor = LoadRestrictor::None;
                }
            }
            "--enable-managedby-label" => options.add_managed_by_label = true,
            other => directory = other.to_owned(),
        }
    }
    let absolute = std::path::absolute(&directory)
        .ok()
        .and_then(|p| p.to_str().map(str::to_owned))
        .unwrap_or(directory);
    let result = build(&Disk, &absolute, &options).and_then(|built| Ok((built.to_yaml()?, built.warnings)));
    match result {
        Ok((yaml, warnings)) => {
            warnings.iter().for_each(|line| eprintln!("{line}"));
            match std::io::stdout().write_all(yaml.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}
