//! One test for each model of src/models/. FIRST=1: the first that fails ends the process, for who only wants to know whether one does.

use std::panic::{catch_unwind, resume_unwind};

fn run(model: fn()) {
    if let Err(why) = catch_unwind(model) {
        if std::env::var_os("FIRST").is_some() {
            std::process::exit(101);
        }
        resume_unwind(why);
    }
}

macro_rules! models {
    ($($model:ident)*) => {
        $(#[test] fn $model() { run(hakmem_loom::models::$model); })*
    };
}

models! {
    allowance_nothing_given_or_forced_is_lost
    allowance_two_have_no_more_than_is_allowed
    allowance_without_a_limit_all_is_counted
    at_hand_a_key_that_comes_round_leads_to_the_new_value
    at_hand_a_note_meanwhile_is_right
    at_hand_what_is_struck_out_is_found_no_more
    background_ends_once_threads_end_unheard
    background_is_ended_by_another
    background_is_handed_over
    background_is_made_once
    background_is_one_thread
    background_is_woken_by_who_frees
    background_made_anew_gives_back
    background_starts_anew_after_it_quit
    batch_stack_delivers_each_node_once
    batch_stack_nodes_come_round
    changed_a_note_that_did_nothing_is_seen
    changed_two_notes_are_one
    door_closed_lets_nobody_write
    door_lets_one_in_at_a_time
    gate_closed_once_more_opens_at_last
    gate_closed_from_inside_is_closed_in_the_end
    gate_keeps_others_out
    gate_lets_one_close_it
    index_stack_hands_contents_over
    index_stack_pop_refuses_a_stale_link
    index_stack_pushes_are_not_lost
    lock_has_one_holder_who_sees_what_the_last_one_did
    lock_wakes_all_who_sleep
    node_pool_gives_each_node_to_one
    open_batch_delivers_each_entry_once
    open_batch_that_came_round_misleads_no_taker
    page_map_a_page_that_goes_takes_no_entry_along
    page_map_a_shared_place_misleads_nobody
    page_map_entries_survive_a_race_for_the_leaf
    page_map_is_seen_by_who_receives_a_block
    page_map_is_seen_while_a_page_goes
    page_map_the_last_of_a_shared_place_is_shown
    page_map_two_enter_in_a_page_that_goes
    page_map_two_give_a_page_back
    pool_a_hint_serves_one
    pool_a_purge_holds_what_it_purges
    pool_a_released_slot_is_not_lost
    pool_an_acquired_slot_stays_mapped
    pool_hints_of_two_releases_are_not_lost
    profile_a_block_is_freed_once
    profile_a_free_is_counted_after_its_allocation
    profile_a_place_is_one_blocks
    profile_a_stack_is_kept_once
    registry_a_heap_outlives_its_threads
    registry_a_shared_heap_is_made_once
    registry_an_orphan_is_adopted_by_one
    registry_an_orphan_is_adopted_while_it_is_inherited_from
    remote_a_block_finds_the_span_that_moved
    remote_a_full_inbox_is_emptied_by_its_sender
    remote_blocks_come_home_once
    remote_blocks_find_two_spans_that_moved
    remote_what_waits_is_called_in
    remote_what_waits_is_taken_over_once
    remote_without_a_node_a_batch_goes_on_whole
    remote_without_a_node_a_block_goes_home_at_once
    report_is_written_or_put_off
    reserve_a_chunk_given_up_serves_nobody
    reserve_blocks_have_one_holder
    reserve_chunks_stay_while_they_are_used
    seats_give_a_word_once
    seats_hand_over_what_a_word_names
    seats_never_overwrite
    sp_slot_changes_are_not_lost
    sp_slot_has_one_holder
    sp_slot_publishes_its_base
    sp_slot_retires_only_what_nobody_holds
    warm_a_block_has_one_holder
    warm_a_claim_sees_what_came_before_a_new_entry
    warm_a_claim_sees_what_came_before_the_renewal
    warm_blocks_are_not_lost
    warm_of_two_frees_one_leaves_the_block
}
