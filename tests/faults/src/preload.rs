//! The faulty disk of `preload/faults.c`: built once per run, and told what to do by the environment.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The built library.
#[derive(Debug)]
pub(crate) struct Preload {
    library: PathBuf,
    _folder: tempfile::TempDir,
}

impl Preload {
    /// Builds it. The C compiler is there wherever this workspace was built.
    pub(crate) fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("faults.so");
        let source = folder.path().join("faults.c");
        std::fs::write(&source, include_str!("../preload/faults.c")).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([&library, &source])
            .args(["-ldl", "-lpthread"])
            .status()
            .unwrap_or_else(|error| panic!("cc: {error}; a C compiler is needed"));
        assert!(built.success(), "cc: {built}");
        Self { library, _folder: folder }
    }

    /// No fault yet, below this folder.
    pub(crate) fn below(&self, root: &Path) -> Fault {
        let root = root.canonicalize().unwrap();
        let mut variables = Vec::new();
        for (name, value) in [("LD_PRELOAD", &self.library), ("ORDERKEEP_FAULTS_ROOT", &root)] {
            variables.push((name, value.to_str().unwrap().to_owned()));
        }
        Fault { variables }
    }
}

/// What goes wrong in a child, as variables of its environment; they are explained in `preload/faults.c`.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    variables: Vec<(&'static str, String)>,
}

impl Fault {
    /// The call with this index goes wrong in this way.
    pub(crate) fn at(self, index: u64, kind: &str) -> Self {
        self.with("ORDERKEEP_FAULTS_AT", index).with("ORDERKEEP_FAULTS_KIND", kind)
    }

    pub(crate) fn trace(self, file: &Path) -> Self {
        self.with("ORDERKEEP_FAULTS_TRACE", file.display())
    }

    pub(crate) fn mount(self, folder: &Path) -> Self {
        self.with("ORDERKEEP_FAULTS_MOUNT", folder.display())
    }

    /// The process is one that has to be caught.
    pub(crate) fn twin(self, twin: &str) -> Self {
        self.with("ORDERKEEP_FAULTS_TWIN", twin)
    }

    /// A call never comes back.
    pub(crate) fn hangs(&self) -> bool {
        self.variables.iter().any(|(_, value)| value == "hang")
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.variables.push((name, value.to_string()));
        self
    }

    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
