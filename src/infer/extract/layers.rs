//! Which layers' outputs are extracted.

use crate::diagnostic::Diagnostic;

/// One of the hidden states of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// As the user wrote it, and as the output names it.
    pub index: i64,
    /// Its place among [`crate::model::Encoder::hidden_states`].
    pub state: usize,
}

/// The layers called `indices` of an encoder of `layers` layers: 0 is the embeddings' output and 1 to `layers` are
/// the layers' outputs, as in the `hidden_states` of transformers; -1 is the last layer, -2 the one before, as in
/// google-research/bert's `extract_features.py`.
///
/// # Errors
/// No index, one out of range, or two of one layer.
pub fn parse_layers(indices: &[i64], layers: u32) -> Result<Vec<Layer>, Diagnostic> {
    let states = i64::from(layers) + 1;
    let mut found: Vec<Layer> = Vec::new();
    for &index in indices {
        let state = if index < 0 { index + states } else { index };
        if !(0..states).contains(&state) {
            return Err(Diagnostic::new(format!("the model has no layer {index}")).hint(format!(
                "0 is the output of the embeddings, 1 to {layers} are the layers, -1 to -{layers} the same from the last one"
            )));
        }
        let layer = Layer { index, state: state as usize };
        if let Some(same) = found.iter().find(|other| other.state == layer.state) {
            return Err(Diagnostic::new(format!("{} and {index} are one layer", same.index)));
        }
        found.push(layer);
    }
    if found.is_empty() { Err(Diagnostic::new("no layer is asked for")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(indices: &[i64]) -> Result<Vec<usize>, String> {
        let layers = parse_layers(indices, 4).map_err(|found| found.to_string())?;
        assert_eq!(layers.iter().map(|layer| layer.index).collect::<Vec<_>>(), indices);
        Ok(layers.iter().map(|layer| layer.state).collect())
    }

    #[test]
    fn layers_count_from_the_embeddings_and_from_the_end_in_the_order_asked_for() {
        assert_eq!(states(&[-1, -2, -3, -4]).unwrap(), [4, 3, 2, 1]);
        assert_eq!(states(&[0, 4, 1]).unwrap(), [0, 4, 1]);
        assert_eq!(states(&[-5]).unwrap(), [0]);
    }

    #[test]
    fn what_is_no_layer_or_one_twice_is_refused() {
        for index in [5, -6, i64::MAX, i64::MIN] {
            let said = states(&[-1, index]).unwrap_err();
            assert!(said.starts_with(&format!("the model has no layer {index} (0 is the output of")), "{said}");
            assert!(said.ends_with("1 to 4 are the layers, -1 to -4 the same from the last one)"), "{said}");
        }
        assert_eq!(states(&[1, -4]).unwrap_err(), "1 and -4 are one layer");
        assert_eq!(states(&[]).unwrap_err(), "no layer is asked for");
    }
}
