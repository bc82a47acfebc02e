//! The command line: one file per subcommand; the only place that prints.

pub mod render;

pub use render::render;
