//! The loss of the next token beside a task's, and pairs in both orders.

use super::*;

/// The runs of both tasks, of which `stsb` is one of similarity.
fn planned(training: &str, inputs: &Inputs) -> Result<Plan, Diagnostic> {
    let text = format!("{FILE}training: {training}\n");
    expand(&parsed(&text, &[])?, inputs, &sizes())
}

fn causal() -> Inputs {
    let mut inputs = inputs();
    inputs.models.values_mut().for_each(|model| model.architecture.causal = true);
    inputs
}

/// The ids of all runs of a task.
fn ids(plan: &Plan, task: &str) -> Vec<RunId> {
    plan.runs.iter().filter(|run| run.settings.task_name() == task).map(|run| run.id.clone()).collect()
}

#[test]
fn settings_without_the_keys_keep_their_ids_and_others_have_new_ones() {
    let plain = plan();
    assert_eq!(planned("{lm_coef: 0, both_orders: false}", &inputs()).unwrap(), plain);
    let without = planned("{}", &causal()).unwrap();
    let [next_token, orders] = ["{lm_coef: 0.5}", "{both_orders: true}"].map(|of| planned(of, &causal()).unwrap());
    for task in TASKS {
        assert!(ids(&without, task).iter().zip(ids(&next_token, task)).all(|(one, other)| *one != other));
    }
    assert!(ids(&without, "stsb").iter().zip(ids(&orders, "stsb")).all(|(one, other)| *one != other));
    assert_eq!(ids(&without, "rte"), ids(&orders, "rte"), "its texts have an order");
}

#[test]
fn both_orders_take_twice_the_tokens_and_the_next_token_more_operations() {
    let [without, next_token, orders] =
        ["{}", "{lm_coef: 0.5}", "{both_orders: true}"].map(|of| planned(of, &causal()).unwrap());
    let first = |plan: &Plan| (plan.runs[0].tokens.0, flops(&plan.runs[0]));
    let (tokens, operations) = first(&without);
    assert_eq!(first(&orders), (2 * tokens, 2.0 * operations));
    let (width, words) = (64.0, 1000.0);
    let decoder = 3.0 * 2.0 * tokens as f64 * width * words;
    // And the last layer for every token, not the last of each sequence alone.
    let (run, of) = (&next_token.runs[0], next_token.runs[0].settings.architecture);
    let one_token = classifier_flops(&of, tokens, run.examples, LastLayer::ReadTokens);
    let last_layer = 3.0 * (forward_flops(&of, tokens, run.examples) - one_token);
    assert!((first(&next_token).1 - operations - decoder - last_layer).abs() < 1.0);
    let memory = |plan: &Plan| forecast(&plan.runs[0], &CALIBRATION).peak_memory;
    assert!(memory(&orders) > memory(&without));
}

#[test]
fn the_next_token_is_refused_by_name_for_models_that_have_seen_it() {
    let mut mixed = causal();
    mixed.models.get_mut("deep").unwrap().architecture.causal = false;
    let refused = planned("{lm_coef: 0.5}", &mixed).unwrap_err();
    assert_eq!(refused.message, "`lm_coef` asks for the loss of the next token, which the model `deep` (BERT) has not");
    assert!(refused.hint.unwrap().contains("`openai_gpt`"));
}
