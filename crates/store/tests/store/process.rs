//! This test program as a child of itself: a process that can be killed.
//!
//! The child is the test [`child`], run alone with a folder in its environment; without one it does nothing. It reports
//! line by line on its standard output. The processes that are put under faults are elsewhere: `tests/faults`.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use orderkeep_store::{Backend, EmbeddedConfig, EmbeddedStore, compact};

const ROLE: &str = "ORDERKEEP_STORE_CHILD";
const FOLDER: &str = "ORDERKEEP_STORE_FOLDER";
const BACKEND: &str = "ORDERKEEP_STORE_BACKEND";

/// Marks our lines among those of the test program.
const OURS: &str = "child: ";

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Opens the store and waits to be killed.
    Hold,
    /// Compacts the store and ends.
    Compact,
}

/// A running child.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(role: Role, backend: Backend, folder: &Path) -> Self {
        let role = match role {
            Role::Hold => "hold",
            Role::Compact => "compact",
        };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::child", "--nocapture"])
            .env(ROLE, role)
            .env(FOLDER, folder)
            .env(BACKEND, backend.name())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its next line; `None` when it has ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        for line in self.lines.by_ref() {
            // A line that was cut off by the end of the process was never sent.
            let line = line.ok()?;
            if let Some((_, ours)) = line.split_once(OURS) {
                return Some(ours.to_owned());
            }
        }
        None
    }

    /// kill -9, and what it had said until then.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.line()).collect()
    }
}

/// Says a line, whole.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{OURS}{line}.\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let backend = std::env::var(BACKEND).map_or(Backend::Sled, |name| name.parse().unwrap());
    say("opening");
    let config = EmbeddedConfig { ballast_bytes: 64 * 1024, ..EmbeddedConfig::new(folder) };
    let config = config.backend(backend);
    if std::env::var(ROLE).is_ok_and(|role| role == "compact") {
        compact(&config, &mut |_, _| say("copying")).unwrap();
        say("compacted");
        return;
    }
    let _store = EmbeddedStore::open(config).unwrap();
    say("open");
    // Until it is killed, or its parent is gone and the pipe with it.
    let _ = std::io::stdin().read_line(&mut String::new());
    std::thread::park();
}
