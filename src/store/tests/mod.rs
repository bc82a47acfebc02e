//! The store as a whole, on a real disk.

mod atomic;
mod claims;
mod damage;
mod folders;
mod models;
