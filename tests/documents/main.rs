//! What README.md and docs/ show is true of the code: experiments load, commands parse, files, recipes
//! and anchors exist, and the tables of keys, columns, fields and sections are complete.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod commands;
mod experiments;
mod links;
mod markdown;
mod tables;
