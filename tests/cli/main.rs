//! The program as a user meets it: every test starts the real binary in a folder of its own.
#![cfg(unix)]

mod checkpoints;
mod crash;
mod expected;
mod failures;
mod help;
mod input;
mod program;
mod rows;
mod runs;
mod sharing;
mod stop;
mod sweep;
