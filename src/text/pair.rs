//! `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]`, cut to a length.

/// How many tokens of each text stay when both together may have `room`: the longer one loses its end first,
/// as `longest_first` of Hugging Face's fast tokenizers does it. When both must lose, each keeps half of
/// the room; an odd one goes to the longer text, and to the second of two that are equally long.
#[must_use]
pub(super) fn kept(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let half = room / 2;
    if first.min(second) > half {
        if first > second { (room - half, half) } else { (half, room - half) }
    } else if first > second {
        (room - second, second)
    } else {
        (first, room - first)
    }
}

#[cfg(test)]
mod tests {
    use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy, truncate_encodings};
    use tokenizers::{Encoding, Token};

    use super::*;

    fn encoding(length: usize) -> Encoding {
        let tokens = (0..length).map(|id| Token::new(u32::try_from(id).unwrap(), String::new(), (0, 0))).collect();
        Encoding::from_tokens(tokens, 0)
    }

    #[test]
    fn pairs_are_cut_where_the_tokenizers_crate_cuts_them() {
        for room in 1..=9 {
            for (first, second) in (0..=12).flat_map(|first| (0..=12).map(move |second| (first, second))) {
                let params = TruncationParams {
                    max_length: room,
                    strategy: TruncationStrategy::LongestFirst,
                    ..Default::default()
                };
                let (a, b) = truncate_encodings(encoding(first), Some(encoding(second)), &params).unwrap();
                let (a, b) = (a.get_ids().len(), b.unwrap().get_ids().len());
                assert_eq!(kept(first, second, room), (a, b), "{first} and {second} in {room}");
            }
        }
    }
}
