//! Kinds of policies, and the classes that govern content.

use super::vocabulary;

vocabulary! {
    /// What a policy governs.
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
    /// How closely something is kept, from open to closed.
    PrivacyClass {
        Public = "public",
        Internal = "internal",
        ContentRefsOnly = "content_refs_only",
        Sensitive = "sensitive",
        Secret = "secret",
    }
}

vocabulary! {
    /// How long something is kept.
    RetentionClass {
        Ephemeral = "ephemeral",
        RunScoped = "run_scoped",
        SessionScoped = "session_scoped",
        Durable = "durable",
        Persistent = "persistent",
        HostPolicy = "host_policy",
    }
}

vocabulary! {
    /// How far a source is trusted.
    TrustClass {
        Trusted = "trusted",
        SdkGenerated = "sdk_generated",
        HostProvided = "host_provided",
        UserProvided = "user_provided",
        External = "external",
        Untrusted = "untrusted",
    }
}

vocabulary! {
    /// How an event captured content.
    ContentCapture {
        None = "none",
        Reference = "reference",
        Summary = "summary",
    }
}

vocabulary! {
    /// How much of an event's payload a wake or a member's view may carry, from least to most.
    WakePayload {
        EnvelopeOnly = "envelope_only",
        Summary = "summary",
        Refs = "refs",
    }
}

impl Default for PrivacyClass {
    fn default() -> Self {
        Self::ContentRefsOnly
    }
}

impl Default for RetentionClass {
    fn default() -> Self {
        Self::HostPolicy
    }
}

impl Default for TrustClass {
    fn default() -> Self {
        Self::HostProvided
    }
}

impl Default for WakePayload {
    fn default() -> Self {
        Self::EnvelopeOnly
    }
}
