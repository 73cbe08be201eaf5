//! The golden image has one of each part of a state: a part that is added is asked for here.

use std::{fs, mem::discriminant, path::PathBuf};

use heronry_types::{
    AliasName, Durability, EdgeStanding, ManagedBy, Policies, Position, RunId, SourceId,
    SourceItemId, SourcePosition, Timestamp, Vocabulary,
};

use crate::{
    Minter,
    engine::Replay,
    state::{
        CopySlot, Deadlines, Due, ENCODING_VERSION, Earlier, Effects, ForeignSource, KnownEdge,
        Member, Members, Message, Messages, Roster, Sources, State, UnnamedContents, WakeEnd,
        Wakes, Wiring,
    },
};

/// The number of kinds of deadlines, of ends of a wake and of standings of a copy.
const DUES: usize = 7;
const WAKE_ENDS: usize = 4;
const COPY_SLOTS: usize = 7;

fn golden() -> Replay {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    let path = folder.join(format!("v{ENCODING_VERSION}/image.hex"));
    let digits = fs::read_to_string(path).unwrap();
    let pairs = digits.trim().as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let image: Vec<u8> = pairs.map(byte).collect();
    Replay::from_image(&image, Minter::new([7; 32]), Durability::Memory).unwrap()
}

/// Returns how many variants there are among these.
fn variants<'a, T: 'a>(all: impl Iterator<Item = &'a T>) -> usize {
    let mut found = Vec::new();
    for kind in all.map(discriminant) {
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    found.len()
}

#[test]
fn the_golden_image_has_one_of_each_part_of_a_state() {
    let golden = golden();
    let State {
        pool: _,
        timelines,
        head,
        floor,
        trims,
        time,
        // The journal has it in a record, with golden bytes.
        config: _,
        settings,
        settings_version,
        members,
        messages,
        dead,
        wakes,
        effects,
        unnamed,
        sources,
        roster,
        wiring,
        deadlines,
    } = golden.state();
    assert!(timelines.iter().count() > 1 && time.as_millis() > 0);
    assert!(*floor > Position(1) && trims.floor() == Some(*floor));
    assert!(trims.decided() >= floor.previous());
    assert!(settings.retention.is_some() && !settings.limits.is_empty());
    assert!(*settings_version > 0 && dead.iter().next().is_some());
    check_members(members);
    check_messages(messages, *floor, *head);
    check_wakes(wakes);
    check_effects(effects, *head);
    check_unnamed(unnamed);
    check_sources(sources);
    check_roster(roster);
    check_wiring(wiring);
    check_deadlines(deadlines);
}

fn check_members(members: &Members) {
    let some = |has: fn(&Member) -> bool| members.iter().any(has);
    assert!(some(|it| it.session.is_some() && it.topics.len() > 1));
    assert!(some(|it| it.lease.is_some() && it.lost_until.is_some()));
    assert!(some(|it| it.predecessor.is_some()));
    assert!(some(|it| it.policies != Policies::default()));
    assert!(some(|it| it.suspension.is_some()));
    assert!(some(|it| it.wakes.len() > 1));
    assert!(some(|it| it.inbox.ready.len() > 0));
    assert!(some(|it| !it.inbox.delayed.is_empty()));
    assert!(some(|it| !it.inbox.special.is_empty()));
    assert!(some(
        |it| it.inbox.receives.len() > 1 && it.inbox.claimed > 1
    ));
    assert!(some(|it| !it.inbox.begun.is_empty()));
    let runs = ["f", "nobody"].map(|run| RunId::parse(run).unwrap());
    assert_eq!(runs.map(|it| members.ended(&it).is_some()), [true, false]);
}

fn check_messages(messages: &Messages, floor: Position, head: Position) {
    let in_memory = messages.sorted();
    let some = |has: fn(&Message) -> bool| in_memory.iter().any(|it| has(it.message));
    assert!(some(|it| it.replays.is_some()) && some(|it| it.replies.is_some()));
    assert!(some(|it| it.accepted.expires_at.is_some()));
    assert!(some(|it| it.not_peered.is_some()) && some(|it| it.accepted.alias.is_some()));
    let slots = in_memory.iter().flat_map(|it| &*it.message.copies);
    let slots: Vec<&CopySlot> = slots.map(|copy| &copy.slot).collect();
    assert_eq!(
        variants(slots.into_iter()),
        COPY_SLOTS,
        "each standing of a copy"
    );
    let finished = in_memory.iter().filter(|it| it.message.is_finished);
    let [mut stays, mut leaves] = [false; 2];
    for finished in finished {
        stays |= finished.accepted < floor;
        leaves |= finished.accepted > floor;
    }
    assert!(
        stays && leaves,
        "finished ones that stay, and that may leave"
    );
    let left = (1..head.0).map(Position);
    let left = left.filter(|it| messages.knows(*it) && messages.get(*it).is_none());
    assert!(left.count() > 1, "finished ones that have left");
}

fn check_wakes(wakes: &Wakes) {
    let all = || wakes.all().values();
    let ends: Vec<&WakeEnd> = all().filter_map(|it| Some(&it.end.as_ref()?.1)).collect();
    assert_eq!(variants(ends.into_iter()), WAKE_ENDS, "each end of a wake");
    assert!(all().any(|it| matches!(it.earlier, Earlier::Pending(_))));
    assert!(all().any(|it| it.end.is_none() && it.condition.is_some()));
}

fn check_effects(effects: &Effects, head: Position) {
    let all = (1..head.0).filter_map(|it| effects.get(Position(it)));
    let (ended, pending): (Vec<_>, Vec<_>) = all.partition(|it| it.end.is_some());
    assert!(!ended.is_empty() && !pending.is_empty());
}

fn check_unnamed(unnamed: &UnnamedContents) {
    assert!(!unnamed.all().is_empty());
    assert!(unnamed.last_erasure() > Position::ZERO);
}

fn check_sources(sources: &Sources) {
    let source = |id: &str| sources.get(&SourceId::parse(id).unwrap()).unwrap();
    let [numbered, named, attached] = ["numbered", "named", "attached"].map(source);
    let places = [
        SourcePosition::Number(1),
        SourcePosition::Id(SourceItemId::parse("one").unwrap()),
    ];
    let speaks = |source: &ForeignSource| places.each_ref().map(|it| source.speaks_like(it));
    assert_eq!(speaks(numbered), [true, false]);
    assert_eq!(speaks(named), [false, true]);
    assert_eq!(speaks(attached), [true, true], "nothing was taken of it");
    let ForeignSource {
        owner, last_batch, ..
    } = numbered;
    assert!(owner.is_some() && last_batch.is_some());
    assert!(attached.attached.is_some() && attached.owner.is_none());
}

fn check_roster(roster: &Roster) {
    assert!(roster.steward.is_some() && roster.revision > 1);
    assert!(roster.held_since.is_some() && roster.reconciled.is_some());
    let contents = roster.layers.values().map(|it| it.content.is_some());
    assert_eq!(contents.collect::<Vec<_>>(), [true, false]);
    assert!(roster.modules.values().any(|it| it.why.is_some()));
    assert!(roster.errors.contains("error"));
    let rows = || roster.after(None).map(|it| it.row);
    assert!(rows().any(|it| it.stands.is_none() && it.why.is_some()));
    assert!(rows().any(|it| !it.labels.is_empty()));
    let standings = rows().filter_map(|it| it.stands.as_ref());
    let standings: Vec<bool> = standings.map(|it| it.generation.is_some()).collect();
    assert!(standings.contains(&true) && standings.contains(&false));
}

fn check_wiring(wiring: &Wiring) {
    let edges: Vec<&KnownEdge> = wiring.edges_after(None).map(|(_, known)| known).collect();
    let standings = edges.iter().map(|known| &known.standing);
    assert_eq!(variants(standings), EdgeStanding::ALL.len());
    let managers = edges.iter().map(|known| &known.manager);
    assert_eq!(variants(managers), ManagedBy::ALL.len());
    let aliases: Vec<&AliasName> = wiring.aliases_after(None).map(|(alias, _)| alias).collect();
    assert!(aliases.iter().any(|alias| alias.recipient.is_none()));
    assert!(aliases.iter().any(|alias| alias.channel.is_some()));
    assert!(wiring.labels(None).is_some_and(|labels| !labels.is_empty()));
    assert!(wiring.labelled_runs() > 0);
}

fn check_deadlines(deadlines: &Deadlines) {
    let end = Timestamp::from_millis(i64::MAX);
    let all: Vec<&Due> = deadlines.due(end).collect();
    assert_eq!(variants(all.iter().copied()), DUES, "each kind of deadline");
    let mut visible = deadlines.became_visible(Timestamp::default(), end);
    assert!(visible.next().is_some());
}
