use super::*;
use sluice_object::GroupVersionKind;

fn id() -> ObjectId {
    ObjectId {
        gvk: GroupVersionKind::new("apps/v1", "Deployment"),
        namespace: Some("ns".into()),
        name: "web".into(),
    }
}

fn seen(fingerprint: u8, version: u64) -> Seen {
    owned(fingerprint, fingerprint, version)
}

fn owned(fingerprint: u8, ownership: u8, version: u64) -> Seen {
    Seen {
        fingerprint: [fingerprint; 16],
        ownership: [ownership; 16],
        version,
    }
}

fn owner() -> &'static str {
    "Kustomization/ns/apps"
}

fn desired() -> Verified {
    Verified {
        desired: [7; 16],
        is_skipped: false,
        is_passing: false,
    }
}

#[test]
fn an_edit_wakes_the_owner_and_our_own_write_does_not() {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    assert!(live.claim_watch(&kind) && !live.claim_watch(&kind));
    live.listing(&kind);
    assert_eq!(live.listed(&kind), []);
    assert_eq!(live.knowledge(&id), Knowledge::Absent);
    live.verified(&id, &owner(), desired(), seen(1, 10));
    assert_eq!(live.knowledge(&id), Knowledge::Verified(desired(), [1; 16]));
    let saw = |seen| live.saw(&kind, Some("ns"), "web", None, seen);
    assert_eq!(saw(Some(seen(1, 10))), Moved::Nothing, "our own write comes back");
    assert_eq!(
        saw(Some(seen(9, 9))),
        Moved::Nothing,
        "late news of an older state"
    );
    assert_eq!(saw(Some(seen(2, 11))), Moved::Drifted(owner()));
    assert_eq!(live.knowledge(&id), Knowledge::Moved);
    live.verified(&id, &owner(), desired(), seen(3, 12));
    assert_eq!(saw(None), Moved::Drifted(owner()), "deleted by somebody");
    assert_eq!(live.knowledge(&id), Knowledge::Absent);
}

#[test]
fn what_a_new_list_does_not_show_is_gone() {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    live.listing(&kind);
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), seen(1, 10));
    live.listing(&kind);
    assert_eq!(live.listed(&kind), [Moved::Drifted(owner())]);
    assert_eq!(live.forget(&id, &"another"), Moved::Nothing);
    assert_eq!(live.len(), 1, "it is not theirs to forget");
    assert_eq!(live.forget(&id, &owner()), Moved::Nothing);
    assert!(live.is_empty());
}

#[test]
fn health_is_told_while_it_is_awaited() {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    live.listing(&kind);
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), seen(1, 10));
    live.await_health(&id, &owner(), true);
    // the status moved: the fingerprint is the same, the version is not
    assert_eq!(
        live.saw(&kind, Some("ns"), "web", None, Some(seen(1, 11))),
        Moved::Health(owner())
    );
    live.await_health(&id, &owner(), false);
    assert_eq!(
        live.saw(&kind, Some("ns"), "web", None, Some(seen(1, 12))),
        Moved::Nothing
    );
}

#[test]
fn what_is_not_ours_may_move() {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    live.listing(&kind);
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), owned(1, 1, 10));
    let moved = live.saw(&kind, Some("ns"), "web", None, Some(owned(2, 1, 11)));
    assert_eq!(
        (moved, live.knowledge(&id)),
        (Moved::Nothing, Knowledge::Verified(desired(), [2; 16]))
    );
    let moved = live.saw(&kind, Some("ns"), "web", None, Some(owned(3, 2, 12)));
    assert_eq!(moved, Moved::Drifted(owner()));
}

#[test]
fn one_who_loses_an_object_knows_to_whom_and_has_it_again() {
    let live = Live::<&'static str>::default();
    let (id, kind, other) = (id(), id().gvk.group_kind(), "Kustomization/ns/other");
    live.listing(&kind);
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), seen(1, 10));
    assert_eq!(live.taken(&id, &owner()), None);
    let wish = Verified {
        desired: [8; 16],
        ..desired()
    };
    live.verified(&id, &other, wish, seen(2, 11));
    assert_eq!(live.taken(&id, &owner()), Some((other, [7; 16])));
    assert_eq!(live.taken(&id, &other), None);
    let saw = |seen| live.saw(&kind, Some("ns"), "web", None, seen);
    assert_eq!(saw(Some(seen(2, 11))), Moved::Nothing, "taking it wakes nobody");
    assert_eq!(live.forget(&id, &other), Moved::Drifted(owner()));
    assert_eq!(saw(None), Moved::Drifted(owner()), "pruned by the other");

    // who lets go of what he lost leaves it to the other
    live.verified(&id, &owner(), desired(), seen(3, 12));
    live.verified(&id, &other, wish, seen(4, 13));
    assert_eq!(live.forget(&id, &owner()), Moved::Nothing);
    assert_eq!(live.knowledge(&id), Knowledge::Verified(wish, [4; 16]));
    assert_eq!(saw(Some(seen(5, 14))), Moved::Drifted(other));
}

#[test]
fn what_passes_by_itself_is_not_missed() {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    live.listing(&kind);
    live.listed(&kind);
    let passing = Verified {
        is_passing: true,
        ..desired()
    };
    live.verified(&id, &owner(), passing, seen(1, 10));
    let saw = |seen| live.saw(&kind, Some("ns"), "web", None, seen);
    assert_eq!(
        saw(Some(seen(2, 11))),
        Moved::Drifted(owner()),
        "an edit is an edit"
    );
    live.verified(&id, &owner(), passing, seen(3, 12));
    live.await_health(&id, &owner(), true);
    assert_eq!(saw(None), Moved::Health(owner()));
    live.await_health(&id, &owner(), false);
    assert_eq!(saw(None), Moved::Nothing);
    assert_eq!(live.knowledge(&id), Knowledge::Passed(passing));
    assert!(live.is_healthy(&id, 0) && live.is_passing(&id));
    // the same where only the next list tells
    live.verified(&id, &owner(), passing, seen(4, 13));
    live.listing(&kind);
    assert_eq!(live.listed(&kind), [Moved::Nothing]);
}

#[test]
fn what_is_healthy_by_some_rules_is_not_by_others() {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    live.listing(&kind);
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), seen(1, 10));
    assert!(!live.is_healthy(&id, 0), "nobody has looked");
    live.healthy(&id, 10, 7);
    assert!(live.is_healthy(&id, 7) && !live.is_healthy(&id, 0));
    let moved = live.saw(&kind, Some("ns"), "web", None, Some(seen(1, 11)));
    assert_eq!(moved, Moved::Nothing);
    assert!(!live.is_healthy(&id, 7), "it has moved");
}

#[test]
fn nothing_is_trusted_without_a_watch() {
    let live = Live::<&'static str>::default();
    live.verified(&id(), &owner(), desired(), seen(1, 10));
    assert_eq!(live.knowledge(&id()), Knowledge::Moved);
}

/// A watched object that its owner has verified.
fn known() -> (Live<&'static str>, ObjectId, GroupKind) {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    live.listing(&kind);
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), seen(1, 10));
    (live, id, kind)
}

/// Keeps what it is told.
fn told() -> (
    std::sync::Arc<Mutex<Vec<Moved<&'static str>>>>,
    impl Fn(Moved<&'static str>) + Send + Sync,
) {
    let told = std::sync::Arc::new(Mutex::new(Vec::new()));
    let ear = told.clone();
    (told, move |moved| ear.lock().unwrap().push(moved))
}

#[test]
fn a_watch_that_is_quicker_than_the_answer_wakes_nobody() {
    let (live, id, kind) = known();
    let (other, (told, ear)) = ("Kustomization/ns/other", told());
    let saw = |seen| live.saw(&kind, Some("ns"), "web", None, seen);
    let writing = live.writing(&id, &other, &ear);
    assert_eq!(saw(Some(seen(2, 11))), Moved::Nothing);
    assert_eq!(
        live.taken(&id, &owner()),
        Some((other, [7; 16])),
        "it is being taken"
    );
    live.verified(&id, &other, desired(), seen(2, 11));
    drop(writing);
    assert_eq!(*told.lock().unwrap(), [Moved::Nothing]);

    // somebody edits it before the answer comes
    let writing = live.writing(&id, &other, &ear);
    assert_eq!(saw(Some(seen(4, 13))), Moved::Nothing);
    live.verified(&id, &other, desired(), seen(3, 12));
    drop(writing);
    assert_eq!(told.lock().unwrap().pop(), Some(Moved::Drifted(other)));
}

#[test]
fn what_was_seen_during_a_write_that_failed_is_told_after_it() {
    let (live, id, kind) = known();
    let (other, (told, ear)) = ("Kustomization/ns/other", told());
    let writing = live.writing(&id, &other, &ear);
    assert_eq!(
        live.saw(&kind, Some("ns"), "web", None, Some(seen(2, 11))),
        Moved::Nothing
    );
    drop(writing);
    assert_eq!(*told.lock().unwrap(), [Moved::Drifted(owner())]);
    // nothing is left of a write of what never came to be
    let mut never = id.clone();
    never.name = "never".to_owned();
    drop(live.writing(&never, &other, &ear));
    assert_eq!(live.len(), 1);
}

#[test]
fn what_is_made_while_a_list_runs_is_trusted_when_the_watch_has_shown_it() {
    let live = Live::<&'static str>::default();
    let (id, kind) = (id(), id().gvk.group_kind());
    live.listing(&kind);
    live.verified(&id, &owner(), desired(), seen(1, 10));
    assert_eq!(
        live.listed(&kind),
        [],
        "it may have come after the list, or gone before it"
    );
    assert_eq!(live.knowledge(&id), Knowledge::Moved);
    live.saw(&kind, Some("ns"), "web", None, Some(seen(1, 10)));
    assert_eq!(live.knowledge(&id), Knowledge::Verified(desired(), [1; 16]));
    // as when somebody has looked at it since
    live.listing(&kind);
    live.verified(&id, &owner(), desired(), seen(2, 11));
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), seen(2, 11));
    assert_eq!(live.knowledge(&id), Knowledge::Verified(desired(), [2; 16]));
}

#[test]
fn nothing_is_trusted_while_a_kind_is_not_served() {
    let (live, id, kind) = known();
    live.unserved(&kind);
    assert_eq!(live.knowledge(&id), Knowledge::Moved, "nobody would tell");
    // what happened meanwhile shows in the next list
    live.listing(&kind);
    assert_eq!(
        live.saw(&kind, Some("ns"), "web", None, Some(seen(3, 12))),
        Moved::Drifted(owner())
    );
    live.listed(&kind);
    live.verified(&id, &owner(), desired(), seen(4, 13));
    assert_eq!(live.knowledge(&id), Knowledge::Verified(desired(), [4; 16]));
}

#[test]
fn nothing_is_kept_for_an_owner_who_is_gone() {
    let (live, id, kind) = known();
    let other = "Kustomization/ns/other";
    let named = |name: &str| ObjectId {
        name: name.to_owned(),
        ..id.clone()
    };
    // one that somebody deleted, one that was taken from another, one that the other has
    live.verified(&named("deleted"), &owner(), desired(), seen(1, 11));
    live.saw(&kind, Some("ns"), "deleted", None, None);
    live.verified(&named("taken"), &other, desired(), seen(1, 12));
    live.verified(&named("taken"), &owner(), desired(), seen(2, 13));
    live.verified(&named("theirs"), &other, desired(), seen(1, 14));
    assert_eq!(live.forget_all(&owner()), [Moved::Drifted(other)]);
    assert_eq!(live.knowledge(&named("deleted")), Knowledge::Absent);
    assert_eq!(
        live.knowledge(&named("theirs")),
        Knowledge::Verified(desired(), [1; 16])
    );
    // what is left of the first is that it is there; what becomes of it wakes nobody
    assert_eq!(live.len(), 3);
    let saw = |seen| live.saw(&kind, Some("ns"), "web", Some(owner()), seen);
    assert_eq!(saw(Some(seen(5, 20))), Moved::Nothing);
    assert_eq!(live.knowledge(&id), Knowledge::Moved);
    // nor does it stay when it goes, also where only the next list tells
    live.listing(&kind);
    assert_eq!(live.listed(&kind).len(), 3);
    assert_eq!(live.len(), 2);
}
