//! The folder: the same bytes whatever made them, damage that is noticed, input that is refused.

use std::collections::BTreeMap;
use std::path::Path;

use super::world::{Blocks, SMALL, World};
use crate::corpus::examples::prepare::write;
use crate::corpus::examples::tokens::{SIZES, Sizes};
use crate::corpus::examples::{
    Cursor, ExampleSet, ExampleSettings, ExamplesError, PassageKind, PassageSource, Passages, Segments, prepare,
};
use crate::diagnostic::Diagnostic;

fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

fn twice() -> ExampleSettings {
    ExampleSettings { dupe_factor: 2, ..ExampleSettings::default() }
}

fn said(error: &ExamplesError) -> String {
    match error {
        ExamplesError::Input(found) => found.message.clone(),
        ExamplesError::Io(error) => error.to_string(),
    }
}

#[test]
fn threads_and_blocks_change_no_byte() {
    let world = World::of(200);
    let made = |threads: usize, sentences: usize| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            write(&mut world.blocks(sentences), world.by(), &twice(), (folder.path(), SMALL), &|_| ()).unwrap()
        });
        content(folder.path())
    };
    let one = made(1, 1000);
    assert!(one.len() > 3 * 20 + 4, "many shards: {}", one.len());
    assert!(one == made(4, 13) && one == made(3, 1));
}

#[test]
fn shards_change_no_example() {
    let world = World::of(100);
    let (folder, whole) = world.examples(&twice());
    let out = folder.path().join("small");
    std::fs::create_dir(&out).unwrap();
    write(&mut world.blocks(50), world.by(), &twice(), (&out, SMALL), &|_| ()).unwrap();
    let small = ExampleSet::open(&out).unwrap();
    small.verify().unwrap();
    assert_eq!(small.len(), whole.len());
    for number in 0..whole.len() {
        assert_eq!(small.example(number, 3).unwrap(), whole.example(number, 3).unwrap());
    }
    let (batch, _) = whole.order(1).batch(Cursor::default(), 64);
    let one_by_one: Vec<_> = batch.iter().map(|(number, epoch)| whole.example(*number, *epoch).unwrap()).collect();
    assert_eq!(whole.examples(&batch).unwrap(), one_by_one);
}

#[test]
fn seeds_change_cuts_and_masks() {
    let world = World::of(30);
    let one = world.examples(&twice()).1;
    let two = world.examples(&ExampleSettings { seed: 2, ..twice() }).1;
    assert_ne!(one.checksum(), two.checksum());
    let (one, two) = (one.example(3, 0).unwrap(), two.example(3, 0).unwrap());
    assert!(one.ids != two.ids && one.masked_positions != two.masked_positions);
}

#[test]
fn vocabularies_of_more_than_16_bits_take_wider_tokens() {
    // Every token of the corpus is one of the vocabulary.
    let world = World::new(&vec![vec![700; 10]; 10]);
    assert!(world.vocabulary.len() > 1 << 16);
    let (folder, set) = world.examples(&ExampleSettings { segments: Segments::Single, ..twice() });
    let bytes = content(&folder.path().join("corpus"))["tokens-00000.bin"].len();
    assert_eq!(bytes, 4 * 70_000);
    let highest = (0..set.len()).flat_map(|number| set.example(number, 0).unwrap().masked_labels).max();
    assert!(highest.unwrap() > 1 << 16);
}

#[test]
fn every_damaged_file_is_noticed() {
    let world = World::of(20);
    let (folder, set) = world.examples(&twice());
    set.verify().unwrap();
    let out = folder.path().join("corpus");
    let whole = content(&out);
    for (name, bytes) in &whole {
        let path = out.join(name);
        let noticed = |damaged: &[u8]| {
            std::fs::write(&path, damaged).unwrap();
            let found = ExampleSet::open(&out).and_then(|set| set.verify()).err();
            found.unwrap_or_else(|| panic!("{name} is damaged and nothing was said"));
        };
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        noticed(&flipped);
        // The last byte of the manifest is a line's end, which JSON does not need.
        noticed(&bytes[..bytes.len() - 2]);
        noticed(&[bytes.as_slice(), b"x"].concat());
        noticed(b"");
        std::fs::remove_file(&path).unwrap();
        assert!(ExampleSet::open(&out).is_err(), "{name} is gone");
        std::fs::write(&path, bytes).unwrap();
    }
    ExampleSet::open(&out).unwrap().verify().unwrap();
}

#[test]
fn damaged_tokens_and_plans_cause_no_panic() {
    let world = World::of(20);
    let (folder, set) = world.examples(&twice());
    let out = folder.path().join("corpus");
    for name in ["tokens-00000.bin", "examples-00001.bin"] {
        let length = std::fs::metadata(out.join(name)).unwrap().len();
        std::fs::write(out.join(name), vec![0xff; length as usize]).unwrap();
        let damaged = ExampleSet::open(&out).unwrap();
        let failed = (0..set.len()).filter_map(|number| damaged.example(number, 0).err());
        let failed: Vec<String> = failed.map(|error| said(&error)).collect();
        assert!(failed.len() as u64 >= set.len() / 3);
        assert!(failed.iter().all(|error| error.contains("is damaged")), "{failed:?}");
    }
    let beyond = set.example(set.len(), 0).unwrap_err();
    assert!(said(&beyond).starts_with(&format!("no example {}; the corpus has", set.len())), "{beyond}");
}

#[test]
fn other_folders_and_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = ExampleSet::open(folder.path()).unwrap_err();
    assert!(said(&error).starts_with("not a prepared corpus: "), "{error}");
    std::fs::write(folder.path().join("corpus.json"), r#"{"corpus": {"version": 99}}"#).unwrap();
    let error = ExampleSet::open(folder.path()).unwrap_err();
    assert_eq!(said(&error), "a corpus of version 99, where version 1 is read");
}

#[test]
fn too_little_text_is_an_error_and_leaves_nothing() {
    let prepared = |documents: Vec<Vec<usize>>, segments| {
        let folder = tempfile::tempdir().unwrap();
        let settings = ExampleSettings { segments, ..twice() };
        let result = World::new(&documents).prepare(&settings, &folder.path().join("corpus"));
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, usize::from(result.is_ok()));
        result
    };
    let none = prepared(vec![], Segments::Single).unwrap_err();
    assert_eq!(said(&none), "the corpus has no text");
    let one = prepared(vec![vec![5, 5]], Segments::Pairs).unwrap_err();
    assert!(said(&one).starts_with("the corpus is one document, and next-sentence prediction needs"), "{one}");
    assert_eq!(prepared(vec![vec![5, 5]], Segments::Single).unwrap().counts.documents, 1);
    assert_eq!(prepared(vec![vec![1], vec![1]], Segments::Pairs).unwrap().examples, 4);
}

#[test]
fn empty_and_endless_documents_are_counted() {
    let world = World::new(&[vec![1; 100]]);
    let mut block = Passages::new(PassageKind::Running);
    block.end_document();
    block.push("w1 w2 \u{200b}");
    block.push("\u{200b}\u{0}");
    block.end_document();
    block.push("\u{200b}");
    block.end_document();
    block.push("zzz. W3!");
    let folder = tempfile::tempdir().unwrap();
    let blocks = Blocks([block].into());
    let counts = |mut blocks: Blocks, name: &str, sizes: Sizes| {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let summary = write(&mut blocks, world.by(), &twice(), (&folder, sizes), &|_| ()).unwrap();
        assert_eq!(summary.remarks["odd lines"], 3);
        let set = ExampleSet::open(&folder).unwrap();
        assert_eq!((set.counts(), set.checksum()), (&summary.counts, &*summary.checksum));
        summary.counts
    };
    let found = counts(blocks, "odd", SIZES);
    assert_eq!((found.documents, found.sentences, found.empty_documents, found.empty_sentences), (2, 3, 2, 2));
    // zzz . w3 !
    assert_eq!((found.tokens, found.unknown_tokens), (6, 3));
    let long = World::new(&[vec![1; 100]]).blocks(7);
    let found = counts(long, "long", Sizes { document_sentences: 30, ..SIZES });
    assert_eq!((found.documents, found.split_documents, found.sentences), (4, 3, 100));
    let long = World::new(&[vec![1; 100]]).blocks(7);
    let found = counts(long, "longer", Sizes { document_tokens: 50, ..SIZES });
    assert_eq!((found.documents, found.split_documents, found.tokens), (2, 1, 100));
}

/// A source that fails after its first block.
struct Failing(Option<Passages>);

impl PassageSource for Failing {
    fn next_block(&mut self) -> Result<Option<Passages>, Diagnostic> {
        self.0.take().map(Some).ok_or_else(|| Diagnostic::new("line 7 is no text"))
    }

    fn remarks(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

#[test]
fn what_is_wrong_with_the_input_is_said_and_an_older_corpus_stays() {
    let world = World::of(20);
    let (folder, set) = world.examples(&twice());
    let out = folder.path().join("corpus");
    let before = content(&out);
    let failed = prepare(&mut Failing(Some(Passages::default())), world.by(), &twice(), &out, &|_| ());
    assert_eq!(said(&failed.unwrap_err()), "line 7 is no text");
    assert_eq!(content(&out), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // Prepared again, it is replaced.
    let again = world.prepare(&ExampleSettings { seed: 5, ..twice() }, &out).unwrap();
    assert_ne!(again.checksum, set.checksum());
    assert_eq!(ExampleSet::open(&out).unwrap().checksum(), again.checksum);
}
