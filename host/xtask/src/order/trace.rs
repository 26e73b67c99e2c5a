//! Which functions a program runs: a breakpoint at the start of each, taken away when it is met.

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The instruction that stops a program.
const BREAKPOINT: u8 = 0xcc;
const PAGE_BYTES: u64 = 4096;

/// Runs the program to its end and gives the functions that it ran, of those that start at the addresses `starts` (as in
/// its file, ascending), each once, in the order in which they were first run.
/// A program that ends with a code of its own choice has run well; the error tells of a signal, or of what the system refused.
pub(super) fn functions_run(
    program: &Path,
    args: &[String],
    folder: &Path,
    starts: &[u64],
) -> Result<Vec<u64>> {
    // it waits until somebody looks
    let mut child = Command::new("sh")
        .args(["-c", "kill -STOP $$; exec \"$0\" \"$@\""])
        .arg(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("sh")?;
    let traced = Traced {
        process: Pid::from_raw(i32::try_from(child.id())?),
        program,
        starts,
    };
    let met = traced.to_the_end();
    if met.is_err() {
        child.kill()?;
    }
    met.with_context(|| format!("{} {}", program.display(), args.join(" ")))
}

struct Traced<'a> {
    process: Pid,
    program: &'a Path,
    starts: &'a [u64],
}

impl Traced<'_> {
    fn to_the_end(&self) -> Result<Vec<u64>> {
        waitpid(self.process, Some(WaitPidFlag::WUNTRACED))?;
        let options = Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
        ptrace::seize(self.process, options)?;
        kill(self.process, Signal::SIGCONT)?;
        let mut breakpoints = None;
        let mut met = Vec::new();
        loop {
            let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Ok(status) => status,
                // nobody is left
                Err(Errno::ECHILD) => return Ok(met),
                Err(error) => return Err(error.into()),
            };
            match status {
                WaitStatus::Signaled(process, signal, _) if process == self.process => {
                    bail!("ended by {signal}")
                }
                WaitStatus::PtraceEvent(thread, _, event) => {
                    if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 {
                        breakpoints = Some(Breakpoints::set(self.process, self.program, self.starts)?);
                    }
                    go_on(thread, None)?;
                }
                WaitStatus::Stopped(thread, Signal::SIGTRAP) => {
                    let breakpoints = breakpoints.as_mut().context("stopped before it began")?;
                    let Some(mut registers) = living(ptrace::getregs(thread))? else {
                        continue;
                    };
                    let at = registers.rip - 1;
                    let is_first = breakpoints.clear(at)?;
                    met.extend(is_first.then_some(at - breakpoints.base));
                    registers.rip = at;
                    living(ptrace::setregs(thread, registers))?;
                    go_on(thread, None)?;
                }
                WaitStatus::Stopped(thread, signal) => go_on(thread, signal)?,
                _ => {}
            }
        }
    }
}

fn go_on(thread: Pid, signal: impl Into<Option<Signal>>) -> Result<()> {
    living(ptrace::cont(thread, signal)).map(drop)
}

/// None of a thread that has ended with its process since it stopped.
fn living<T>(result: nix::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::ESRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a process had where its breakpoints are.
struct Breakpoints {
    memory: File,
    /// Where the program's address 0 is.
    base: u64,
    /// The byte of each start, and whether it stands there again.
    was: HashMap<u64, (u8, bool)>,
}

impl Breakpoints {
    fn set(process: Pid, program: &Path, starts: &[u64]) -> Result<Self> {
        let name = program.canonicalize()?;
        let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
        let first = maps
            .lines()
            .find(|line| line.ends_with(&*name.to_string_lossy()))
            .context("the program is not among its own mappings")?;
        let base = u64::from_str_radix(first.split('-').next().unwrap_or_default(), 16)?;
        let memory = File::options()
            .read(true)
            .write(true)
            .open(format!("/proc/{process}/mem"))?;
        let mut was = HashMap::new();
        let mut page = [0; PAGE_BYTES as usize];
        for starts in starts.chunk_by(|one, next| one / PAGE_BYTES == next / PAGE_BYTES) {
            let Some(at) = starts.first().map(|start| base + start / PAGE_BYTES * PAGE_BYTES) else {
                continue;
            };
            memory.read_exact_at(&mut page, at)?;
            for start in starts {
                let byte = page
                    .get_mut((start % PAGE_BYTES) as usize)
                    .context("beyond its page")?;
                was.insert(base + start, (std::mem::replace(byte, BREAKPOINT), false));
            }
            memory.write_all_at(&page, at)?;
        }
        Ok(Self { memory, base, was })
    }

    /// Puts back what stood at an address, and says whether it did so just now: several threads can meet one breakpoint.
    fn clear(&mut self, at: u64) -> Result<bool> {
        let (byte, is_cleared) = self
            .was
            .get_mut(&at)
            .with_context(|| format!("stopped at {at:#x}, where no function starts"))?;
        if *is_cleared {
            return Ok(false);
        }
        *is_cleared = true;
        // nothing is written where the process has just ended
        self.memory.write_at(&[*byte], at)?;
        Ok(true)
    }
}
