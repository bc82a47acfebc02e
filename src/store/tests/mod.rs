//! The store as a whole, on a real disk.

mod atomic;
mod claims;
mod folders;
mod models;
