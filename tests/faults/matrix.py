"""The fault matrix: which tests inject each fault, and what stands in for it.

One row a fault. `test_matrix` holds it to the files: every test named here exists, every row has
one. `stand_in` says what is not the real thing in them.
"""

from __future__ import annotations

from dataclasses import dataclass

PROCESSES = "tests/faults/test_processes.py"
STORAGE = "tests/faults/test_storage.py"
DAMAGE = "tests/faults/test_damage.py"
DEVICES = "tests/faults/test_devices.py"
EDITS = "tests/faults/test_edits.py"
CRASHES = "tests/faults/test_crash_points.py"
WALK = "tests/faults/test_crash_walk.py"
CHECKPOINTS = "tests/faults/test_checkpoints.py"
RESULTS = "tests/faults/test_results.py"
CLOCKS = "tests/faults/test_clocks.py"
DOWNLOADS = "tests/faults/test_downloads.py"
INPUT = "tests/faults/test_input.py"
NAMES = "tests/faults/test_names.py"
SECRECY = "tests/faults/test_secrecy.py"
POWER = "tests/faults/test_power_loss.py"
LEASING = "tests/store_contract/test_leasing.py"
OPENING = "tests/store_contract/test_opening.py"
OUTAGES = "tests/store_contract/test_outages.py"
RECOVERY = "tests/store_contract/test_recovery.py"
MIRROR = "tests/store_contract/test_mirror.py"
FILE = "tests/runner/store/test_sqlite_file.py"
MACHINE = "tests/store_model/test_machine.py"
SECRETS = "tests/store_contract/test_secrets.py"
SOURCE = "tests/runner/spec/test_source.py"
LOAD_SPEC = "tests/runner/spec/test_load.py"
LOAD_DATA = "tests/runner/data/test_loading.py"
ADDRESS = "tests/runner/store/test_address.py"
CACHE = "tests/runner/data/test_cache.py"
LOOP = "tests/runner/training/test_loop.py"
RESUME = "tests/runner/training/test_checkpoint.py"
CUDA = "tests/runner/machine/test_cuda.py"
WORK = "tests/runner/commands/test_work.py"
DASHBOARD = "tests/runner/commands/test_dashboard.py"
MIGRATION = "tests/store_contract/test_migration.py"
OWN_ENDINGS = "tests/faults/own/test_endings.py"
OWN_LIMITS = "tests/faults/own/test_limits.py"
OWN_MANNERS = "tests/faults/own/test_manners.py"
OWN_NUMBERS = "tests/faults/own/test_numbers.py"
OWN_PLANS = "tests/faults/own/test_plans.py"
OWN_RUNS = "tests/faults/own/test_runs.py"
WAVES = "tests/faults/test_waves.py"
CLIENTS = "tests/trainers/test_clients.py"


@dataclass(frozen=True)
class Row:
    """One fault: what is injected, by which tests (`file::function`)."""

    inject: str
    tests: tuple[str, ...]
    stand_in: str = ""


MISBEHAVES = (
    f"{PROCESSES}::test_p6_p7_p8_a_misbehaving_cell_fails_with_its_reason_and_the_rest_completes"
)

MATRIX: dict[str, Row] = {
    "P1": Row(
        "SIGKILL of ten cells at random",
        (f"{PROCESSES}::test_p1_ten_killed_cells_are_retrained_and_no_other",),
    ),
    "P2": Row(
        "SIGKILL of the coordinator at random, five times, rerun each time",
        (
            f"{PROCESSES}::test_p2_five_killed_runs_leave_no_orphan_and_cost_no_cell_an_attempt",
            f"{PROCESSES}::test_p2_a_run_killed_while_its_fork_server_starts_leaves_no_orphan",
            f"{PROCESSES}::test_p2_a_stopped_cell_process_dies_with_the_run",
            f"{RECOVERY}::test_killed_runs_are_never_held_against_the_cell_they_trained",
        ),
    ),
    "P3": Row(
        "SIGTERM, SIGINT, a second SIGINT",
        (
            f"{PROCESSES}::test_p3_a_signal_puts_cells_back_and_the_same_command_continues",
            f"{PROCESSES}::test_p3_a_second_signal_leaves_at_once_and_the_same_command_continues",
        ),
    ),
    "P4": Row(
        "kill between claim and start, outcome file and store, failure and requeue; before and "
        "after every commit, sync and rename",
        (
            f"{CRASHES}::test_p4_a_run_killed_between_two_steps_continues_exactly",
            f"{CRASHES}::test_p4_a_finished_outcome_on_disk_is_adopted_and_not_retrained",
            f"{CRASHES}::test_p4_a_run_killed_after_a_failure_retries_the_cell",
            f"{WALK}::test_p4_a_run_killed_at_any_point_continues_exactly",
        ),
        stand_in="where every point is walked nothing is trained: the outcomes are made up",
    ),
    "P5": Row(
        "SIGSTOP of a cell past its deadline",
        (
            f"{PROCESSES}::test_p5_a_stopped_cell_times_out_once_and_its_neighbours_go_on",
            f"{RECOVERY}::test_a_lease_that_is_not_renewed_is_lost_and_its_late_outcome_refused",
            f"{RECOVERY}::test_a_cell_that_timed_out_stays_so_whatever_it_writes_later",
            "tests/store_contract/test_endings.py::test_a_late_outcome_is_refused_after_a_failure",
        ),
        stand_in="the late outcome is written by the test: the stopped process is killed",
    ),
    "P6": Row(
        "exit 3, no outcome, segfault, MemoryError, un-picklable exception, 10 MB, endless loop",
        (MISBEHAVES, f"{PROCESSES}::test_p6_an_endless_loop_ends_at_its_time_limit"),
    ),
    "P7": Row(
        "a poison cell that always dies",
        (MISBEHAVES, f"{PROCESSES}::test_p7_a_cell_killed_once_completes_at_its_second_attempt"),
    ),
    "P8": Row(
        "CUDA out of memory, device-side assert",
        (
            MISBEHAVES,
            f"{DEVICES}::test_p8_a_cell_out_of_memory_is_tried_once_more_alone_and_costs_no_slot",
            "tests/runner/pool/test_launch.py::"
            "test_a_process_that_ended_without_an_outcome_is_told_by_its_last_words",
            f"{DEVICES}::test_p8_a_device_with_one_slot_too_many_closes_it_and_every_cell_completes",
            "tests/runner/pool/test_launch.py::"
            "test_a_process_whose_device_failed_ends_and_trains_nothing_more",
        ),
        stand_in="levels raise what torch raises on CUDA; no device is really full or poisoned",
    ),
    "P9": Row(
        "no, fewer, more devices; one that vanishes; CUDA_VISIBLE_DEVICES",
        (
            f"{DEVICES}::test_p9_cells_spread_over_the_devices_and_never_share_a_slot",
            f"{DEVICES}::test_p9_more_devices_than_cells_is_no_problem",
            f"{DEVICES}::test_p9_a_device_that_is_not_there_is_refused_before_anything_is_enqueued",
            f"{DEVICES}::test_p9_an_empty_cuda_visible_devices_means_the_cpu",
            f"{DEVICES}::test_p9_a_device_that_vanishes_takes_no_cell_with_it",
            f"{DEVICES}::test_p9_when_every_device_has_vanished_the_run_stops_and_continues_later",
            f"{CUDA}::test_visible_devices_are_read_as_cuda_reads_them",
            f"{CUDA}::test_a_device_that_vanished_leaves_the_others",
            f"{CUDA}::test_a_slot_knows_that_its_device_vanished",
        ),
        stand_in="a made-up inventory; cells train on the CPU and raise what torch does on CUDA",
    ),
    "P10": Row(
        "a coordinator that initialises CUDA or forks",
        (f"{DEVICES}::test_p10_the_run_imports_no_torch_and_forks_nothing",),
    ),
    "S1": Row(
        "eight processes claim 400 cells",
        (f"{LEASING}::test_eight_processes_claim_400_cells_once_each",),
    ),
    "S2": Row(
        "sixteen processes open a fresh store",
        (
            f"{OPENING}::test_sixteen_processes_open_a_fresh_store_at_once",
            f"{OPENING}::test_eight_coordinators_make_optunas_tables_at_once",
        ),
    ),
    "S3": Row(
        "two launchers of one specification",
        (
            f"{STORAGE}::test_s3_two_launchers_of_one_specification_share_it",
            f"{STORAGE}::test_s3_two_launchers_share_a_study_on_postgresql",
        ),
    ),
    "S4": Row(
        "another process holds SQLite's write lock",
        (
            f"{STORAGE}::test_s4_runs_wait_out_another_programs_write_lock",
            f"{STORAGE}::test_s4_a_lock_that_outlasts_the_patience_is_one_clear_error",
            f"{OUTAGES}::test_a_write_lock_of_seven_seconds_is_waited_out",
            f"{OUTAGES}::test_a_write_lock_that_stays_is_one_clear_error",
            f"{OUTAGES}::test_time_in_which_nobody_could_write_expires_no_lease",
            f"{OUTAGES}::test_a_wait_is_said_once_with_its_length_and_so_is_its_end",
        ),
        stand_in="a lock that stays meets a patience of 3 s, not the shipped 300 s",
    ),
    "S5": Row(
        "PostgreSQL crashes mid-cell, refuses connections for 35 s",
        (
            f"{STORAGE}::test_s5_a_database_that_crashes_mid_cell_gets_the_result_in_the_end",
            f"{OUTAGES}::test_a_crash_of_postgresql_mid_run_loses_no_outcome",
            f"{OUTAGES}::test_a_server_that_stays_away_is_one_clear_error",
        ),
    ),
    "S6": Row(
        "disk full in store, results and checkpoint",
        (
            f"{STORAGE}::test_s6_a_full_results_disk_stops_the_run_and_loses_nothing",
            f"{STORAGE}::test_s6_a_full_store_disk_is_one_clear_sentence_and_the_run_continues_later",
            f"{STORAGE}::"
            "test_s6_a_full_disk_of_the_server_is_one_clear_sentence_and_the_run_continues_later",
            f"{STORAGE}::test_s6_a_disk_with_no_room_for_a_checkpoint_lets_the_cells_go_on",
            f"{STORAGE}::test_s6_checkpoints_that_fill_the_stores_own_disk_lose_nothing",
            f"{RESUME}::test_a_full_disk_costs_the_checkpoint_and_not_the_cell",
            f"{OUTAGES}::test_a_full_disk_is_said_and_loses_nothing",
            f"{FILE}::test_a_limit_on_the_size_of_files_is_said_and_not_waited_for",
            f"{FILE}::test_it_is_said_of_optunas_tables_too",
        ),
    ),
    "S7": Row(
        "power loss",
        (
            f"{POWER}::test_s7_no_power_cut_loses_what_was_told_or_trained",
            f"{POWER}::test_s7_a_grid_continues_exactly_after_a_power_cut",
            f"{POWER}::test_the_replay_finds_what_a_weaker_setting_loses",
            f"{OPENING}::test_power_loss_settings_are_on",
            f"{OPENING}::test_a_store_that_was_never_closed_is_whole",
        ),
        stand_in="what was written is recorded, then replayed without what was not synced",
    ),
    "S8": Row(
        "garbage, truncated, empty, read-only, missing, older or foreign database; damaged rows",
        (
            f"{OPENING}::test_what_is_no_database_is_refused_and_kept",
            f"{OPENING}::test_a_truncated_store_is_refused_and_kept",
            f"{OPENING}::test_a_damaged_store_is_named_when_the_damage_is_met",
            f"{OPENING}::test_a_read_only_store_is_refused_before_anything_is_trained",
            f"{OPENING}::test_a_missing_folder_is_named_and_not_made",
            f"{OPENING}::test_another_schema_version_is_refused",
            f"{MIGRATION}::test_a_store_of_version_2_is_read_as_it_is",
            f"{MIGRATION}::test_a_grid_brings_it_up_and_loses_nothing",
            f"{MIGRATION}::test_a_program_of_before_refuses_what_was_brought_up",
            f"{MIGRATION}::test_every_database_is_brought_up_once",
            f"{OPENING}::test_foreign_tables_are_left_alone",
            f"{INPUT}::test_s8_a_store_that_cannot_be_used_is_named_in_one_line",
            f"{DAMAGE}::test_s8_a_damaged_study_is_named",
            f"{DAMAGE}::test_s8_a_damaged_cell_attempt_or_epoch_is_named",
            f"{DAMAGE}::test_s8_the_analysis_names_damage",
            f"{DAMAGE}::test_s8_a_damaged_study_does_not_hide_the_others",
            f"{DAMAGE}::test_s8_a_text_that_is_no_utf8_is_damage_and_no_outage",
            f"{DAMAGE}::test_s8_every_verb_names_a_damaged_row_or_does_not_meet_it",
            f"{DAMAGE}::test_s8_every_verb_says_in_a_sentence_that_the_file_is_damaged",
        ),
    ),
    "S9": Row(
        "the clock jumps an hour; daylight saving changes; sessions in three time zones",
        (
            f"{CLOCKS}::test_s9_clocks_that_jump_an_hour_either_way_lose_no_lease",
            f"{CLOCKS}::test_s9_daylight_saving_changes_under_sessions_in_three_zones",
            f"{RECOVERY}::test_the_calendar_may_jump",
            f"{RECOVERY}::test_hosts_in_other_time_zones_agree",
            f"{RECOVERY}::test_time_nobody_watched_expires_no_lease",
        ),
        stand_in="a preloaded library moves the clock of the processes; the system's clock stays",
    ),
    "S10": Row(
        "trials added, ended, deleted or left running by hand or another tool",
        (
            "tests/faults/test_strangers.py::test_s10_trials_that_others_left_running_are_ignored",
            "tests/faults/test_strangers.py::"
            "test_s10_a_stranger_with_our_parameter_as_a_number_ends_no_run",
            f"{MIRROR}::test_what_people_do_in_the_dashboard_is_survived",
            f"{MIRROR}::test_a_trial_that_vanished_is_made_again",
            f"{MIRROR}::test_a_study_deleted_in_the_dashboard_is_made_again",
            f"{MIRROR}::test_a_finished_study_deleted_in_the_dashboard_is_behind_and_made_again",
            f"{MIRROR}::test_a_strangers_parameter_of_the_same_name_is_named",
        ),
    ),
    "S11": Row(
        "the store's file deleted or replaced while a run uses it",
        (
            f"{STORAGE}::test_s11_a_store_deleted_under_a_run_loses_no_outcome",
            f"{FILE}::test_a_deleted_store_is_noticed_at_once_and_its_outcomes_come_back",
            f"{FILE}::test_a_file_that_takes_the_stores_place_is_neither_used_nor_overwritten",
            f"{FILE}::test_the_log_of_a_deleted_store_is_no_part_of_the_next_one",
        ),
    ),
    "S12": Row(
        "claims, beats, endings, retries, plans and repairs in any order, with refused commits, "
        "lost acknowledgements, deaths, silence and jumping clocks among them",
        (
            f"{MACHINE}::test_any_order_of_words_outages_and_crashes_leaves_what_the_model_says",
            f"{LEASING}::test_a_claim_tried_again_is_the_same_claim_or_none",
        ),
        stand_in="the processes are objects of one process: they take turns at commits",
    ),
    "I1": Row(
        "YAML that surprises or attacks",
        (
            f"{SOURCE}::test_scalars_are_yaml_1_2",
            f"{SOURCE}::test_what_surprises_is_refused_with_line_and_key",
            f"{SOURCE}::test_a_billion_laughs_stay_one",
            f"{SOURCE}::test_files_that_are_no_specification",
            f"{SOURCE}::test_a_byte_order_mark_is_no_text",
            f"{INPUT}::test_i1_a_file_that_surprises_is_refused_in_one_line",
            f"{INPUT}::test_i1_a_file_in_another_encoding_is_refused",
            f"{INPUT}::test_i1_a_hundred_megabytes_are_not_read",
            f"{INPUT}::test_i1_a_device_without_an_end_is_not_read_to_it",
            f"{INPUT}::test_i1_what_yaml_1_1_would_misread_is_read_right",
        ),
    ),
    "I2": Row(
        "factors and keys that are wrong",
        (
            f"{LOAD_SPEC}::test_mistakes_are_refused_with_file_line_and_key",
            f"{LOAD_SPEC}::test_a_whole_missing_factor_names_the_line_to_add",
            f"{INPUT}::test_i2_wrong_factors_are_refused_before_a_store_is_made",
            f"{INPUT}::test_i2_wrong_sections_are_refused_before_a_store_is_made",
        ),
    ),
    "I3": Row(
        "a specification edited after a run",
        (
            f"{EDITS}::test_i3_a_new_level_or_replicate_runs_only_the_new_cells",
            f"{EDITS}::test_i3_reordering_a_file_is_the_same_study",
            f"{EDITS}::test_i3_another_protocol_is_another_study_beside_it",
            f"{EDITS}::test_i3_a_design_is_not_cut_in_silence_while_a_grid_trains_it",
        ),
    ),
    "I4": Row(
        "strange paths",
        (
            f"{EDITS}::test_i4_any_folder_name_works",
            f"{LOAD_SPEC}::test_a_relative_file_is_found_and_remembered",
        ),
    ),
    "I5": Row(
        "data missing, half downloaded, with a wrong checksum, in a read-only folder, at once",
        (
            f"{DOWNLOADS}::test_i5_two_runs_at_once_download_once",
            f"{DOWNLOADS}::test_i5_a_bad_download_is_one_sentence_and_the_next_run_gets_it",
            f"{DOWNLOADS}::test_i5_a_run_killed_in_its_download_leaves_nothing_in_the_way",
            f"{DOWNLOADS}::test_i5_a_half_unpacked_file_is_unpacked_again",
            f"{DOWNLOADS}::test_i5_a_read_only_folder_that_holds_the_images_is_enough",
            f"{LOAD_DATA}::test_without_a_network_the_folder_and_the_alternatives_are_named",
            f"{LOAD_DATA}::test_a_download_with_the_wrong_checksum_is_an_error",
            f"{LOAD_DATA}::test_a_data_set_is_downloaded_once_into_its_root",
            f"{CACHE}::test_two_processes_at_once_make_it_once",
            f"{CACHE}::test_a_folder_that_cannot_be_written_is_named",
            f"{CACHE}::test_a_second_user_reads_the_entry_or_is_told_which_folder_to_name",
            f"{CACHE}::test_bytes_that_rotted_under_an_unchanged_time_are_found_where_asked",
            "tests/runner/pool/test_launch.py::"
            "test_images_that_rotted_on_the_disk_are_made_again_before_a_cell_trains",
        ),
        stand_in="a server of the test's own, with a small archive in CIFAR-10's format",
    ),
    "I6": Row(
        "a thousand specifications and a thousand tables with random mistakes",
        (
            "tests/faults/test_random_input.py::"
            "test_i6_a_random_specification_is_planned_or_refused_in_a_sentence",
            "tests/faults/test_random_input.py::"
            "test_i6_a_random_table_is_analysed_or_refused_in_a_sentence",
        ),
    ),
    "T1": Row(
        "a loss or an answer that is not finite, at once or later",
        (
            "tests/faults/test_divergence.py::"
            "test_t1_what_is_not_finite_is_diverged_counted_and_reported",
            f"{LOOP}::test_an_absurd_learning_rate_diverges_which_is_a_result",
            f"{LOOP}::test_weights_that_are_not_finite_are_seen_under_a_finite_loss",
            "tests/store_contract/test_endings.py::"
            "test_a_diverged_cell_is_complete_and_its_nan_is_absent",
            "tests/analysis/test_commands.py::test_a_study_of_the_store_is_analysed",
        ),
    ),
    "T2": Row(
        "the same cell twice",
        (
            f"{LOOP}::test_the_same_cell_gives_the_same_bits_alone_after_others_and_elsewhere",
            "tests/runner/pool/test_launch.py::"
            "test_the_same_cell_gives_the_same_bits_alone_and_after_another",
        ),
    ),
    "T3": Row(
        "kill at an epoch, resume",
        (
            f"{CHECKPOINTS}::test_t3_a_killed_cell_continues_bit_identically_from_its_checkpoint",
            f"{RESUME}::test_an_interrupted_cell_ends_with_the_bits_of_an_uninterrupted_one",
        ),
    ),
    "T4": Row(
        "a checkpoint truncated, empty, foreign, malicious",
        (
            f"{CHECKPOINTS}::test_t4_a_bad_checkpoint_means_a_restart_never_a_failure",
            f"{RESUME}::test_a_malicious_checkpoint_is_not_run",
        ),
    ),
    "A1": Row(
        "studies empty, partial, unbalanced, all failed, of one replicate, with runs listed twice, "
        "with factors called like columns of the program's own",
        (
            "tests/analysis/report/test_any_study.py::test_any_study_has_a_whole_report",
            "tests/analysis/report/test_any_study.py::test_many_studies_have_whole_reports",
            "tests/analysis/report/test_any_study.py::"
            "test_after_every_single_run_there_is_a_report",
            "tests/analysis/report/test_names_of_our_own.py::"
            "test_a_factor_may_be_called_like_a_column",
            "tests/analysis/report/test_names_of_our_own.py::test_a_factor_may_have_any_name",
            "tests/analysis/report/test_undrawn.py::"
            "test_a_report_with_planted_exceptions_is_whole_but_for_those_displays",
            f"{RESULTS}::test_a1_a_level_of_which_nothing_is_left_is_named",
            f"{RESULTS}::test_a1_a_run_listed_twice_is_refused_where_replicates_are_named",
            f"{RESULTS}::test_a1_two_outcomes_of_one_cell_and_replicate_are_marked",
            f"{RESULTS}::test_a1_a_table_that_holds_every_run_twice_is_marked",
            f"{RESULTS}::test_a1_an_unfinished_study_is_reported_as_what_it_is",
            "tests/analysis/report/test_report.py::"
            "test_a_partial_report_says_what_is_missing_on_top",
            "tests/analysis/test_traps.py::test_means_weigh_the_grid_and_not_the_data",
        ),
    ),
    "A2": Row(
        "known effects",
        (
            f"{RESULTS}::test_a2_a_textbooks_two_level_effects_are_recovered_to_the_printed_digits",
            "tests/analysis/test_reference_cases.py::test_effects_are_those_of_emmeans",
            "tests/analysis/test_nist.py::test_certified_digits",
            "tests/analysis/effects/test_lenth.py::test_published_limits_and_half_normal_coordinates",
            "tests/analysis/effects/test_lenth.py::test_a_saturated_design_of_fifteen_factors",
            "tests/analysis/test_coverage_benchmark.py::"
            "test_intervals_cover_and_tests_err_as_they_say",
        ),
    ),
    "A3": Row(
        "inf, NaN, a constant response",
        (
            "tests/analysis/table/test_tidy.py::test_what_cannot_be_used_is_said_in_a_sentence",
            "tests/analysis/model/test_cell_means.py::"
            "test_cells_that_never_vary_give_no_interval_of_width_zero",
            f"{RESULTS}::test_a3_a_constant_response_makes_a_report_without_a_difference",
            f"{RESULTS}::test_a3_an_infinite_accuracy_in_the_store_is_damage_and_is_named",
            f"{RESULTS}::test_a3_an_accuracy_that_is_no_number_is_missing_in_the_report",
        ),
    ),
    "X1": Row(
        "a password in the address, every error path at DEBUG",
        (
            f"{SECRECY}::test_x1_a_whole_life_at_debug_shows_no_password",
            f"{SECRECY}::test_x1_no_error_at_debug_shows_the_password",
            f"{STORAGE}::test_x1_the_password_is_in_no_log_argument_or_file",
            f"{STORAGE}::test_x1_an_unreachable_server_is_named_without_its_password",
            f"{SECRETS}::test_a_whole_life_of_a_store_says_no_password",
            f"{SECRETS}::test_a_pickled_store_leaves_its_password_at_home",
            f"{ADDRESS}::test_what_is_no_address_is_refused_without_quoting_it",
            f"{ADDRESS}::test_a_refused_address_ends_a_grid_at_once_and_leaves_no_file",
        ),
    ),
    "X2": Row(
        "markup in names, `../` in the study's",
        (
            f"{NAMES}::test_x2_hostile_names_go_through_every_command_as_text",
            f"{NAMES}::test_x2_a_study_name_that_is_a_path_is_refused",
            f"{NAMES}::test_x2_a_study_asked_for_by_a_path_is_not_found",
            "tests/analysis/report/test_report.py::test_names_are_never_html",
            "tests/ablations/test_registry.py::"
            "test_a_registered_name_with_a_control_character_is_refused",
            "tests/analysis/figures/test_hostile_names.py::test_hostile_names_are_drawn_literally",
            f"{LOAD_SPEC}::test_mistakes_are_refused_with_file_line_and_key",
        ),
    ),
    "X3": Row(
        "no arguments, help, a wrong verb, a reader that leaves, closed streams, no terminal",
        (
            f"{EDITS}::test_x3_exit_codes_are_right_whatever_is_closed",
            f"{EDITS}::test_x3_a_grid_whose_reader_leaves_or_whose_output_is_closed_loses_nothing",
            f"{EDITS}::test_x3_a_terminal_that_is_not_utf_8_ends_no_grid_and_no_cell",
            f"{EDITS}::test_x3_no_arguments_say_how_to_call",
            f"{EDITS}::test_x3_a_wrong_verb_is_answered_with_the_nearest",
            f"{EDITS}::test_x3_help_of_every_verb_has_examples",
            f"{EDITS}::test_x3_a_reader_that_leaves_early_causes_no_traceback",
        ),
    ),
    "X4": Row(
        "a store that names plugin code of its own, or a plugin edited after planning",
        (
            f"{WORK}::test_a_plugin_outside_the_folder_is_refused_before_it_runs",
            f"{WORK}::test_an_edited_plugin_is_refused_before_it_runs",
            f"{WORK}::test_plugins_are_named_before_they_run",
            f"{WORK}::test_a_plugin_that_only_a_cell_names_is_said_once",
            f"{SECRECY}::"
            "test_x4_cell_processes_run_no_plugin_from_elsewhere_that_the_store_gives_a_cell",
            "tests/ablations/test_registry.py::"
            "test_no_plugin_from_elsewhere_runs_not_even_after_one_that_may",
        ),
    ),
    "X5": Row(
        "requests to the dashboard: of another user, another site or port, malformed",
        (
            f"{DASHBOARD}::test_nobody_gets_in_without_the_token",
            f"{DASHBOARD}::test_a_page_of_another_origin_cannot_reach_it_through_the_browser",
            f"{DASHBOARD}::test_no_answer_can_be_framed_or_sniffed_and_no_artifact_runs_scripts",
            f"{DASHBOARD}::test_only_json_is_taken",
        ),
    ),
    "X6": Row(
        "a later optuna-dashboard, Optuna or joblib without the private parts that are used",
        (
            "tests/faults/test_later_versions.py::"
            "test_x6_a_grid_reports_although_its_page_in_the_dashboard_cannot_be_made",
            "tests/analysis/dashboard/test_board.py::"
            "test_a_later_version_without_a_private_part_costs_its_page_alone",
            "tests/analysis/dashboard/test_board.py::test_a_later_version_is_served_as_it_is",
            f"{MIRROR}::test_a_mirror_that_cannot_be_kept_is_a_warning_once",
            f"{MIRROR}::test_an_optuna_without_a_private_part_is_read_by_its_own_storage",
            "tests/test_private_parts.py::"
            "test_a_joblib_without_its_dask_backend_is_refused_in_a_sentence",
        ),
        stand_in="the installed versions with a part taken out",
    ),
    "X7": Row(
        "a beginner's first files: what `init` writes of a script, a function, as an example",
        (
            "tests/runner/commands/test_init.py::test_a_script_with_argparse_is_wired_and_planned",
            "tests/runner/beginning/test_own_examples.py::"
            "test_the_other_examples_run_and_find_something",
        ),
    ),
    "O1": Row(
        "a function or command of one's own: SIGKILL, segfault, out of memory, exit codes, words, "
        "no number, NaN",
        (
            f"{OWN_ENDINGS}::test_a_function_ends_with_its_reason",
            f"{OWN_ENDINGS}::test_a_command_ends_with_its_reason",
            f"{OWN_ENDINGS}::test_what_is_not_finite_is_a_result",
            f"{OWN_RUNS}::test_a_cell_killed_from_outside_is_tried_again",
        ),
        stand_in="memory is not really short: the trainer says what Python says",
    ),
    "O2": Row(
        "one that does not end, is stopped, is deaf to SIGTERM",
        (
            f"{OWN_LIMITS}::test_a_cell_that_does_not_end_times_out_once",
            f"{OWN_RUNS}::test_a_stopped_cell_times_out",
            f"{OWN_RUNS}::test_a_deaf_cell_is_killed_after_a_signal",
        ),
    ),
    "O3": Row(
        "its run killed or stopped, with what it has started itself",
        (
            f"{OWN_RUNS}::test_a_killed_run_leaves_no_orphan_and_costs_no_attempt",
            f"{OWN_RUNS}::test_a_stopped_cell_dies_with_the_run",
            f"{OWN_RUNS}::test_a_signal_puts_cells_back_after_they_could_tidy_up",
            f"{OWN_RUNS}::test_two_runs_share_a_study",
        ),
    ),
    "O4": Row(
        "one that shouts, prints bytes, moves, forks, spawns, leaves threads and children",
        (
            f"{OWN_MANNERS}::test_its_cell_completes_at_its_first_attempt",
            f"{OWN_MANNERS}::test_nothing_lives_on_and_nothing_is_said_in_the_run",
            f"{OWN_MANNERS}::test_what_it_prints_is_in_its_log_as_it_came",
            f"{OWN_MANNERS}::test_a_log_that_is_no_utf_8_or_very_long_is_shown",
        ),
    ),
    "O5": Row(
        "metrics half written, written twice, in CSV, printed, absent",
        (f"{OWN_NUMBERS}::test_a_cell_has_the_last_number_of_its_file",),
    ),
    "O6": Row(
        "its code edited or not there, confined, a folder or disk that takes nothing, odd names",
        (
            f"{OWN_PLANS}::test_changed_code_is_other_cells_and_the_same_again_trains_nothing",
            f"{OWN_PLANS}::test_a_worker_elsewhere_trains_only_the_code_of_the_plan",
            f"{OWN_PLANS}::test_plugins_confine_a_worker_to_reviewed_code",
            f"{OWN_PLANS}::test_a_cell_whose_folder_cannot_be_made_fails_in_words",
            f"{OWN_PLANS}::test_a_full_disk_stops_the_run_and_loses_nothing",
            f"{OWN_PLANS}::test_responses_and_curves_may_have_any_name",
        ),
    ),
    "O7": Row(
        "real programs killed in the middle of their grid: PyTorch, Lightning, Hugging Face, "
        "scikit-learn, Hydra, a shell script, a loss of one's own",
        (f"{CLIENTS}::test_a_client_is_ablated_killed_continued_and_reported",),
    ),
    "W1": Row(
        "replicates in waves: the run killed or stopped within one, hours that end, a second "
        "worker, a cluster",
        (
            f"{WAVES}::test_a_run_ended_within_a_wave_continues_to_the_same_runs",
            f"{WAVES}::test_a_worker_that_stays_trains_in_every_wave",
            f"{WAVES}::test_hours_that_end_within_a_wave_lose_nothing",
            f"{WAVES}::test_waves_are_placed_on_a_cluster",
        ),
    ),
}


def files() -> list[str]:
    """Every test file of the matrix, and what else stands beside it."""
    named = {test.partition("::")[0] for row in MATRIX.values() for test in row.tests}
    return sorted({path for path in named if not path.startswith("tests/faults/")})


if __name__ == "__main__":  # what `make faults` runs
    print("tests/faults", *files())
