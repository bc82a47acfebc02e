//! The mini benchmark: a small world, and every task written from it in the official formats.
