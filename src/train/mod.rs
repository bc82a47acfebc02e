//! `train`
