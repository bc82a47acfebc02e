use serde_json::Value;

use super::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/squad.json")).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn judged<'a>(case: &'a Value) -> Vec<Judged<'a>> {
    let question =
        |one: &'a Value| Judged { prediction: one["prediction"].as_str(), references: texts(&one["references"]) };
    case["questions"].as_array().unwrap().iter().map(question).collect()
}

/// The official scripts' number under `key`, bit for bit, or none.
fn same(ours: Option<f64>, theirs: &Value, key: &str, case: &Value) {
    assert_eq!(ours.map(f64::to_bits), theirs[key].as_f64().map(f64::to_bits), "{key} of {case}: {ours:?}");
}

#[test]
fn texts_are_normalised_as_the_official_scripts_do() {
    let golden = golden();
    let texts = golden["normalize"].as_object().unwrap();
    assert!(texts.len() > 250);
    for (text, expected) in texts {
        assert_eq!(normalize(text), *expected, "{text:?}");
    }
}

#[test]
fn version_1_scores_have_the_official_bits() {
    let golden = golden();
    let cases = golden["v1"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let tally = score_v1(&judged(case));
        same(Some(tally.exact_percent()), case, "exact_match", &case["case"]);
        same(Some(tally.f1_percent()), case, "f1", &case["case"]);
        for (percent, fraction) in
            [(tally.exact_percent(), tally.exact_fraction()), (tally.f1_percent(), tally.f1_fraction())]
        {
            // Two roundings more, each of at most half a unit in the last place.
            assert!((percent - 100.0 * fraction).abs() <= 2.0 * f64::EPSILON * percent, "{percent} {fraction}");
        }
    }
}

#[test]
fn version_2_scores_have_the_official_bits() {
    let golden = golden();
    let cases = golden["v2"].as_array().unwrap();
    assert!(cases.len() > 20);
    let (mut parts, mut thresholds) = (0, 0);
    for case in cases {
        let (name, theirs) = (&case["case"], &case["result"]);
        let odds: Option<Vec<f64>> =
            case["odds"].as_array().map(|odds| odds.iter().map(|x| x.as_f64().unwrap()).collect());
        let threshold = case["threshold"].as_f64().unwrap();
        let tallies = score_v2(&judged(case), odds.as_deref().map(|odds| NullOdds { odds, threshold }));
        same(Some(tallies.all.exact_percent()), theirs, "exact", name);
        same(Some(tallies.all.f1_percent()), theirs, "f1", name);
        assert_eq!(Some(tallies.all.total), theirs["total"].as_u64(), "{name}");
        for (prefix, tally) in [("HasAns", tallies.has_answer), ("NoAns", tallies.no_answer)] {
            // Where a prediction is missing, the script has no answer.
            if judged(case).iter().all(|one| one.prediction.is_some()) {
                same(tally.map(|tally| tally.exact_percent()), theirs, &format!("{prefix}_exact"), name);
                same(tally.map(|tally| tally.f1_percent()), theirs, &format!("{prefix}_f1"), name);
                assert_eq!(tally.map(|tally| tally.total), theirs[format!("{prefix}_total")].as_u64(), "{name}");
                parts += 1;
            }
        }
        let best = tallies.best;
        same(best.map(|best| best.exact_percent()), theirs, "best_exact", name);
        same(best.map(|best| best.exact_threshold), theirs, "best_exact_thresh", name);
        same(best.map(|best| best.f1_percent()), theirs, "best_f1", name);
        same(best.map(|best| best.f1_threshold), theirs, "best_f1_thresh", name);
        thresholds += usize::from(best.is_some());
    }
    assert!(parts > 40 && thresholds > 15, "{parts} {thresholds}");
}

#[test]
fn what_the_scripts_stop_at_is_defined() {
    assert!(score_v1(&[]).exact_percent().is_nan());
    let alone = Judged { prediction: Some("x"), references: vec![] };
    assert_eq!(score_v1(std::slice::from_ref(&alone)), Tally { exact: 0.0, f1: 0.0, total: 1 });
    let missing = Judged { prediction: None, references: vec!["x"] };
    let odds = NullOdds { odds: &[f64::NAN, f64::INFINITY], threshold: 1.0 };
    let tallies = score_v2(&[alone, missing], Some(odds));
    assert_eq!(tallies.has_answer, Some(Tally::default()));
    assert_eq!(tallies.no_answer, Some(Tally { exact: 0.0, f1: 0.0, total: 1 }));
    let best = tallies.best.unwrap();
    assert_eq!((best.exact, best.exact_threshold, best.total), (1.0, 0.0, 1));
}

#[test]
fn odds_that_are_no_number_stand_last() {
    let mut odds = [f64::NAN, 2.0, f64::NEG_INFINITY, f64::NAN, f64::INFINITY, -0.0, 0.0];
    odds.sort_by(|a, b| ascending(*a, *b));
    assert_eq!(odds[..5], [f64::NEG_INFINITY, -0.0, 0.0, 2.0, f64::INFINITY]);
    assert!(odds[2].is_sign_positive() && odds[5..].iter().all(|odds| odds.is_nan()));
}
