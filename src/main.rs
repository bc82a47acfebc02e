//! The program `bertbench`; everything is in the library.

#[global_allocator]
static ALLOCATOR: bertbench::kernel::HugePages = bertbench::kernel::HugePages;

fn main() -> std::process::ExitCode {
    bertbench::cli::main()
}
