//! What a representation can do, in tasks of which everything else is left out: *reach*, how far back one word may stand that
//! decides; *lookup*, how far back when many were said and any may be asked (associative recall); *agreement*, the same in
//! the world's own sentences; *sides*, from which side a word may decide.
//!
//! All are tagged words, so that an answer is read off the place that is asked and nowhere else. Words are those that the
//! corpus knows; neither the vocabulary's counts nor the corpus come from these files.

mod agreement;
mod lookup;
mod probe;
mod reach;
mod sides;

pub(super) use agreement::part as agreement;
pub(super) use lookup::part as lookup;
pub(super) use reach::part as reach;
pub(super) use sides::part as sides;

#[cfg(test)]
mod tests {
    use super::probe::OUTSIDE;
    use super::probe::tests::sentences;
    use super::*;
    use crate::mini::world::World;

    #[test]
    fn files_have_the_sentences_that_they_say_and_no_answer_is_more_frequent() {
        let world = World::new(1);
        for part in [reach(1, &world), lookup(1, &world), agreement(1, &world), sides(1, &world)] {
            for file in part.unwrap().files {
                let sentences = sentences(&file.content);
                assert_eq!(sentences.len(), file.examples, "{}", file.path);
                let mut tags: Vec<&str> = sentences.iter().flatten().map(|(_, tag)| *tag).collect();
                tags.retain(|tag| *tag != OUTSIDE);
                let first = tags.iter().filter(|tag| **tag == tags[0]).count();
                assert_eq!(2 * first, tags.len(), "{}", file.path);
            }
        }
    }
}
