//! From good inputs to bad ones: a few changes of the kinds that break readers.

use bertbench::random::Draws;

/// Inputs grow no further.
const LONGEST: usize = 1 << 18;
/// Numbers at which types end.
const EXTREMES: [u64; 12] =
    [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 32, 1 << 40, i64::MAX as u64, u64::MAX];

/// One of `seeds` with one to eight changes; `dictionary` has what the format gives a meaning to.
pub fn mutated(seeds: &[Vec<u8>], dictionary: &[&str], draws: &mut Draws) -> Vec<u8> {
    let mut bytes = draws.pick(seeds).clone();
    let most = if draws.chance(0.1) { 8 } else { 3 };
    for _ in 0..=draws.below(most) {
        change(&mut bytes, seeds, dictionary, draws);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dictionary: &[&str], draws: &mut Draws) {
    let at = draws.below(bytes.len() + 1);
    let part = at..(at + length(draws)).min(bytes.len());
    match draws.below(10) {
        0 if at < bytes.len() => bytes[at] ^= 1 << draws.below(8),
        1 if at < bytes.len() => bytes[at] = draws.next_u32() as u8,
        2 => drop(bytes.drain(part)),
        3 => {
            let copy = bytes[part].repeat(times(draws));
            insert(bytes, at, &copy);
        }
        4 => {
            let other = draws.pick(seeds);
            let from = draws.below(other.len() + 1);
            let to = (from + length(draws)).min(other.len());
            insert(bytes, at, &other[from..to]);
        }
        5 if draws.chance(0.3) => bytes.truncate(at),
        6 | 7 if !dictionary.is_empty() => {
            let token = draws.pick(dictionary).as_bytes().repeat(times(draws));
            insert(bytes, at, &token);
        }
        8 => digits(bytes, at, draws),
        _ => number(bytes, at, draws),
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    let more = &more[..more.len().min(LONGEST)];
    drop(bytes.splice(at..at, more.iter().copied()));
}

/// Mostly short.
fn length(draws: &mut Draws) -> usize {
    let most = *draws.pick(&[2, 8, 64, 1024]);
    1 + draws.below(most)
}

/// Mostly once; at times so often that what takes time by the square shows.
fn times(draws: &mut Draws) -> usize {
    match draws.below(200) {
        0 => 1 + draws.below(100_000),
        1..10 => 1 + draws.below(1000),
        _ => 1 + draws.below(2),
    }
}

/// The first number in digits behind `at` becomes an extreme one.
fn digits(bytes: &mut Vec<u8>, at: usize, draws: &mut Draws) {
    let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) else { return };
    let to = bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |found| from + found);
    let text = match draws.below(4) {
        0 => format!("-{}", draws.pick(&EXTREMES)),
        1 => "1e999".to_owned(),
        _ => draws.pick(&EXTREMES).to_string(),
    };
    drop(bytes.splice(from..to, text.into_bytes()));
}

/// An extreme number in binary, in place of what stands at `at`.
fn number(bytes: &mut [u8], at: usize, draws: &mut Draws) {
    let value = draws.pick(&EXTREMES).wrapping_sub(draws.below(3) as u64);
    let width = *draws.pick(&[1, 2, 4, 8]);
    let mut number = value.to_le_bytes();
    if draws.chance(0.2) {
        number[..width].reverse();
    }
    for (byte, new) in bytes.iter_mut().skip(at).zip(&number[..width]) {
        *byte = *new;
    }
}
