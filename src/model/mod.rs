//! `model`
