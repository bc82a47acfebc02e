//! Parameters, operations, time, memory and disk against counts by hand.

use super::*;

/// 4 layers of width 768, 16 sequences of 128 tokens: 0.36 TFLOP a training step, by hand
/// 3 × 4 × 2048 × (2 × 7,077,888 + 4 × 128 × 768), and 16 poolings.
#[test]
fn flops_of_a_training_step_match_the_count_by_hand() {
    let step = 3.0 * forward_flops(&architecture(4, 768, 12, 30522), 16 * 128, 16);
    let by_hand = 3.0 * (4.0 * 2048.0 * (2.0 * 7_077_888.0 + 4.0 * 128.0 * 768.0) + 16.0 * 2.0 * 768.0 * 768.0);
    assert!((step / by_hand - 1.0).abs() < 1e-12);
    assert!((step / 0.36e12 - 1.0).abs() < 0.02, "{step}");
    // Of the last layer, a classifier needs the attention's output projection and the feed-forward layer of 16 tokens.
    let classifier = 3.0 * classifier_flops(&architecture(4, 768, 12, 30522), 16 * 128, 16, LastLayer::ReadTokens);
    let left_out = 3.0 * 2032.0 * 2.0 * (768.0 * 768.0 + 2.0 * 768.0 * 3072.0);
    assert!(((step - classifier) / left_out - 1.0).abs() < 1e-9);
}

#[test]
fn the_forecast_adds_up_what_a_run_does() {
    let plan = plan();
    let run = &plan.runs[0];
    let all = forecast(run, &CALIBRATION).seconds.0;
    let infinite = f64::INFINITY;
    let free = Calibration {
        forward_backward_flops_per_second: infinite,
        evaluation_flops_per_second: infinite,
        optimizer_parameters_per_second: infinite,
        step_overhead: Seconds(0.0),
        run_overhead: Seconds(0.0),
        base_memory: Bytes(0),
    };
    let part = |calibration: Calibration| forecast(run, &calibration).seconds.0;
    let parts = [
        part(Calibration { forward_backward_flops_per_second: 1e11, ..free }),
        part(Calibration { evaluation_flops_per_second: 2e11, ..free }),
        part(Calibration { optimizer_parameters_per_second: 1e9, ..free }),
        part(Calibration { step_overhead: Seconds(0.001), ..free }),
        part(Calibration { run_overhead: Seconds(0.5), ..free }),
    ];
    assert!(parts.iter().all(|part| *part > 0.0), "{parts:?}");
    assert!((parts.iter().sum::<f64>() / all - 1.0).abs() < 1e-12);
    assert!((parts[3] - 0.189).abs() < 1e-12, "189 steps of a millisecond: {}", parts[3]);
    let flops = 3.0 * classifier_flops(&run.settings.architecture, 90_000, 3000, LastLayer::ReadTokens);
    assert!((parts[0] / (flops / 1e11) - 1.0).abs() < 1e-12);
    let unknown = part(Calibration { forward_backward_flops_per_second: 0.0, ..free });
    assert_eq!(Seconds(unknown).to_string(), "unknown");
}

#[test]
fn memory_grows_with_the_batch_and_holds_the_optimizer() {
    let plan = plan();
    let memory = |index: usize| forecast(&plan.runs[index], &CALIBRATION).peak_memory.0;
    let trained = 16 * plan.runs[0].settings.architecture.parameters();
    let fixed = CALIBRATION.base_memory.0 + trained;
    // Runs 0 and 6 differ in the batch size alone, 16 and 32.
    assert_eq!(memory(6) - fixed, 2 * (memory(0) - fixed));
    // By hand: 16 × 128 tokens, 2 layers of (10 × 64 + 2 × 256 + 3 × 2 × 128) floats, 3 × 64 before them.
    assert_eq!(memory(0) - fixed, 4 * 2048 * (2 * (640 + 512 + 768) + 192));
    // With layers computed again: two inputs of 64 floats and one layer at a time.
    let mut recomputed = plan.runs[0].clone();
    recomputed.settings.optimization.gradient_checkpointing = true;
    assert_eq!(forecast(&recomputed, &CALIBRATION).peak_memory.0 - fixed, 4 * 2048 * (2 * 64 + 640 + 512 + 768));
}

#[test]
fn totals_sum_time_and_disk_and_keep_one_model_per_task() {
    let plan = plan();
    let totals = plan.totals(&CALIBRATION);
    let each: Vec<Forecast> = plan.runs.iter().map(|run| forecast(run, &CALIBRATION)).collect();
    assert_eq!(totals.runs, 96);
    assert!((totals.seconds.0 - each.iter().map(|f| f.seconds.0).sum::<f64>()).abs() < 1e-9);
    assert_eq!(totals.peak_memory, each.iter().map(|f| f.peak_memory).max().unwrap());
    let folders: u64 = each.iter().map(|f| f.disk.0).sum();
    let largest = plan.runs[0].settings.architecture.parameters().max(plan.runs[48].settings.architecture.parameters());
    assert_eq!(totals.disk.0, folders + 2 * 4 * largest);
}
