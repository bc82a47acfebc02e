mod contiguous;
mod files;
mod reference;
mod rules;
mod world;
