//! What README.md and docs/ show is true of the code: experiments load, commands parse, files, recipes
//! and anchors exist, and the tables of keys, columns, fields and sections are complete.

mod commands;
mod experiments;
mod links;
mod markdown;
mod tables;
