//! Event families, kinds and semantics.

use super::vocabulary;

vocabulary! {
    /// The family of an event.
    EventFamily {
        Run = "run",
        Turn = "turn",
        Message = "message",
        Model = "model",
        Tool = "tool",
        Approval = "approval",
        Hook = "hook",
        Context = "context",
        StreamRule = "stream_rule",
        Realtime = "realtime",
        Isolation = "isolation",
        ChildLifecycle = "child_lifecycle",
        AgentPool = "agent_pool",
        Subagent = "subagent",
        Extension = "extension",
        StructuredOutput = "structured_output",
        Output = "output",
        OutputDelivery = "output_delivery",
        Telemetry = "telemetry",
        Recovery = "recovery",
    }
}

/// Defines [`EventKind`] of rows: the kind, its wire name, its family and its progress.
macro_rules! event_kinds {
    ($($kind:ident = $wire:literal: $family:ident $progress:ident,)*) => {
        vocabulary! {
            /// The kind of an event. Each kind belongs to one [`EventFamily`].
            EventKind {
                $(
                    #[doc = concat!("Of the family [`", stringify!($family), "`](EventFamily::", stringify!($family), ").")]
                    $kind = $wire,
                )*
            }
        }

        impl EventKind {
            /// Returns the family that the kind belongs to.
            pub fn family(self) -> EventFamily {
                match self { $(Self::$kind => EventFamily::$family,)* }
            }

            /// Returns the progress that the kind reports about its subject.
            pub fn progress(self) -> Progress {
                match self { $(Self::$kind => Progress::$progress,)* }
            }
        }
    };
}

event_kinds! {
    RunStarted = "run_started": Run Fact,
    RunCompleted = "run_completed": Run Terminal,
    RunFailed = "run_failed": Run Terminal,
    RunCancelled = "run_cancelled": Run Terminal,
    RunCheckpointed = "run_checkpointed": Run Fact,
    RunCancelRequested = "run_cancel_requested": Run Fact,
    RunResumeRequested = "run_resume_requested": Run Fact,
    RunResumeFailed = "run_resume_failed": Run Fact,
    TurnStarted = "turn_started": Turn Fact,
    TurnCompleted = "turn_completed": Turn Terminal,
    TurnFailed = "turn_failed": Turn Terminal,
    MessageAccepted = "message_accepted": Message Fact,
    MessageCommitted = "message_committed": Message Fact,
    ProviderRequestProjected = "provider_request_projected": Context Fact,
    ContextAssembled = "context_assembled": Context Fact,
    ModelAttemptStarted = "model_attempt_started": Model Fact,
    ModelStreamDelta = "model_stream_delta": Model Progress,
    ModelMessageCompleted = "model_message_completed": Model Terminal,
    ModelAttemptFailed = "model_attempt_failed": Model Terminal,
    ToolRequested = "tool_requested": Tool Fact,
    ToolStarted = "tool_started": Tool Fact,
    ToolCompleted = "tool_completed": Tool Terminal,
    ToolFailed = "tool_failed": Tool Terminal,
    ToolDenied = "tool_denied": Tool Terminal,
    ToolRecoveryRequired = "tool_recovery_required": Tool Terminal,
    ApprovalRequested = "approval_requested": Approval Fact,
    ApprovalDispatched = "approval_dispatched": Approval Fact,
    ApprovalDispatchUnavailable = "approval_dispatch_unavailable": Approval Terminal,
    ApprovalResponded = "approval_responded": Approval Terminal,
    ApprovalDenied = "approval_denied": Approval Terminal,
    ApprovalTimedOut = "approval_timed_out": Approval Terminal,
    ApprovalCancelled = "approval_cancelled": Approval Terminal,
    HookRegistered = "hook_registered": Hook Fact,
    HookInvoked = "hook_invoked": Hook Fact,
    HookCompleted = "hook_completed": Hook Terminal,
    HookFailed = "hook_failed": Hook Terminal,
    HookTimedOut = "hook_timed_out": Hook Terminal,
    HookCancelled = "hook_cancelled": Hook Terminal,
    HookResponseApplied = "hook_response_applied": Hook Terminal,
    HookResponseRejected = "hook_response_rejected": Hook Terminal,
    StreamRuleRegistered = "stream_rule_registered": StreamRule Fact,
    StreamRuleCompileFailed = "stream_rule_compile_failed": StreamRule Fact,
    StreamRuleMatched = "stream_rule_matched": StreamRule Fact,
    StreamInterventionRequested = "stream_intervention_requested": StreamRule Fact,
    StreamInterventionApplied = "stream_intervention_applied": StreamRule Fact,
    StreamRuleRepeatStateRecorded = "stream_rule_repeat_state_recorded": StreamRule Progress,
    RealtimeConnectRequested = "realtime_connect_requested": Realtime Fact,
    RealtimeConnected = "realtime_connected": Realtime Fact,
    RealtimeInputSendRequested = "realtime_input_send_requested": Realtime Fact,
    RealtimeInputSent = "realtime_input_sent": Realtime Progress,
    RealtimeOutputReceiveRequested = "realtime_output_receive_requested": Realtime Fact,
    RealtimeOutputReceived = "realtime_output_received": Realtime Progress,
    RealtimeInterrupted = "realtime_interrupted": Realtime Fact,
    RealtimeRestartRequested = "realtime_restart_requested": Realtime Fact,
    RealtimeRestartStarted = "realtime_restart_started": Realtime Fact,
    RealtimeRestartCompleted = "realtime_restart_completed": Realtime Fact,
    RealtimeRestartFailed = "realtime_restart_failed": Realtime Terminal,
    RealtimeCloseRequested = "realtime_close_requested": Realtime Fact,
    RealtimeClosed = "realtime_closed": Realtime Terminal,
    RealtimeBackpressureApplied = "realtime_backpressure_applied": Realtime Progress,
    IsolationRequested = "isolation_requested": Isolation Fact,
    IsolationAdapterHealthChecked = "isolation_adapter_health_checked": Isolation Fact,
    IsolationCapabilityMatched = "isolation_capability_matched": Isolation Fact,
    IsolationDowngradeDenied = "isolation_downgrade_denied": Isolation Fact,
    IsolationDowngradeApproved = "isolation_downgrade_approved": Isolation Fact,
    IsolationEnvironmentPrepared = "isolation_environment_prepared": Isolation Fact,
    IsolationProcessStarted = "isolation_process_started": Isolation Fact,
    IsolationProcessIoCaptured = "isolation_process_io_captured": Isolation Progress,
    IsolationProcessStatsRecorded = "isolation_process_stats_recorded": Isolation Progress,
    IsolationCleanupStarted = "isolation_cleanup_started": Isolation Fact,
    IsolationCleanupCompleted = "isolation_cleanup_completed": Isolation Terminal,
    IsolationCleanupFailed = "isolation_cleanup_failed": Isolation Terminal,
    IsolationFailed = "isolation_failed": Isolation Terminal,
    ChildLifecycleRequested = "child_lifecycle_requested": ChildLifecycle Fact,
    ChildLifecycleCompleted = "child_lifecycle_completed": ChildLifecycle Terminal,
    ChildLifecycleDetached = "child_lifecycle_detached": ChildLifecycle Terminal,
    SubagentStarted = "subagent_started": Subagent Fact,
    SubagentHandoff = "subagent_handoff": Subagent Fact,
    SubagentEventWrapped = "subagent_event_wrapped": Subagent Fact,
    SubagentUsageRolledUp = "subagent_usage_rolled_up": Subagent Fact,
    SubagentCompleted = "subagent_completed": Subagent Terminal,
    ExtensionActionSubmitted = "extension_action_submitted": Extension Fact,
    ExtensionActionStarted = "extension_action_started": Extension Fact,
    ExtensionActionCompleted = "extension_action_completed": Extension Terminal,
    ExtensionActionFailed = "extension_action_failed": Extension Terminal,
    ExtensionActionDenied = "extension_action_denied": Extension Terminal,
    OutputDispatchRequested = "output_dispatch_requested": OutputDelivery Fact,
    OutputDispatchCompleted = "output_dispatch_completed": OutputDelivery Terminal,
    OutputDispatchFailed = "output_dispatch_failed": OutputDelivery Terminal,
    OutputDispatchDeduped = "output_dispatch_deduped": OutputDelivery Terminal,
    StructuredOutputRequested = "structured_output_requested": StructuredOutput Fact,
    StructuredOutputValidationStarted = "structured_output_validation_started": StructuredOutput Fact,
    StructuredOutputValidationFailed = "structured_output_validation_failed": StructuredOutput Fact,
    StructuredOutputRepairRequested = "structured_output_repair_requested": StructuredOutput Fact,
    StructuredOutputValidated = "structured_output_validated": StructuredOutput Terminal,
    StructuredOutputFailed = "structured_output_failed": StructuredOutput Terminal,
    TelemetrySinkFailed = "telemetry_sink_failed": Telemetry Fact,
    TelemetrySinkRecovered = "telemetry_sink_recovered": Telemetry Fact,
    UsageRecorded = "usage_recorded": Telemetry Progress,
    CostEstimated = "cost_estimated": Telemetry Progress,
    CostCorrected = "cost_corrected": Telemetry Progress,
    ReplayStarted = "replay_started": Recovery Fact,
    ReplayCompleted = "replay_completed": Recovery Terminal,
    ReplayFailed = "replay_failed": Recovery Terminal,
    AgentPoolCreated = "agent_pool_created": AgentPool Fact,
    AgentPoolRunJoined = "agent_pool_run_joined": AgentPool Fact,
    AgentPoolRunLeft = "agent_pool_run_left": AgentPool Fact,
    RunMessageAccepted = "run_message_accepted": AgentPool Fact,
    RunMessageDelivered = "run_message_delivered": AgentPool Fact,
    RunMessageResponded = "run_message_responded": AgentPool Terminal,
    RunMessageFailed = "run_message_failed": AgentPool Terminal,
    RunMessageTimedOut = "run_message_timed_out": AgentPool Terminal,
    RunMessageExpired = "run_message_expired": AgentPool Terminal,
    RunMessageCancelled = "run_message_cancelled": AgentPool Terminal,
    WakeConditionRegistered = "wake_condition_registered": AgentPool Fact,
    WakeConditionTriggered = "wake_condition_triggered": AgentPool Terminal,
    WakeConditionTimedOut = "wake_condition_timed_out": AgentPool Terminal,
    WakeConditionCancelled = "wake_condition_cancelled": AgentPool Terminal,
    WakeConditionFailed = "wake_condition_failed": AgentPool Terminal,
    AgentPoolConfigured = "agent_pool_configured": AgentPool Fact,
    AgentPoolResumed = "agent_pool_resumed": AgentPool Fact,
    RunTakenOver = "run_taken_over": AgentPool Fact,
    RunLost = "run_lost": AgentPool Fact,
    RunSuspended = "run_suspended": AgentPool Fact,
    RunResumed = "run_resumed": AgentPool Fact,
    RunMessageFetched = "run_message_fetched": AgentPool Fact,
    RunMessageAcked = "run_message_acked": AgentPool Fact,
    RunMessageReleased = "run_message_released": AgentPool Fact,
    RunMessageExtended = "run_message_extended": AgentPool Fact,
    RunMessageDeadLettered = "run_message_dead_lettered": AgentPool Fact,
    RunMessageReplayed = "run_message_replayed": AgentPool Fact,
    RunMessageSettled = "run_message_settled": AgentPool Terminal,
    WakeConditionScanned = "wake_condition_scanned": AgentPool Fact,
    EffectIntended = "effect_intended": AgentPool Fact,
    EffectAttempted = "effect_attempted": AgentPool Fact,
    EffectCompleted = "effect_completed": AgentPool Terminal,
    AgentPoolRunChanged = "agent_pool_run_changed": AgentPool Fact,
    AgentPoolLabelsChanged = "agent_pool_labels_changed": AgentPool Fact,
    AgentPoolEpochStarted = "agent_pool_epoch_started": AgentPool Fact,
    EffectResultRefused = "effect_result_refused": AgentPool Fact,
    AgentPoolDeadlockSuspected = "agent_pool_deadlock_suspected": AgentPool Fact,
    WakeConditionOrphaned = "wake_condition_orphaned": AgentPool Fact,
    ContentErased = "content_erased": AgentPool Fact,
    ContentStored = "content_stored": AgentPool Fact,
    SourceGap = "source_gap": AgentPool Fact,
    SourceAttached = "source_attached": AgentPool Fact,
    SourceDetached = "source_detached": AgentPool Fact,
    ConsumerReset = "consumer_reset": AgentPool Fact,
    RosterDeclared = "roster_declared": AgentPool Fact,
    MemberSpecified = "member_specified": AgentPool Fact,
    MemberStanding = "member_standing": AgentPool Fact,
    EdgeWired = "edge_wired": AgentPool Fact,
    EdgeUnwired = "edge_unwired": AgentPool Fact,
    AliasSet = "alias_set": AgentPool Fact,
    AliasRemoved = "alias_removed": AgentPool Fact,
    ModuleStanding = "module_standing": AgentPool Fact,
    Reconciled = "reconciled": AgentPool Fact,
    StewardTaken = "steward_taken": AgentPool Fact,
    StewardReleased = "steward_released": AgentPool Fact,
    RuntimeError = "runtime_error": AgentPool Fact,
}

vocabulary! {
    /// The promise of an event. Only `journal_backed` events wake, advance cursors or drive projections.
    EventSemantics {
        BestEffortLive = "best_effort_live",
        JournalBacked = "journal_backed",
        DerivedReplay = "derived_replay",
        DiagnosticOnly = "diagnostic_only",
    }
}

/// The progress that a kind of event reports about its subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Something happened, and more may follow.
    Fact,
    /// A step on the way; of no lasting interest.
    Progress,
    /// The last event about its subject.
    Terminal,
}

impl EventKind {
    /// Returns true when no event about the same subject follows.
    pub fn is_terminal(self) -> bool {
        self.progress() == Progress::Terminal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Vocabulary as _;

    #[test]
    fn kinds_have_the_family_and_the_progress_of_their_row() {
        assert_eq!(EventKind::ReplayFailed.family(), EventFamily::Recovery);
        assert_eq!(
            EventKind::AgentPoolEpochStarted.family(),
            EventFamily::AgentPool
        );
        assert_eq!(
            EventKind::WakeConditionOrphaned.family(),
            EventFamily::AgentPool
        );
        assert!(EventKind::WakeConditionFailed.is_terminal());
        assert!(!EventKind::WakeConditionOrphaned.is_terminal());
        assert!(!EventKind::RunMessageDelivered.is_terminal());
        assert_eq!(EventKind::CostCorrected.progress(), Progress::Progress);
    }

    #[test]
    fn wire_names_are_the_snake_case_of_the_variants() {
        for kind in EventKind::ALL {
            let plain: String = kind.wire_name().split('_').collect();
            assert_eq!(plain, format!("{kind:?}").to_lowercase());
        }
    }
}
