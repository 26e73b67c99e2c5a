//! A child process that cannot be left behind.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Starts the program and kills it when standard input closes: the kernel closes it when the parent
/// is gone, even by SIGKILL, where no destructor runs. `$1` is where the program's pid is written.
const GUARD: &str = r#"file=$1; shift; "$@" </dev/null & child=$!; echo $child >"$file"; read -r _; kill -9 $child 2>/dev/null; wait"#;

/// A server in a process group of its own, killed when this value is dropped or the process ends.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    lifeline: Option<ChildStdin>,
    pid_file: std::path::PathBuf,
}

impl Guarded {
    /// Starts `program`; what it prints goes to `log`.
    pub fn start<S: AsRef<OsStr>>(program: &Path, args: &[S], log: &Path) -> io::Result<Self> {
        let out = File::create(log)?;
        let pid_file = log.with_extension("pid");
        // one from an earlier start would name a program that is gone
        let _absent = std::fs::remove_file(&pid_file);
        let mut child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&pid_file)
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()?;
        let lifeline = child.stdin.take();
        Ok(Self {
            child,
            lifeline,
            pid_file,
        })
    }

    /// The process id of the program itself, once it runs: for reading what it used from `/proc`.
    pub fn pid(&self) -> Option<u32> {
        std::fs::read_to_string(&self.pid_file).ok()?.trim().parse().ok()
    }

    /// Whether the program is known to have ended. (Without `/proc` nobody knows: no.)
    pub fn has_ended(&self) -> bool {
        let Some(pid) = self.pid() else { return false };
        if !Path::new("/proc/self/stat").exists() {
            return false;
        }
        // A dead child that nobody has waited for is a zombie, `Z`.
        std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| {
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'))
        })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _waited = self.child.wait();
    }
}
