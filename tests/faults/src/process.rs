//! Children: started, listened to, killed, and never waited for longer than they may take.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use crate::{child::End, engine::Engine, preload::Fault};

/// What a child is to do.
#[derive(Debug, Clone)]
pub(crate) struct Setup<'a> {
    pub(crate) engine: Engine,
    pub(crate) store: &'a Path,
    pub(crate) mark: Option<&'a Path>,
    pub(crate) expect: Option<&'a Path>,
    pub(crate) check: bool,
    pub(crate) generation: u32,
    pub(crate) tasks: u32,
    pub(crate) steps: u64,
    pub(crate) patience: Duration,
    pub(crate) open_patience: Duration,
    pub(crate) ballast_kib: u64,
    /// Tries again when there is no room.
    pub(crate) patient: bool,
    /// Entities that are over leave.
    pub(crate) leaving: bool,
    pub(crate) fault: Option<&'a Fault>,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(engine: Engine, store: &'a Path) -> Self {
        Self {
            engine,
            store,
            mark: None,
            expect: None,
            check: false,
            generation: 1,
            tasks: 1,
            steps: u64::MAX,
            patience: Duration::from_secs(10),
            open_patience: Duration::from_secs(120),
            ballast_kib: 64,
            patient: false,
            leaving: false,
            fault: None,
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["child", "--engine", &self.engine.name(), "--store"]).arg(self.store);
        for (flag, path) in [("--mark", self.mark), ("--expect", self.expect)] {
            if let Some(path) = path {
                command.arg(flag).arg(path);
            }
        }
        let flags =
            [("--check", self.check), ("--patient", self.patient), ("--leaving", self.leaving)];
        for (flag, given) in flags {
            if given {
                command.arg(flag);
            }
        }
        let numbers = [
            ("--generation", u64::from(self.generation)),
            ("--tasks", u64::from(self.tasks)),
            ("--steps", self.steps),
            ("--ballast-kib", self.ballast_kib),
            ("--patience-ms", u64::try_from(self.patience.as_millis()).unwrap()),
            ("--open-patience-ms", u64::try_from(self.open_patience.as_millis()).unwrap()),
        ];
        for (flag, number) in numbers {
            command.args([flag, &number.to_string()]);
        }
        if let Some(fault) = self.fault {
            command.envs(fault.environment());
        }
        command
    }

    pub(crate) fn start(&self) -> Running {
        let mut child = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                // A line that was cut off by the end of the process was never sent.
                let Ok(line) = line else { break };
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Running { child, lines }
    }
}

/// A running child. It does not outlive its handle.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What became of a child.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended by itself; `None`: it was killed.
    pub(crate) end: Option<End>,
    /// It did not end in time; what its threads were doing then.
    pub(crate) stuck: Option<String>,
    /// Everything it said that was not taken before.
    pub(crate) lines: Vec<String>,
}

impl Ended {
    /// Its last word.
    pub(crate) fn why(&self) -> String {
        if let Some(stack) = &self.stuck {
            return format!("it did not come back\n{stack}");
        }
        self.lines.last().cloned().unwrap_or_else(|| format!("{:?}, without a word", self.end))
    }
}

impl Running {
    /// Its next line; `None` when there is none within this time, or none will come.
    pub(crate) fn line(&self, patience: Duration) -> Option<String> {
        self.lines.recv_timeout(patience).ok()
    }

    /// kill -9, and what it had said until then.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }

    /// Waits for its end; one that does not come back is looked into and killed.
    pub(crate) fn wait(mut self, patience: Duration) -> Ended {
        let until = Instant::now() + patience;
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let stuck = Some(self.stacks());
                    return Ended { end: None, stuck, lines };
                }
            }
        }
        let status = self.child.wait().unwrap();
        Ended { end: status.code().and_then(End::of), stuck: None, lines }
    }

    /// What its threads are doing, as gdb (or at least the kernel) sees it.
    pub(crate) fn stacks(&self) -> String {
        let id = self.child.id();
        let gdb = Command::new("gdb")
            .args(["--batch", "-ex", "thread apply all bt", "-p", &id.to_string()])
            .stderr(Stdio::null())
            .output();
        if let Ok(output) = gdb {
            return String::from_utf8_lossy(&output.stdout).into_owned();
        }
        let mut text = String::new();
        for entry in fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
            let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
            text.push_str(&format!("{}: {}\n", read("comm").trim(), read("wchan")));
        }
        text
    }
}

/// Copies a folder and everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A folder in memory where there is one: only a power cut asks for a disk.
pub(crate) fn scratch() -> tempfile::TempDir {
    let shared = PathBuf::from("/dev/shm");
    tempfile::Builder::new()
        .prefix("store-faults-")
        .tempdir_in(if shared.is_dir() { shared } else { std::env::temp_dir() })
        .unwrap()
}
