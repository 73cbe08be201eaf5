//! Members: joining, changing and leaving.

use heronry_wire::{
    Changed, Join, Joined, MemberList, MembersQuery, PatchMember, ProblemKind, SetState,
    StateChanged,
};

use crate::openapi::{CLAIMS, Contract, Tag};

pub(crate) fn join_pool(contract: Contract) -> Contract {
    contract
        .named("joinPool", Tag::Members)
        .reads::<Join>()
        .answers::<Joined>(201, "The run joined.")
        .answers::<Joined>(200, "The same instance had joined.")
        .refuses(&[
            ProblemKind::RunEnded,
            ProblemKind::RunTaken,
            ProblemKind::MemberConflict,
            ProblemKind::Policy,
        ])
}

pub(crate) fn list_members(contract: Contract) -> Contract {
    contract
        .named("listMembers", Tag::Members)
        .queries::<MembersQuery>()
        .answers::<MemberList>(200, "A page of the members.")
        .refuses(&[ProblemKind::CursorInvalid])
}

pub(crate) fn change_member(contract: Contract) -> Contract {
    contract
        .named("changeMember", Tag::Members)
        .reads::<PatchMember>()
        .answers::<Changed>(200, "The member was changed.")
}

pub(crate) fn leave_pool(contract: Contract) -> Contract {
    contract
        .named("leavePool", Tag::Members)
        .answers::<Changed>(200, "The run left.")
}

pub(crate) fn heartbeat(contract: Contract) -> Contract {
    contract
        .named("heartbeat", Tag::Members)
        .answers::<Changed>(200, "The lease was renewed.")
}

pub(crate) fn set_run_state(contract: Contract) -> Contract {
    contract
        .named("setRunState", Tag::Members)
        .reads::<SetState>()
        .answers::<StateChanged>(200, "The state of the run now.")
        .refuses(&CLAIMS)
        .refuses(&[ProblemKind::WakeNotFound])
}
