//! Kinds of policies, and the classes that govern content.

use super::vocabulary;

vocabulary! {
    /// The kind of thing that a policy governs.
    PolicyKind {
        Approval = "approval",
        Permission = "permission",
        Sandbox = "sandbox",
        Context = "context",
        Privacy = "privacy",
        Retention = "retention",
        Redaction = "redaction",
        RuntimePackage = "runtime_package",
        Host = "host",
    }
}

vocabulary! {
    /// The privacy class of something, from open to closed.
    #[derive(Default)]
    PrivacyClass {
        Public = "public",
        Internal = "internal",
        #[default]
        ContentRefsOnly = "content_refs_only",
        Sensitive = "sensitive",
        Secret = "secret",
    }
}

vocabulary! {
    /// The retention class of something: the time for which it is kept.
    #[derive(Default)]
    RetentionClass {
        Ephemeral = "ephemeral",
        RunScoped = "run_scoped",
        SessionScoped = "session_scoped",
        Durable = "durable",
        Persistent = "persistent",
        #[default]
        HostPolicy = "host_policy",
    }
}

vocabulary! {
    /// The degree of trust in a source.
    #[derive(Default)]
    TrustClass {
        Trusted = "trusted",
        SdkGenerated = "sdk_generated",
        #[default]
        HostProvided = "host_provided",
        UserProvided = "user_provided",
        External = "external",
        Untrusted = "untrusted",
    }
}

vocabulary! {
    /// The way in which an event captured content.
    ContentCapture {
        None = "none",
        Reference = "reference",
        Summary = "summary",
    }
}

vocabulary! {
    /// The largest part of an event's payload that a wake or a member's view may carry, from least to most.
    #[derive(Default)]
    WakePayload {
        #[default]
        EnvelopeOnly = "envelope_only",
        Summary = "summary",
        Refs = "refs",
    }
}

vocabulary! {
    /// The treatment of events without a record that a reader is too slow for. Facts are never dropped.
    OverflowPolicy {
        /// The oldest that tells progress is dropped. When all that wait tell something else, the stream ends.
        DropProgress = "drop_progress",
        /// The oldest is dropped.
        DropNonTerminal = "drop_non_terminal",
        /// A notice that counts their kinds takes the place of all that wait.
        Summarize = "summarize",
        /// The stream ends.
        FailSubscriber = "fail_subscriber",
        /// The newest alone is kept.
        LatestOnly = "latest_only",
    }
}
