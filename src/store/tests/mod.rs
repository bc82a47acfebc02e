//! The store as a whole, on a real disk.

mod claims;
mod folders;
mod models;
