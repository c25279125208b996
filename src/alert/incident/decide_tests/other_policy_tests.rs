//! A pass under another policy, or at another address.

use super::*;

#[test]
fn a_pass_under_another_policy_is_no_recovery_until_it_passes_again() {
    let mut world = World::known();
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    world.policy = policy(2);
    let due = world.decide('.');
    assert_eq!(due[0].about, About::PassUnderAnotherPolicy { more: 1 });
    world.state.as_mut().unwrap().record(&due[0], world.now);
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
}

/// A release whose policy follows, and a roll-back on the same day: no host chooses a policy, so neither is a relapse.
#[test]
fn an_end_by_another_policy_makes_no_relapse() {
    let mut world = World::known();
    for number in [2, 1, 2, 1] {
        assert_eq!(world.see('A'), [AlertEvent::Failed]);
        world.policy = policy(number);
        let due = world.decide('.');
        assert_eq!(due[0].about, About::PassUnderAnotherPolicy { more: 1 });
        world.state.as_mut().unwrap().record(&due[0], world.now);
        assert_eq!(world.see('.'), [AlertEvent::Recovered]);
    }
}

#[test]
fn after_a_relapse_the_number_of_passes_that_are_left_is_told() {
    let mut world = World::known();
    assert_eq!(alerts_of_world(&mut world, "A.A"), "failed recovered failed");
    world.policy = policy(2);
    let due = world.decide('.');
    assert_eq!(due[0].about, About::PassUnderAnotherPolicy { more: 2 });
    world.state.as_mut().unwrap().record(&due[0], world.now);
    assert_eq!(alerts_of_world(&mut world, ".."), "- recovered");
}

#[test]
fn a_pass_at_another_address_is_no_recovery_until_it_passes_again() {
    let mut world = World::known();
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    world.asked = address("b");
    let due = world.decide('.');
    assert_eq!(
        due.iter().map(|due| (due.event, &due.about)).collect::<Vec<_>>(),
        [(AlertEvent::Changed, &About::PassAtAnotherAddress { more: 1 })]
    );
    assert!(world.state.as_ref().unwrap().failure().is_some(), "it stays open");
    world.state.as_mut().unwrap().record(&due[0], world.now);
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
}

/// It is reported once for each address, and the deployment that failed is none of them.
#[test]
fn an_address_that_changes_back_is_the_one_that_failed() {
    let mut world = World::known();
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    world.asked = address("b");
    assert_eq!(world.see('.'), [AlertEvent::Changed]);
    world.asked = address("c");
    assert_eq!(world.see('.'), [AlertEvent::Changed]);
    world.asked = address("a");
    assert_eq!(world.see('A'), []);
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
}

#[test]
fn a_failure_after_a_changed_policy_ends_the_pass_under_it() {
    let mut world = World::known();
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    world.policy = policy(2);
    assert_eq!(world.see('.'), [AlertEvent::Changed]);
    assert_eq!(world.see('B'), [AlertEvent::Changed]);
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
}

#[test]
fn an_unreachable_target_does_not_make_another_policy_the_same() {
    let mut world = World::known();
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    world.policy = policy(2);
    assert_eq!(world.see('?'), []);
    assert_eq!(world.see('.'), [AlertEvent::Changed]);
}
