//! Whether encoders compute in parallel: tokens a second by the length of the sequences and by threads.

use crate::report::block::{Cell, Column, Table};
use crate::report::phrase::grouped;
use crate::store::{EncoderSpeed, SpeedRow};

/// What of a row is shown.
type Rate = fn(&SpeedRow) -> f64;

/// A table of training and one of inference.
pub(super) fn tables(speed: &EncoderSpeed) -> [Table; 2] {
    let rates: [(&str, Rate); 2] = [("Training", |row| row.training), ("Inference", |row| row.inference)];
    rates.map(|(what, rate)| table(speed, what, rate))
}

fn table(speed: &EncoderSpeed, what: &str, rate: Rate) -> Table {
    let mut lengths: Vec<u32> = speed.rows.iter().map(|row| row.length).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let mut kinds: Vec<_> = speed.rows.iter().map(|row| (row.encoder, row.threads)).collect();
    kinds.dedup();
    kinds.sort_by_key(|(encoder, threads)| (std::cmp::Reverse(*encoder), *threads));
    kinds.dedup();
    let of = |(encoder, threads), length| {
        let is = |row: &&SpeedRow| (row.encoder, row.threads, row.length) == (encoder, threads, length);
        speed.rows.iter().find(is).map(rate)
    };
    let cell = |rate: Option<f64>| match rate {
        Some(rate) => Cell::number(grouped(rate.round() as u64), rate),
        None => Cell::absent("it was not measured"),
    };
    let row = |kind: &(crate::settings::EncoderType, u32)| {
        let threads = if kind.1 == 1 { "1 thread".to_owned() } else { format!("{} threads", kind.1) };
        let mut cells = vec![Cell::text(kind.0.to_string()).small(threads)];
        cells.extend(lengths.iter().map(|length| cell(of(*kind, *length))));
        let kept = [lengths.first(), lengths.last()].map(|length| of(*kind, *length?));
        cells.push(match kept {
            [Some(short), Some(long)] => Cell::number(format!("{:.2}", long / short), long / short),
            _ => cell(None),
        });
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
