//! The program `bertbench`; everything is in the library.

fn main() -> std::process::ExitCode {
    bertbench::cli::main()
}
