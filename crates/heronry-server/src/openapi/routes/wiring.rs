//! Edges, aliases and labels.

use heronry_types::AliasView;
use heronry_wire::{
    AliasList, AliasesQuery, Changed, EdgeList, EdgesQuery, LabelsShown, ProblemKind, PutAlias,
    PutLabels,
};

use crate::openapi::{Contract, Tag};

pub(crate) fn list_edges(contract: Contract) -> Contract {
    contract
        .named("listEdges", Tag::Wiring)
        .queries::<EdgesQuery>()
        .answers::<EdgeList>(200, "A page of the edges.")
        .refuses(&[ProblemKind::LimitExceeded])
}

pub(crate) fn wire_edge(contract: Contract) -> Contract {
    contract
        .named("wireEdge", Tag::Wiring)
        .answers::<Changed>(200, "The runs are wired.")
        .refuses(&[ProblemKind::LimitExceeded])
}

pub(crate) fn unwire_edge(contract: Contract) -> Contract {
    contract
        .named("unwireEdge", Tag::Wiring)
        .answers::<Changed>(200, "The runs are not wired.")
}

pub(crate) fn list_aliases(contract: Contract) -> Contract {
    contract
        .named("listAliases", Tag::Wiring)
        .queries::<AliasesQuery>()
        .answers::<AliasList>(200, "A page of the aliases.")
        .refuses(&[ProblemKind::LimitExceeded])
}

pub(crate) fn show_alias(contract: Contract) -> Contract {
    contract
        .named("showAlias", Tag::Wiring)
        .answers::<AliasView>(200, "The alias.")
        .refuses(&[ProblemKind::AliasNotFound])
}

pub(crate) fn set_alias(contract: Contract) -> Contract {
    contract
        .named("setAlias", Tag::Wiring)
        .reads::<PutAlias>()
        .answers::<Changed>(200, "The alias leads there.")
        .refuses(&[ProblemKind::LimitExceeded])
}

pub(crate) fn remove_alias(contract: Contract) -> Contract {
    contract
        .named("removeAlias", Tag::Wiring)
        .answers::<Changed>(200, "There is no such alias.")
}

pub(crate) fn pool_labels(contract: Contract) -> Contract {
    contract
        .named("showPoolLabels", Tag::Wiring)
        .answers::<LabelsShown>(200, "The labels.")
}

pub(crate) fn set_pool_labels(contract: Contract) -> Contract {
    contract
        .named("setPoolLabels", Tag::Wiring)
        .reads::<PutLabels>()
        .answers::<Changed>(200, "These are the labels.")
}

pub(crate) fn run_labels(contract: Contract) -> Contract {
    contract
        .named("showRunLabels", Tag::Wiring)
        .answers::<LabelsShown>(200, "The labels.")
}

pub(crate) fn set_run_labels(contract: Contract) -> Contract {
    contract
        .named("setRunLabels", Tag::Wiring)
        .reads::<PutLabels>()
        .answers::<Changed>(200, "These are the labels.")
        .refuses(&[ProblemKind::LimitExceeded])
}
