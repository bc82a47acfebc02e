//! Whether encoders compute in parallel: tokens a second by the length of the sequences and by threads.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::report::block::{Cell, Column, Table};
use crate::report::phrase::grouped;
use crate::settings::EncoderType;
use crate::store::{EncoderSpeed, SpeedRow};

/// What of a row is shown.
type Rate = fn(&SpeedRow) -> f64;

/// A table of training and one of inference.
pub(super) fn tables(speed: &EncoderSpeed) -> [Table; 2] {
    let rates: [(&str, Rate); 2] = [("Training", |row| row.training), ("Inference", |row| row.inference)];
    rates.map(|(what, rate)| table(speed, what, rate))
}

fn table(speed: &EncoderSpeed, what: &str, rate: Rate) -> Table {
    let lengths: BTreeSet<u32> = speed.rows.iter().map(|row| row.length).collect();
    let kinds: BTreeSet<_> = speed.rows.iter().map(|row| (Reverse(row.encoder), row.threads)).collect();
    let of = |(Reverse(encoder), threads), length| {
        let is = |row: &&SpeedRow| (row.encoder, row.threads, row.length) == (encoder, threads, length);
        speed.rows.iter().find(is).map(rate)
    };
    let absent = "it was not measured";
    let row = |kind: &(Reverse<EncoderType>, u32)| {
        let threads = if kind.1 == 1 { "1 thread".to_owned() } else { format!("{} threads", kind.1) };
        let mut cells = vec![Cell::text(kind.0.0.to_string()).small(threads)];
        let rate = |length: &u32| Cell::known(of(*kind, *length), absent, |rate| grouped(rate.round() as u64));
        cells.extend(lengths.iter().map(rate));
        let kept = [lengths.first(), lengths.last()].map(|length| of(*kind, *length?));
        let ratio = kept[0].zip(kept[1]).map(|(short, long)| long / short);
        cells.push(Cell::known(ratio, absent, |ratio| format!("{ratio:.2}")));
        cells
    };
    let mut columns = vec![Column::text("Encoder")];
    columns.extend(lengths.iter().map(|length| Column::number(&length.to_string())));
    columns.push(Column::number("Longest ÷ shortest"));
    let EncoderSpeed { host, layers, hidden, batch_tokens, .. } = speed;
    let caption = format!(
        "{what} tokens per second by length of the sequences: {layers} layers of width {hidden}, batches of {batch_tokens} tokens, {}",
        host.cpu
    );
    Table { caption, columns, rows: kinds.iter().map(row).collect(), interactive: false }
}
