//! `metric`
