mod contiguous;
mod files;
mod reference;
mod rules;
pub(in crate::corpus) mod world;
