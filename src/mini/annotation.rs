//! Filling a task's files: exact shares of the classes, no text twice, and annotators who err.

use super::example::{Annotated, Answer, Example, Use};
use super::part::{Part, Taken, Written};
use super::tasks::MiniTask;
use super::world::World;
use super::{MiniError, bounds, formats};
use crate::random::{Draws, Stream};

impl MiniTask {
    /// The task's files in the official format, its bound and its texts.
    pub(super) fn part(&self, seed: u64, world: &World) -> Result<Part, MiniError> {
        let splits = self.annotate(seed, world)?;
        let bound = bounds::bound(self, &splits).map(|bound| (self.name, bound));
        let mut part = Part { bound, ..Part::default() };
        let stream = Stream::new(seed, &format!("mini/{}/columns", self.name));
        for ((at, split), rows) in (0..).zip(self.splits).zip(splits) {
            let path = format!("{}/{}.tsv", self.folder, split.stem);
            let labelled: Vec<_> = rows.iter().map(|row| (&row.example, self.written(row.label))).collect();
            let content = formats::file(&self.format, split.purpose, &labelled, &mut stream.at(at));
            part.files.push(Written { path, content, examples: rows.len() });
            let texts = if split.purpose == Use::Train { &mut part.training } else { &mut part.held_out };
            texts.extend(rows.into_iter().flat_map(|row| [row.example.first, row.example.second]));
        }
        Ok(part)
    }

    /// The examples of every split, in [`MiniTask::splits`]' order; no texts occur twice in a task.
    pub(super) fn annotate(&self, seed: u64, world: &World) -> Result<Vec<Vec<Annotated>>, MiniError> {
        let stream = Stream::new(seed, &format!("mini/{}", self.name));
        let mut taken = Taken::new(self.name);
        let mut splits = Vec::with_capacity(self.splits.len());
        for (at, split) in (0..).zip(self.splits) {
            let mut draws = stream.at(at);
            let rows: Result<Vec<Annotated>, MiniError> = self
                .classes_of(split.rows, &mut draws)
                .into_iter()
                .map(|class| {
                    let text = |example: &Example| format!("{}\t{}", example.first, example.second);
                    let example = taken.fresh(text, || (self.draw)(world, split.domain, class, &mut draws))?;
                    let label = self.label(example.answer, &mut draws);
                    Ok(Annotated { example, label })
                })
                .collect();
            splits.push(rows?);
        }
        Ok(splits)
    }

    /// The class of each of so many rows: shares exactly as the table says, in random order, so that
    /// the most frequent class is the same for every seed.
    fn classes_of(&self, rows: usize, draws: &mut Draws) -> Vec<usize> {
        let of_hundred: Vec<usize> =
            self.percent.iter().enumerate().flat_map(|(class, percent)| vec![class; *percent]).collect();
        let mut classes: Vec<usize> = (0..rows).map(|row| of_hundred[row * of_hundred.len() / rows]).collect();
        draws.shuffle(&mut classes);
        classes
    }

    /// The answer as annotated: another class now and then, or a score with an error, in steps of 0.2.
    fn label(&self, answer: Answer, draws: &mut Draws) -> Answer {
        match answer {
            Answer::Class(class) if draws.chance(self.noise) => {
                Answer::Class((class + 1 + draws.below(self.classes.len() - 1)) % self.classes.len())
            }
            Answer::Class(class) => Answer::Class(class),
            Answer::Score(score) => {
                let heard = score + self.noise * draws.normal();
                Answer::Score((heard.clamp(0.0, 5.0) * 5.0).round() / 5.0)
            }
        }
    }

    /// An answer as the files write it.
    fn written(&self, answer: Answer) -> String {
        match answer {
            Answer::Class(class) => self.classes[class].to_string(),
            Answer::Score(score) => format!("{score:.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tasks::TASKS;
    use super::*;

    fn annotated(name: &str) -> Vec<Annotated> {
        let task = TASKS.iter().find(|task| task.name == name).unwrap();
        task.annotate(1, &World::new(1)).unwrap().concat()
    }

    #[test]
    fn labels_differ_from_the_truth_as_often_as_the_table_says() {
        for task in TASKS.iter().filter(|task| !task.classes.is_empty()) {
            let rows = annotated(task.name);
            let wrong = rows.iter().filter(|row| row.label != row.example.answer).count() as f64;
            let expected = task.noise * rows.len() as f64;
            // Four standard deviations of a binomial count.
            assert!((wrong - expected).abs() <= 4.0 * (expected * (1.0 - task.noise)).sqrt(), "{}: {wrong}", task.name);
        }
    }

    #[test]
    fn scores_differ_from_the_truth_by_the_deviation_that_the_table_says() {
        let errors: Vec<f64> = annotated("stsb")
            .iter()
            .filter_map(|row| match (row.label, row.example.answer) {
                // Near 0 and 5 the clamp cuts the error off.
                (Answer::Score(heard), Answer::Score(truth)) if (1.5..=3.5).contains(&truth) => Some(heard - truth),
                _ => None,
            })
            .collect();
        let deviation = (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt();
        assert!(errors.len() > 300 && (deviation - 0.4).abs() < 0.05, "{deviation} of {}", errors.len());
    }

    /// Wordings that settle the right answer whatever else the example says.
    #[test]
    fn answers_follow_from_the_meaning() {
        type Holds = fn(&str, &str) -> bool;
        const SETTLED: [(&str, Holds, usize); 8] = [
            ("cola", |text, _| text.contains(" goed ") || text.contains("more taller"), 0),
            ("sst2", |text, _| text.contains("i want my money back"), 0),
            ("sst2", |text, _| text.contains("was not boring") || text.contains("was never dull"), 1),
            ("mrpc", |one, two| one.contains("refused to") != two.contains("refused to"), 0),
            ("qqp", |one, two| one.contains("in the film") != two.contains("in the film"), 0),
            ("mnli", |_, two| two.starts_with("Nobody"), 0),
            ("qnli", |_, two| two.starts_with("Little is known"), 1),
            ("rte", |one, _| one.contains("promised to"), 1),
        ];
        for (name, holds, class) in SETTLED {
            let rows = annotated(name);
            let settled: Vec<&Annotated> =
                rows.iter().filter(|row| holds(&row.example.first, &row.example.second)).collect();
            assert!(!settled.is_empty(), "{name}: no such example");
            assert!(settled.iter().all(|row| row.example.answer == Answer::Class(class)), "{name}");
        }
    }

    /// Each pronoun example of WNLI names one of the two people (or things) that it could mean.
    #[test]
    fn wnli_hypotheses_speak_of_the_first_sentence() {
        for row in annotated("wnli") {
            let subject = row.example.second.split(" had ").next().unwrap_or_default();
            let name = subject.split_whitespace().next().unwrap_or_default();
            let about = if name == "The" { subject.split_whitespace().nth(1).unwrap_or_default() } else { name };
            assert!(row.example.first.contains(about), "{:?}", row.example);
        }
    }
}
