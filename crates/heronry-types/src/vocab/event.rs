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

vocabulary! {
    /// The kind of an event. Each kind belongs to one [`EventFamily`].
    EventKind {
        RunStarted = "run_started",
        RunCompleted = "run_completed",
        RunFailed = "run_failed",
        RunCancelled = "run_cancelled",
        RunCheckpointed = "run_checkpointed",
        RunCancelRequested = "run_cancel_requested",
        RunResumeRequested = "run_resume_requested",
        RunResumeFailed = "run_resume_failed",
        TurnStarted = "turn_started",
        TurnCompleted = "turn_completed",
        TurnFailed = "turn_failed",
        MessageAccepted = "message_accepted",
        MessageCommitted = "message_committed",
        ProviderRequestProjected = "provider_request_projected",
        ContextAssembled = "context_assembled",
        ModelAttemptStarted = "model_attempt_started",
        ModelStreamDelta = "model_stream_delta",
        ModelMessageCompleted = "model_message_completed",
        ModelAttemptFailed = "model_attempt_failed",
        ToolRequested = "tool_requested",
        ToolStarted = "tool_started",
        ToolCompleted = "tool_completed",
        ToolFailed = "tool_failed",
        ToolDenied = "tool_denied",
        ToolRecoveryRequired = "tool_recovery_required",
        ApprovalRequested = "approval_requested",
        ApprovalDispatched = "approval_dispatched",
        ApprovalDispatchUnavailable = "approval_dispatch_unavailable",
        ApprovalResponded = "approval_responded",
        ApprovalDenied = "approval_denied",
        ApprovalTimedOut = "approval_timed_out",
        ApprovalCancelled = "approval_cancelled",
        HookRegistered = "hook_registered",
        HookInvoked = "hook_invoked",
        HookCompleted = "hook_completed",
        HookFailed = "hook_failed",
        HookTimedOut = "hook_timed_out",
        HookCancelled = "hook_cancelled",
        HookResponseApplied = "hook_response_applied",
        HookResponseRejected = "hook_response_rejected",
        StreamRuleRegistered = "stream_rule_registered",
        StreamRuleCompileFailed = "stream_rule_compile_failed",
        StreamRuleMatched = "stream_rule_matched",
        StreamInterventionRequested = "stream_intervention_requested",
        StreamInterventionApplied = "stream_intervention_applied",
        StreamRuleRepeatStateRecorded = "stream_rule_repeat_state_recorded",
        RealtimeConnectRequested = "realtime_connect_requested",
        RealtimeConnected = "realtime_connected",
        RealtimeInputSendRequested = "realtime_input_send_requested",
        RealtimeInputSent = "realtime_input_sent",
        RealtimeOutputReceiveRequested = "realtime_output_receive_requested",
        RealtimeOutputReceived = "realtime_output_received",
        RealtimeInterrupted = "realtime_interrupted",
        RealtimeRestartRequested = "realtime_restart_requested",
        RealtimeRestartStarted = "realtime_restart_started",
        RealtimeRestartCompleted = "realtime_restart_completed",
        RealtimeRestartFailed = "realtime_restart_failed",
        RealtimeCloseRequested = "realtime_close_requested",
        RealtimeClosed = "realtime_closed",
        RealtimeBackpressureApplied = "realtime_backpressure_applied",
        IsolationRequested = "isolation_requested",
        IsolationAdapterHealthChecked = "isolation_adapter_health_checked",
        IsolationCapabilityMatched = "isolation_capability_matched",
        IsolationDowngradeDenied = "isolation_downgrade_denied",
        IsolationDowngradeApproved = "isolation_downgrade_approved",
        IsolationEnvironmentPrepared = "isolation_environment_prepared",
        IsolationProcessStarted = "isolation_process_started",
        IsolationProcessIoCaptured = "isolation_process_io_captured",
        IsolationProcessStatsRecorded = "isolation_process_stats_recorded",
        IsolationCleanupStarted = "isolation_cleanup_started",
        IsolationCleanupCompleted = "isolation_cleanup_completed",
        IsolationCleanupFailed = "isolation_cleanup_failed",
        IsolationFailed = "isolation_failed",
        ChildLifecycleRequested = "child_lifecycle_requested",
        ChildLifecycleCompleted = "child_lifecycle_completed",
        ChildLifecycleDetached = "child_lifecycle_detached",
        SubagentStarted = "subagent_started",
        SubagentHandoff = "subagent_handoff",
        SubagentEventWrapped = "subagent_event_wrapped",
        SubagentUsageRolledUp = "subagent_usage_rolled_up",
        SubagentCompleted = "subagent_completed",
        ExtensionActionSubmitted = "extension_action_submitted",
        ExtensionActionStarted = "extension_action_started",
        ExtensionActionCompleted = "extension_action_completed",
        ExtensionActionFailed = "extension_action_failed",
        ExtensionActionDenied = "extension_action_denied",
        OutputDispatchRequested = "output_dispatch_requested",
        OutputDispatchCompleted = "output_dispatch_completed",
        OutputDispatchFailed = "output_dispatch_failed",
        OutputDispatchDeduped = "output_dispatch_deduped",
        StructuredOutputRequested = "structured_output_requested",
        StructuredOutputValidationStarted = "structured_output_validation_started",
        StructuredOutputValidationFailed = "structured_output_validation_failed",
        StructuredOutputRepairRequested = "structured_output_repair_requested",
        StructuredOutputValidated = "structured_output_validated",
        StructuredOutputFailed = "structured_output_failed",
        TelemetrySinkFailed = "telemetry_sink_failed",
        TelemetrySinkRecovered = "telemetry_sink_recovered",
        UsageRecorded = "usage_recorded",
        CostEstimated = "cost_estimated",
        CostCorrected = "cost_corrected",
        ReplayStarted = "replay_started",
        ReplayCompleted = "replay_completed",
        ReplayFailed = "replay_failed",
        AgentPoolCreated = "agent_pool_created",
        AgentPoolRunJoined = "agent_pool_run_joined",
        AgentPoolRunLeft = "agent_pool_run_left",
        RunMessageAccepted = "run_message_accepted",
        RunMessageDelivered = "run_message_delivered",
        RunMessageResponded = "run_message_responded",
        RunMessageFailed = "run_message_failed",
        RunMessageTimedOut = "run_message_timed_out",
        RunMessageExpired = "run_message_expired",
        RunMessageCancelled = "run_message_cancelled",
        WakeConditionRegistered = "wake_condition_registered",
        WakeConditionTriggered = "wake_condition_triggered",
        WakeConditionTimedOut = "wake_condition_timed_out",
        WakeConditionCancelled = "wake_condition_cancelled",
        WakeConditionFailed = "wake_condition_failed",
        AgentPoolConfigured = "agent_pool_configured",
        AgentPoolResumed = "agent_pool_resumed",
        RunTakenOver = "run_taken_over",
        RunLost = "run_lost",
        RunSuspended = "run_suspended",
        RunResumed = "run_resumed",
        RunMessageFetched = "run_message_fetched",
        RunMessageAcked = "run_message_acked",
        RunMessageReleased = "run_message_released",
        RunMessageExtended = "run_message_extended",
        RunMessageDeadLettered = "run_message_dead_lettered",
        RunMessageReplayed = "run_message_replayed",
        RunMessageSettled = "run_message_settled",
        WakeConditionScanned = "wake_condition_scanned",
        EffectIntended = "effect_intended",
        EffectAttempted = "effect_attempted",
        EffectCompleted = "effect_completed",
        AgentPoolRunChanged = "agent_pool_run_changed",
        AgentPoolLabelsChanged = "agent_pool_labels_changed",
        AgentPoolEpochStarted = "agent_pool_epoch_started",
        EffectResultRefused = "effect_result_refused",
        AgentPoolDeadlockSuspected = "agent_pool_deadlock_suspected",
        WakeConditionOrphaned = "wake_condition_orphaned",
        ContentErased = "content_erased",
        ContentStored = "content_stored",
    }
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
    /// Returns the family that the kind belongs to.
    pub fn family(self) -> EventFamily {
        KINDS
            .get(self as usize)
            .map_or(EventFamily::AgentPool, |(family, _)| *family)
    }

    /// Returns the progress that the kind reports about its subject.
    pub fn progress(self) -> Progress {
        KINDS
            .get(self as usize)
            .map_or(Progress::Fact, |(_, progress)| *progress)
    }

    /// Returns true when no event about the same subject follows.
    pub fn is_terminal(self) -> bool {
        self.progress() == Progress::Terminal
    }
}

/// Family and progress of each kind, in the order of the enum.
const KINDS: &[(EventFamily, Progress)] = &[
    (EventFamily::Run, Progress::Fact),                  // RunStarted
    (EventFamily::Run, Progress::Terminal),              // RunCompleted
    (EventFamily::Run, Progress::Terminal),              // RunFailed
    (EventFamily::Run, Progress::Terminal),              // RunCancelled
    (EventFamily::Run, Progress::Fact),                  // RunCheckpointed
    (EventFamily::Run, Progress::Fact),                  // RunCancelRequested
    (EventFamily::Run, Progress::Fact),                  // RunResumeRequested
    (EventFamily::Run, Progress::Fact),                  // RunResumeFailed
    (EventFamily::Turn, Progress::Fact),                 // TurnStarted
    (EventFamily::Turn, Progress::Terminal),             // TurnCompleted
    (EventFamily::Turn, Progress::Terminal),             // TurnFailed
    (EventFamily::Message, Progress::Fact),              // MessageAccepted
    (EventFamily::Message, Progress::Fact),              // MessageCommitted
    (EventFamily::Context, Progress::Fact),              // ProviderRequestProjected
    (EventFamily::Context, Progress::Fact),              // ContextAssembled
    (EventFamily::Model, Progress::Fact),                // ModelAttemptStarted
    (EventFamily::Model, Progress::Progress),            // ModelStreamDelta
    (EventFamily::Model, Progress::Terminal),            // ModelMessageCompleted
    (EventFamily::Model, Progress::Terminal),            // ModelAttemptFailed
    (EventFamily::Tool, Progress::Fact),                 // ToolRequested
    (EventFamily::Tool, Progress::Fact),                 // ToolStarted
    (EventFamily::Tool, Progress::Terminal),             // ToolCompleted
    (EventFamily::Tool, Progress::Terminal),             // ToolFailed
    (EventFamily::Tool, Progress::Terminal),             // ToolDenied
    (EventFamily::Tool, Progress::Terminal),             // ToolRecoveryRequired
    (EventFamily::Approval, Progress::Fact),             // ApprovalRequested
    (EventFamily::Approval, Progress::Fact),             // ApprovalDispatched
    (EventFamily::Approval, Progress::Terminal),         // ApprovalDispatchUnavailable
    (EventFamily::Approval, Progress::Terminal),         // ApprovalResponded
    (EventFamily::Approval, Progress::Terminal),         // ApprovalDenied
    (EventFamily::Approval, Progress::Terminal),         // ApprovalTimedOut
    (EventFamily::Approval, Progress::Terminal),         // ApprovalCancelled
    (EventFamily::Hook, Progress::Fact),                 // HookRegistered
    (EventFamily::Hook, Progress::Fact),                 // HookInvoked
    (EventFamily::Hook, Progress::Terminal),             // HookCompleted
    (EventFamily::Hook, Progress::Terminal),             // HookFailed
    (EventFamily::Hook, Progress::Terminal),             // HookTimedOut
    (EventFamily::Hook, Progress::Terminal),             // HookCancelled
    (EventFamily::Hook, Progress::Terminal),             // HookResponseApplied
    (EventFamily::Hook, Progress::Terminal),             // HookResponseRejected
    (EventFamily::StreamRule, Progress::Fact),           // StreamRuleRegistered
    (EventFamily::StreamRule, Progress::Fact),           // StreamRuleCompileFailed
    (EventFamily::StreamRule, Progress::Fact),           // StreamRuleMatched
    (EventFamily::StreamRule, Progress::Fact),           // StreamInterventionRequested
    (EventFamily::StreamRule, Progress::Fact),           // StreamInterventionApplied
    (EventFamily::StreamRule, Progress::Progress),       // StreamRuleRepeatStateRecorded
    (EventFamily::Realtime, Progress::Fact),             // RealtimeConnectRequested
    (EventFamily::Realtime, Progress::Fact),             // RealtimeConnected
    (EventFamily::Realtime, Progress::Fact),             // RealtimeInputSendRequested
    (EventFamily::Realtime, Progress::Progress),         // RealtimeInputSent
    (EventFamily::Realtime, Progress::Fact),             // RealtimeOutputReceiveRequested
    (EventFamily::Realtime, Progress::Progress),         // RealtimeOutputReceived
    (EventFamily::Realtime, Progress::Fact),             // RealtimeInterrupted
    (EventFamily::Realtime, Progress::Fact),             // RealtimeRestartRequested
    (EventFamily::Realtime, Progress::Fact),             // RealtimeRestartStarted
    (EventFamily::Realtime, Progress::Fact),             // RealtimeRestartCompleted
    (EventFamily::Realtime, Progress::Terminal),         // RealtimeRestartFailed
    (EventFamily::Realtime, Progress::Fact),             // RealtimeCloseRequested
    (EventFamily::Realtime, Progress::Terminal),         // RealtimeClosed
    (EventFamily::Realtime, Progress::Progress),         // RealtimeBackpressureApplied
    (EventFamily::Isolation, Progress::Fact),            // IsolationRequested
    (EventFamily::Isolation, Progress::Fact),            // IsolationAdapterHealthChecked
    (EventFamily::Isolation, Progress::Fact),            // IsolationCapabilityMatched
    (EventFamily::Isolation, Progress::Fact),            // IsolationDowngradeDenied
    (EventFamily::Isolation, Progress::Fact),            // IsolationDowngradeApproved
    (EventFamily::Isolation, Progress::Fact),            // IsolationEnvironmentPrepared
    (EventFamily::Isolation, Progress::Fact),            // IsolationProcessStarted
    (EventFamily::Isolation, Progress::Progress),        // IsolationProcessIoCaptured
    (EventFamily::Isolation, Progress::Progress),        // IsolationProcessStatsRecorded
    (EventFamily::Isolation, Progress::Fact),            // IsolationCleanupStarted
    (EventFamily::Isolation, Progress::Terminal),        // IsolationCleanupCompleted
    (EventFamily::Isolation, Progress::Terminal),        // IsolationCleanupFailed
    (EventFamily::Isolation, Progress::Terminal),        // IsolationFailed
    (EventFamily::ChildLifecycle, Progress::Fact),       // ChildLifecycleRequested
    (EventFamily::ChildLifecycle, Progress::Terminal),   // ChildLifecycleCompleted
    (EventFamily::ChildLifecycle, Progress::Terminal),   // ChildLifecycleDetached
    (EventFamily::Subagent, Progress::Fact),             // SubagentStarted
    (EventFamily::Subagent, Progress::Fact),             // SubagentHandoff
    (EventFamily::Subagent, Progress::Fact),             // SubagentEventWrapped
    (EventFamily::Subagent, Progress::Fact),             // SubagentUsageRolledUp
    (EventFamily::Subagent, Progress::Terminal),         // SubagentCompleted
    (EventFamily::Extension, Progress::Fact),            // ExtensionActionSubmitted
    (EventFamily::Extension, Progress::Fact),            // ExtensionActionStarted
    (EventFamily::Extension, Progress::Terminal),        // ExtensionActionCompleted
    (EventFamily::Extension, Progress::Terminal),        // ExtensionActionFailed
    (EventFamily::Extension, Progress::Terminal),        // ExtensionActionDenied
    (EventFamily::OutputDelivery, Progress::Fact),       // OutputDispatchRequested
    (EventFamily::OutputDelivery, Progress::Terminal),   // OutputDispatchCompleted
    (EventFamily::OutputDelivery, Progress::Terminal),   // OutputDispatchFailed
    (EventFamily::OutputDelivery, Progress::Terminal),   // OutputDispatchDeduped
    (EventFamily::StructuredOutput, Progress::Fact),     // StructuredOutputRequested
    (EventFamily::StructuredOutput, Progress::Fact),     // StructuredOutputValidationStarted
    (EventFamily::StructuredOutput, Progress::Fact),     // StructuredOutputValidationFailed
    (EventFamily::StructuredOutput, Progress::Fact),     // StructuredOutputRepairRequested
    (EventFamily::StructuredOutput, Progress::Terminal), // StructuredOutputValidated
    (EventFamily::StructuredOutput, Progress::Terminal), // StructuredOutputFailed
    (EventFamily::Telemetry, Progress::Fact),            // TelemetrySinkFailed
    (EventFamily::Telemetry, Progress::Fact),            // TelemetrySinkRecovered
    (EventFamily::Telemetry, Progress::Progress),        // UsageRecorded
    (EventFamily::Telemetry, Progress::Progress),        // CostEstimated
    (EventFamily::Telemetry, Progress::Progress),        // CostCorrected
    (EventFamily::Recovery, Progress::Fact),             // ReplayStarted
    (EventFamily::Recovery, Progress::Terminal),         // ReplayCompleted
    (EventFamily::Recovery, Progress::Terminal),         // ReplayFailed
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolCreated
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolRunJoined
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolRunLeft
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageAccepted
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageDelivered
    (EventFamily::AgentPool, Progress::Terminal),        // RunMessageResponded
    (EventFamily::AgentPool, Progress::Terminal),        // RunMessageFailed
    (EventFamily::AgentPool, Progress::Terminal),        // RunMessageTimedOut
    (EventFamily::AgentPool, Progress::Terminal),        // RunMessageExpired
    (EventFamily::AgentPool, Progress::Terminal),        // RunMessageCancelled
    (EventFamily::AgentPool, Progress::Fact),            // WakeConditionRegistered
    (EventFamily::AgentPool, Progress::Terminal),        // WakeConditionTriggered
    (EventFamily::AgentPool, Progress::Terminal),        // WakeConditionTimedOut
    (EventFamily::AgentPool, Progress::Terminal),        // WakeConditionCancelled
    (EventFamily::AgentPool, Progress::Terminal),        // WakeConditionFailed
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolConfigured
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolResumed
    (EventFamily::AgentPool, Progress::Fact),            // RunTakenOver
    (EventFamily::AgentPool, Progress::Fact),            // RunLost
    (EventFamily::AgentPool, Progress::Fact),            // RunSuspended
    (EventFamily::AgentPool, Progress::Fact),            // RunResumed
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageFetched
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageAcked
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageReleased
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageExtended
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageDeadLettered
    (EventFamily::AgentPool, Progress::Fact),            // RunMessageReplayed
    (EventFamily::AgentPool, Progress::Terminal),        // RunMessageSettled
    (EventFamily::AgentPool, Progress::Fact),            // WakeConditionScanned
    (EventFamily::AgentPool, Progress::Fact),            // EffectIntended
    (EventFamily::AgentPool, Progress::Fact),            // EffectAttempted
    (EventFamily::AgentPool, Progress::Terminal),        // EffectCompleted
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolRunChanged
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolLabelsChanged
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolEpochStarted
    (EventFamily::AgentPool, Progress::Fact),            // EffectResultRefused
    (EventFamily::AgentPool, Progress::Fact),            // AgentPoolDeadlockSuspected
    (EventFamily::AgentPool, Progress::Fact),            // WakeConditionOrphaned
    (EventFamily::AgentPool, Progress::Fact),            // ContentErased
    (EventFamily::AgentPool, Progress::Fact),            // ContentStored
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Vocabulary as _;

    #[test]
    fn every_kind_has_its_row() {
        assert_eq!(KINDS.len(), EventKind::ALL.len());
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
