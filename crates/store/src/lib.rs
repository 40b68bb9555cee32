//! What is kept on disk. So far that is the ledger: `disk` is all of the file system that it uses, small enough to be replaced by one that
//! fails and crashes on purpose; `ledger_files` keeps a log in it.

pub mod disk;
pub mod ledger_files;

pub use disk::{Disk, Folder};
pub use ledger_files::{AppendError, Failure, Leaves, LedgerFiles, OpenError, PIECES, Settings, leaves, piece};
