//! What came of the cases: as text, as JSON, as JUnit.

use super::play::Failure;
use crate::out::{self, Colour};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// One case and what came of it.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) door: &'static str,
    pub(super) took: Duration,
    pub(super) failure: Option<Failure>,
}

impl Outcome {
    pub(super) fn print(&self, json: bool) {
        if json {
            out::json_line(&self.json());
            return;
        }
        let (colour, word) = match self.failure {
            None => (Colour::Green, "PASS"),
            Some(_) => (Colour::Red, "FAIL"),
        };
        out::say(format_args!(
            "{}  {:<26} {} ({:.1} s)",
            out::coloured(colour, word),
            self.name,
            self.title,
            self.took.as_secs_f64()
        ));
        if let Some(failure) = &self.failure {
            out::say(format_args!("      step {}: {}", failure.step, failure.why));
            for line in &failure.seen {
                out::say(format_args!("        {line}"));
            }
        }
    }

    fn json(&self) -> Value {
        let failure = self.failure.as_ref();
        json!({
            "case": self.name,
            "title": self.title,
            "door": self.door,
            "passed": failure.is_none(),
            "seconds": self.took.as_secs_f64(),
            "step": failure.map(|failure| failure.step),
            "why": failure.map(|failure| failure.why.as_str()),
            "seen": failure.map(|failure| &failure.seen),
        })
    }
}

/// The file that build servers read.
pub(super) fn junit(outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    let seconds: f64 = outcomes.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!(
        "tests=\"{}\" failures=\"{failed}\" time=\"{seconds:.3}\"",
        outcomes.len()
    );
    let _ = writeln!(
        text,
        "<testsuites {counts}>\n  <testsuite name=\"rialto certify\" {counts}>"
    );
    for outcome in outcomes {
        let _ = write!(
            text,
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            outcome.door,
            escaped(&outcome.name),
            outcome.took.as_secs_f64()
        );
        let _ = match &outcome.failure {
            None => writeln!(text, "/>"),
            Some(failure) => writeln!(
                text,
                ">\n      <failure message=\"step {}: {}\">{}</failure>\n    </testcase>",
                failure.step,
                escaped(&failure.why),
                escaped(&failure.seen.join("\n"))
            ),
        };
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// As XML has it; what it cannot have at all is replaced.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(character),
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_has_a_case_each_and_its_failure() {
        let outcome = |name: &str, failure| Outcome {
            name: name.to_owned(),
            title: String::new(),
            door: "fix",
            took: Duration::from_millis(1_500),
            failure,
        };
        let failure = Failure {
            step: 3,
            why: "no \"A\" & <B>".to_owned(),
            seen: vec!["client D 11=\u{1}".to_owned()],
        };
        let text = junit(&[outcome("good", None), outcome("bad", Some(failure))]);
        assert!(text.contains("tests=\"2\" failures=\"1\" time=\"3.000\""), "{text}");
        assert!(text.contains("name=\"good\" time=\"1.500\"/>"), "{text}");
        assert!(text.contains("step 3: no &quot;A&quot; &amp; &lt;B&gt;"), "{text}");
        assert!(!text.contains('\u{1}'));
    }
}
