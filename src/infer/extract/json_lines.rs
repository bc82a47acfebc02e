//! One JSON object a line, as google-research/bert's `extract_features.py` writes them, its misspelt
//! `linex_index` included.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Layer, Sink};
use crate::text::{ExampleFeatures, Vocabulary};

/// Writes JSON lines. The bytes are those of Python's `json.dumps`: spaces after `:` and `,`, ASCII only.
pub struct JsonLines<'a, W: Write> {
    /// Where they go.
    pub into: W,
    /// How tokens are spelled.
    pub vocabulary: &'a Vocabulary,
    /// The layers of each token.
    pub layers: &'a [Layer],
}

impl<W: Write> Sink for JsonLines<'_, W> {
    fn example(&mut self, index: usize, tokens: ExampleFeatures<'_>, layers: &[Vec<f32>]) -> io::Result<()> {
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = write!(line, "{{\"linex_index\": {index}, \"features\": [");
        for (at, id) in tokens.ids.iter().enumerate() {
            line.push_str(if at == 0 { "{\"token\": " } else { ", {\"token\": " });
            push_text(&mut line, self.vocabulary.token(*id).unwrap_or_default());
            line.push_str(", \"layers\": [");
            for (place, (layer, states)) in self.layers.iter().zip(layers).enumerate() {
                let comma = if place == 0 { "" } else { ", " };
                let _ = write!(line, "{comma}{{\"index\": {}, \"values\": [", layer.index);
                let width = states.len() / tokens.ids.len();
                for (column, number) in states[at * width..(at + 1) * width].iter().enumerate() {
                    line.push_str(if column == 0 { "" } else { ", " });
                    push_rounded(&mut line, *number);
                }
                line.push_str("]}");
            }
            line.push_str("]}");
        }
        line.push_str("]}\n");
        self.into.write_all(line.as_bytes())
    }
}

/// A JSON string in ASCII.
fn push_text(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            ' '..='~' => line.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
        }
    }
    line.push('"');
}

/// From here on, and long before, f32 holds whole numbers only.
const WHOLE: f64 = 1e9;

/// A finite number rounded to six decimals, as Python writes `round(float(x), 6)`: halves go to the even digit,
/// and what is less than 1e-4 has an exponent. (Python gives one to what is more than 1e16, too.)
fn push_rounded(line: &mut String, number: f32) {
    let number = f64::from(number);
    if number.abs() >= WHOLE {
        let _ = write!(line, "{number:.1}");
        return;
    }
    // Exact: 24 bits times 1e6, of which 14 bits are odd.
    let millionths = (number * 1e6).round_ties_even();
    if millionths.is_sign_negative() {
        line.push('-');
    }
    let millionths = millionths.abs() as u64;
    match millionths {
        0 => line.push_str("0.0"),
        1..10 => {
            let _ = write!(line, "{millionths}e-06");
        }
        10..100 => {
            let (first, second) = (millionths / 10, millionths % 10);
            let _ = if second == 0 { write!(line, "{first}e-05") } else { write!(line, "{first}.{second}e-05") };
        }
        _ => {
            let _ = write!(line, "{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
            // One digit stays behind the point.
            let kept = line.trim_end_matches('0').len();
            line.truncate(kept);
            if line.ends_with('.') {
                line.push('0');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rounded(number: f32) -> String {
        let mut line = String::new();
        push_rounded(&mut line, number);
        line
    }

    #[test]
    fn numbers_are_written_as_python_rounds_and_writes_them() {
        // >>> [json.dumps(round(float(numpy.float32(x)), 6)) for x in (...)]
        for (number, python) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-10.5, "-10.5"),
            (0.1, "0.1"),
            (-0.826_657_9, "-0.826658"),
            (0.007_812_5, "0.007812"),
            (0.023_437_5, "0.023438"),
            (0.000_1, "0.0001"),
            (0.000_099, "9.9e-05"),
            (0.000_05, "5e-05"),
            (-0.000_001_4, "-1e-06"),
            (0.000_000_4, "0.0"),
            (-0.000_000_4, "-0.0"),
            (123_456.79, "123456.789062"),
            (1.25e10, "12499999744.0"),
        ] {
            assert_eq!(rounded(number), python);
        }
    }

    #[test]
    fn tokens_are_ascii() {
        let mut line = String::new();
        push_text(&mut line, "##é\"\\中\u{1f600}\u{7f}");
        assert_eq!(line, "\"##\\u00e9\\\"\\\\\\u4e2d\\ud83d\\ude00\\u007f\"");
    }

    proptest! {
        #[test]
        fn any_finite_number_reads_back_within_half_a_millionth(number in prop::num::f32::NORMAL) {
            let read: f64 = serde_json::from_str(&rounded(number)).unwrap();
            let off = (read - f64::from(number)).abs();
            prop_assert!(off <= 0.500_000_1e-6_f64.max(1e-9 * f64::from(number).abs()), "{number} {read}");
        }
    }
}
