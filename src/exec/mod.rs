//! `exec`
