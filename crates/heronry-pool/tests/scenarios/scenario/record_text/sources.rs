//! Records about foreign sources of events, as lines of text.

use heronry_journal::{SourceAttached, SourceDetached, SourceGap};

use super::Tell;

impl Tell for SourceGap {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let mut text = format!("{run} misses ");
        text.push_str(
            &it.missed
                .map_or("some".to_owned(), |missed| missed.to_string()),
        );
        text.extend([format!(" of {}: {}", it.source, it.reason)]);
        for (word, place) in [("after", &it.after), ("through", &it.through)] {
            text.extend(place.iter().map(|place| format!(" {word} {place}")));
        }
        text.extend(it.note.iter().map(|note| format!(" ({note})")));
        text
    }
}

impl Tell for SourceAttached {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let replaced = it.replaced;
        let replaced = replaced.map_or(String::new(), |it| format!(", taken from {it}"));
        format!("{run} has {} as {}{replaced}", it.source, it.instance)
    }
}

impl Tell for SourceDetached {
    fn tell(&self, run: &str) -> String {
        format!("{run} leaves {}/{}", self.source, self.generation)
    }
}
