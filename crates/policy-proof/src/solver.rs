//! The solver: where it is, how it is asked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cedar_policy_symcc::CedarSymCompiler;
use cedar_policy_symcc::solver::LocalSolver;

/// Milliseconds that the solver may take for one question.
pub const QUESTION_LIMIT_MS: u32 = 10_000;

/// A solver that answers to its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solver {
    program: PathBuf,
    version: String,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is not installed, or not where it was said to be.
    #[error("no solver at `{}`", .0.display())]
    NoSolver(PathBuf),
    /// It cannot be started or does not answer.
    #[error("the solver cannot be asked")]
    Start(#[source] std::io::Error),
    /// It failed, or did not know within its time.
    #[error("the solver gave no answer on {about}")]
    NoAnswer {
        /// Which question.
        about: String,
        /// What it said.
        source: Box<cedar_policy_symcc::err::Error>,
    },
    /// Our own policies do not compile: a fault of this crate.
    #[error("the question cannot be written: {0}")]
    Question(String),
}

impl ProofError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSolver(_) => "solver_missing",
            Self::Start(_) => "solver_start",
            Self::NoAnswer { .. } => "solver_no_answer",
            Self::Question(_) => "solver_question",
        }
    }
}

impl Solver {
    /// The solver at a path, or the one of this name on the search path.
    ///
    /// # Errors
    /// [`ProofError::NoSolver`] if it does not say that it is cvc5.
    pub fn at(program: &Path) -> Result<Self, ProofError> {
        let missing = || ProofError::NoSolver(program.to_owned());
        let said = Command::new(program).arg("--version").stdin(Stdio::null()).output().map_err(|_| missing())?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let line = said.lines().find(|line| line.contains("cvc5")).ok_or_else(missing)?;
        let version = line.split("version").nth(1).unwrap_or(line);
        let version = version.split(['[', ']']).next().unwrap_or(version).trim();
        Ok(Self { program: program.to_owned(), version: format!("cvc5 {version}") })
    }

    /// Its name and version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A process of it, ready for questions; it ends when it is dropped.
    pub(crate) fn start(&self) -> Result<CedarSymCompiler<LocalSolver>, ProofError> {
        let mut command = tokio::process::Command::new(&self.program);
        // Without `--strings-exp` cvc5 1.0 answers nothing about `like`.
        command
            .args(["--lang", "smt", "--strings-exp"])
            .arg(format!("--tlimit-per={QUESTION_LIMIT_MS}"))
            .kill_on_drop(true);
        let process = LocalSolver::from_command(&mut command)
            .map_err(|error| ProofError::Start(std::io::Error::other(error.to_string())))?;
        CedarSymCompiler::new(process).map_err(|error| ProofError::Question(error.to_string()))
    }
}
