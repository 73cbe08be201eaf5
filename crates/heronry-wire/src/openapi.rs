//! Schemas of what requests share, where the type that is read knows no `OpenAPI`: each is named, and the
//! document describes it once.

use utoipa::openapi::{
    ArrayBuilder, OneOfBuilder, Ref, RefOr, Schema, schema::ObjectBuilder, schema::Type,
};

/// Returns the schema of where a message is sent.
pub(crate) fn address() -> RefOr<Schema> {
    named("Address")
}

/// Returns the schema of a list of policies.
pub(crate) fn policies() -> RefOr<Schema> {
    ArrayBuilder::new().items(named("PolicyRef")).into()
}

/// Returns the schema of a list of policies, or of none.
pub(crate) fn policies_if_any() -> RefOr<Schema> {
    if_any(policies())
}

/// Returns the schema of the replies that a message asks for, if it does.
pub(crate) fn response_contract_if_any() -> RefOr<Schema> {
    if_any(named("ResponseContract"))
}

/// Returns the schema of a list of events that a member reports.
pub(crate) fn new_events() -> RefOr<Schema> {
    ArrayBuilder::new().items(named("NewEvent")).into()
}

fn named(name: &'static str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

fn if_any(schema: RefOr<Schema>) -> RefOr<Schema> {
    let nothing = ObjectBuilder::new().schema_type(Type::Null);
    let either = OneOfBuilder::new().item(nothing).item(schema).build();
    Schema::from(either).into()
}
