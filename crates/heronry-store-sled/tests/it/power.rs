//! Power cuts: of the blocks written after the last sync, any are left or none.

use std::cell::RefCell;

use heronry_store::{Head, Store};
use heronry_testkit::{
    embedded::{DeviceOp, DeviceRecorder, Image},
    recovery::{Acknowledged, RecoveryWriter, check_whole, large},
    sample,
};
use heronry_types::{Body, Position};

use crate::{disk::StoreDirectory, image::LogImage};

/// A sequence of numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A power cut: the image that lasted, the image that was on its way, and the heads that may be
/// found.
struct PowerCut {
    lasting: Image,
    later: Image,
    acknowledged: u64,
}

/// Returns a cut within each commit of a run on a new store.
fn cuts(run: impl Fn(&mut RecoveryWriter, &dyn Fn(Head))) -> Vec<PowerCut> {
    let folder = StoreDirectory::new();
    drop(folder.open_or_create().unwrap());
    cuts_in(&folder, run)
}

/// Returns a cut within each commit of a run.
fn cuts_in(
    folder: &StoreDirectory,
    run: impl Fn(&mut RecoveryWriter, &dyn Fn(Head)),
) -> Vec<PowerCut> {
    let recorder = DeviceRecorder::of(folder.store());
    let mut writer = RecoveryWriter::of(folder.open_watched(recorder.clone()).unwrap()).unwrap();
    let mut before = Acknowledged::default();
    writer
        .head
        .into_iter()
        .for_each(|head| before.note(0, head));
    let acknowledged = RefCell::new(before);
    run(&mut writer, &|head| {
        acknowledged.borrow_mut().note(recorder.count(), head);
    });
    drop(writer);
    let mut cuts: Vec<PowerCut> = Vec::new();
    let mut lasting = None;
    let moments = recorder.moments().into_iter().enumerate();
    for (operation, moment) in moments.filter(|(_, moment)| moment.op == DeviceOp::Sync) {
        let later = moment.image;
        let acknowledged = acknowledged.borrow().after(operation);
        if let Some(lasting) = lasting.replace(later.clone()) {
            cuts.push(PowerCut {
                lasting,
                later,
                acknowledged,
            });
        }
    }
    cuts
}

/// Checks each cut with so many choices of the blocks that were written, and returns how many.
fn check(cuts: &[PowerCut], choices: u64, body: impl Fn(u64) -> Body + Copy) -> usize {
    let mut images = 0;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for cut in cuts {
        let blocks = cut.lasting.blocks_changed(&cut.later);
        if blocks == 0 {
            continue;
        }
        for choice in 0..choices {
            let pivot = usize::try_from(numbers.next()).unwrap() % blocks;
            let is_written = |block: usize| match choice {
                0 => block >= pivot,
                1 => block != pivot,
                3 => block == pivot,
                4 => block < pivot,
                5 => false,
                _ => numbers.next().is_multiple_of(2),
            };
            let image = cut.lasting.torn(&cut.later, is_written);
            let store = open(&image);
            let heads = cut.acknowledged..=cut.acknowledged + 2;
            check_whole(&store.0, heads, body).unwrap();
            images += 1;
        }
    }
    images
}

fn open(image: &Image) -> (Store, StoreDirectory) {
    let folder = StoreDirectory::put(image);
    (folder.open().unwrap(), folder)
}

#[test]
fn what_was_acknowledged_is_kept_whichever_blocks_reached_the_disk() {
    let cuts = cuts(|writer, acknowledge| {
        for _ in 0..12 {
            acknowledge(writer.write(2).unwrap());
        }
    });
    let images = check(&cuts, 8, sample::body);
    assert!(images > 80, "only {images} images were checked");
}

#[test]
fn commits_of_many_segments_are_whole_or_absent() {
    let bytes = 3 * 1024 * 1024;
    let cuts = cuts(|writer, acknowledge| {
        for _ in 0..2 {
            acknowledge(writer.write_large(2, bytes).unwrap());
        }
    });
    let images = check(&cuts, 6, |number| large(bytes, Position(number)));
    assert!(images >= 12, "only {images} images were checked");
}

#[test]
fn a_store_that_uses_its_segments_again_keeps_what_was_acknowledged() {
    let bytes = 200_000;
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    for _ in 0..24 {
        writer.write_large(2, bytes).unwrap();
    }
    drop(writer);
    let before = folder.image();
    let cuts = cuts_in(&folder, |writer, acknowledge| {
        for _ in 0..8 {
            acknowledge(writer.write_large(2, bytes).unwrap());
        }
    });
    let after = &cuts.last().unwrap().later;
    assert!(
        before.segments_begun_anew(after) > 0,
        "no segment was used again"
    );
    let images = check(&cuts, 3, |number| large(bytes, Position(number)));
    assert!(images > 20, "only {images} images were checked");
}
