//! Kinds of entities, sources and destinations.

use super::vocabulary;

vocabulary! {
    /// The kind of an entity.
    EntityKind {
        Run = "run",
        Turn = "turn",
        Attempt = "attempt",
        Agent = "agent",
        AgentPool = "agent_pool",
        Topic = "topic",
        Event = "event",
        Message = "message",
        WakeCondition = "wake_condition",
        ContextContribution = "context_contribution",
        ContextItem = "context_item",
        ContextProjection = "context_projection",
        Content = "content",
        Artifact = "artifact",
        Capability = "capability",
        PackageSidecar = "package_sidecar",
        RuntimePackage = "runtime_package",
        PolicyDecision = "policy_decision",
        Effect = "effect",
        EffectIntent = "effect_intent",
        EffectResult = "effect_result",
        ToolCall = "tool_call",
        ApprovalRequest = "approval_request",
        StreamRule = "stream_rule",
        RealtimeSession = "realtime_session",
        Hook = "hook",
        ExecutionEnvironment = "execution_environment",
        ChildArtifact = "child_artifact",
        SubagentRun = "subagent_run",
        ExtensionAction = "extension_action",
        OutputDelivery = "output_delivery",
    }
}

vocabulary! {
    /// The kind of a source.
    SourceKind {
        Sdk = "sdk",
        Host = "host",
        User = "user",
        System = "system",
        Developer = "developer",
        Memory = "memory",
        Compaction = "compaction",
        Hook = "hook",
        Extension = "extension",
        Tool = "tool",
        RemoteChannel = "remote_channel",
        ScheduledTask = "scheduled_task",
        Subagent = "subagent",
        ExternalRuntime = "external_runtime",
        Replay = "replay",
    }
}

vocabulary! {
    /// The kind of a destination.
    DestinationKind {
        Run = "run",
        Agent = "agent",
        AgentPool = "agent_pool",
        Topic = "topic",
        Provider = "provider",
        ContextProjection = "context_projection",
        Journal = "journal",
        EventStream = "event_stream",
        Telemetry = "telemetry",
        OutputSink = "output_sink",
        Host = "host",
        User = "user",
        RemoteChannel = "remote_channel",
        Tool = "tool",
        Extension = "extension",
        Subagent = "subagent",
        ExternalRuntime = "external_runtime",
    }
}
