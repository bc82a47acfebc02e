//! `stats`
