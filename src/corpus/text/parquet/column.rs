//! Which column is read, and whether it can be.

use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::metadata::FileMetadata;
use polars_parquet::parquet::schema::Repetition;
use polars_parquet::parquet::schema::types::{ParquetType, PrimitiveConvertedType, PrimitiveLogicalType};

use crate::diagnostic::{Diagnostic, suggest};

/// The place of `column` among the file's columns.
pub(super) fn find_column(about: &FileMetadata, column: &str) -> Result<usize, Diagnostic> {
    let schema = about.schema();
    let Some(kind) = schema.fields().iter().find(|field| field.name() == column) else {
        let names = schema.fields().iter().map(ParquetType::name);
        return Err(Diagnostic::new(format!("the file has no column `{column}`")).hint(suggest(column, names)));
    };
    let place = schema.columns().iter().position(|leaf| leaf.path_in_schema.first().is_some_and(|name| name == column));
    place.filter(|_| is_text(kind)).ok_or_else(|| {
        let texts: Vec<&str> = schema.fields().iter().filter(|field| is_text(field)).map(ParquetType::name).collect();
        let hint = match texts.as_slice() {
            [] => "no column of the file does".to_owned(),
            names => format!("`--column` names one that does: {}", names.join(", ")),
        };
        Diagnostic::new(format!("the column `{column}` holds no text")).hint(hint)
    })
}

/// Whether a column holds one text a row; older writers mark that in another way.
fn is_text(column: &ParquetType) -> bool {
    match column {
        ParquetType::PrimitiveType(kind) => {
            kind.field_info.repetition != Repetition::Repeated
                && (kind.logical_type == Some(PrimitiveLogicalType::String)
                    || kind.converted_type == Some(PrimitiveConvertedType::Utf8))
        }
        ParquetType::GroupType { .. } => false,
    }
}

/// Which codecs are read is decided in `Cargo.toml`: those that pandas, polars, Spark and the Hugging Face hub write
/// unless they are told otherwise.
pub(super) fn check_compression(codec: Compression) -> Result<(), Diagnostic> {
    match codec {
        Compression::Uncompressed | Compression::Snappy | Compression::Gzip | Compression::Zstd => Ok(()),
        Compression::Lzo | Compression::Brotli | Compression::Lz4 | Compression::Lz4Raw => {
            Err(Diagnostic::new(format!("its text is compressed as {codec:?}, which is not supported"))
                .hint("write it again with zstd, snappy or gzip"))
        }
    }
}
