//! Packaging a chart as Helm does, but for the times: equal charts are equal bytes (compat/source.md 8.5).

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use sluice_artifact::archive::TarWriter;

use super::{Chart, UNPACKED_SIZE_MAX};

/// What Helm puts into the header of an archive, so that it knows its own.
const HEADER: &[u8] = b"+aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";
const COMMENT: &str = "Helm";
/// RFC 1952's "unknown" operating system, which Go writes too.
const UNKNOWN_OS: u8 = 255;
const MODE: u32 = 0o644;

impl Chart {
    /// The chart as an archive.
    pub(super) fn package(&self) -> Result<Vec<u8>, String> {
        self.packed()
            .map_err(|error| format!("failed to package chart: {error}"))
    }

    fn packed(&self) -> Result<Vec<u8>, String> {
        let gzip = GzBuilder::new()
            .mtime(0)
            .operating_system(UNKNOWN_OS)
            .extra(HEADER)
            .comment(COMMENT)
            .write(Vec::new(), Compression::default());
        let mut tar = TarWriter::new(gzip);
        let mut size = 0;
        self.write(&mut tar, "", &mut size)?;
        let failed = |error: io::Error| error.to_string();
        tar.finish()
            .and_then(flate2::write::GzEncoder::finish)
            .map_err(failed)
    }

    fn write(&self, tar: &mut TarWriter<impl Write>, above: &str, size: &mut u64) -> Result<(), String> {
        let base = format!("{above}{}/", self.metadata.name());
        let chart = self.metadata.to_yaml();
        let lock = self.lock.as_ref().filter(|_| !self.metadata.is_first_kind());
        let lock = lock.map(super::metadata::Lock::to_yaml);
        if let Some(schema) = &self.schema
            && serde_json::from_slice::<serde::de::IgnoredAny>(schema).is_err()
        {
            return Err("invalid JSON in values.schema.json".to_owned());
        }
        let first = [
            ("Chart.yaml", Some(chart.as_bytes())),
            ("Chart.lock", lock.as_deref().map(str::as_bytes)),
            ("values.yaml", self.values.as_deref()),
            ("values.schema.json", self.schema.as_deref()),
        ];
        let first = first.into_iter().filter_map(|(name, data)| Some((name, data?)));
        let rest = self.templates.iter().chain(&self.files);
        let rest = rest.map(|file| (file.name.as_str(), file.data.as_slice()));
        for (name, data) in first.chain(rest) {
            *size += data.len() as u64;
            if *size > UNPACKED_SIZE_MAX {
                return Err(format!(
                    "chart exceeds maximum decompressed size of {UNPACKED_SIZE_MAX} bytes"
                ));
            }
            tar.file(&format!("{base}{name}"), MODE, data)
                .map_err(|error| error.to_string())?;
        }
        let above = format!("{base}charts/");
        self.subcharts
            .iter()
            .try_for_each(|chart| chart.write(tar, &above, size))
    }
}
