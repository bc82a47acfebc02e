//! `data`
