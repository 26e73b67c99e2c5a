//! What the client libraries of Prometheus tell of every process: `process_*`.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

/// Read from the kernel when somebody asks.
pub(super) struct Process {
    cpu: Counter<f64, AtomicU64>,
    resident: Gauge,
    virtual_size: Gauge,
    descriptors: Gauge,
    descriptors_max: Gauge,
}

impl Process {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let it = Self {
            cpu: Counter::default(),
            resident: Gauge::default(),
            virtual_size: Gauge::default(),
            descriptors: Gauge::default(),
            descriptors_max: Gauge::default(),
        };
        let start: Gauge<f64, AtomicU64> = Gauge::default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        start.set(now.unwrap_or_default().as_secs_f64());
        let mut register =
            |name: &str, help: &str, metric: &Gauge| registry.register(name, help, metric.clone());
        register(
            "process_resident_memory_bytes",
            "Resident memory size in bytes",
            &it.resident,
        );
        register(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes",
            &it.virtual_size,
        );
        register(
            "process_open_fds",
            "Number of open file descriptors",
            &it.descriptors,
        );
        register(
            "process_max_fds",
            "Maximum number of open file descriptors",
            &it.descriptors_max,
        );
        registry.register(
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds",
            it.cpu.clone(),
        );
        registry.register(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds",
            start,
        );
        it
    }

    pub(super) fn sample(&self) {
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let spent = spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9;
        let more = spent - self.cpu.get();
        if more > 0.0 {
            self.cpu.inc_by(more);
        }
        // without /proc there is nothing to tell
        if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
            self.resident.set(kibibytes(&status, "VmRSS:") * 1024);
            self.virtual_size.set(kibibytes(&status, "VmSize:") * 1024);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // one of them reads the folder
            let open = open.count().saturating_sub(1);
            self.descriptors.set(i64::try_from(open).unwrap_or(i64::MAX));
        }
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        self.descriptors_max.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }
}

fn kibibytes(status: &str, name: &str) -> i64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
