//! Plays the committed corpus of `tools/fuzz` with the fuzz targets themselves: what once was interesting stays handled.

#[path = "../../fuzz/src/targets.rs"]
#[allow(unreachable_pub, reason = "the fuzzer's programs are crates of their own")]
mod targets;

use std::path::Path;

#[test]
fn every_input_of_the_corpus_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let mut played = 0;
        for entry in std::fs::read_dir(corpus.join(name)).unwrap() {
            let input = std::fs::read(entry.unwrap().path()).unwrap();
            target(&input);
            // Every beginning and a flipped bit at every place, too.
            for end in 0..input.len().min(512) {
                target(&input[..end]);
                let mut flipped = input.clone();
                flipped[end] ^= 1 << (end % 8);
                target(&flipped);
            }
            played += 1;
        }
        assert!(played > 0, "no corpus of {name}");
    }
}
