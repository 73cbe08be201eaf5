//! Ids that a request chooses: they have to be such that a path can name them.

use heronry_types::{Id, IdKind};
use serde::{Deserialize, Deserializer, de::Error};

/// Reads an id.
pub(crate) fn id<'de, K: IdKind, D: Deserializer<'de>>(from: D) -> Result<Id<K>, D::Error> {
    let id = Id::deserialize(from)?;
    id.check_path().map_err(D::Error::custom)?;
    Ok(id)
}

/// Reads an id that may be absent.
pub(crate) fn may<'de, K: IdKind, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Id<K>>, D::Error> {
    let id = Option::<Id<K>>::deserialize(from)?;
    id.iter()
        .try_for_each(Id::check_path)
        .map_err(D::Error::custom)?;
    Ok(id)
}

/// Reads a list of ids.
pub(crate) fn list<'de, K: IdKind, D: Deserializer<'de>>(from: D) -> Result<Vec<Id<K>>, D::Error> {
    let ids = Vec::<Id<K>>::deserialize(from)?;
    ids.iter()
        .try_for_each(Id::check_path)
        .map_err(D::Error::custom)?;
    Ok(ids)
}

/// Reads a list of ids that may be absent.
pub(crate) fn may_list<'de, K: IdKind, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<Id<K>>>, D::Error> {
    let ids = Option::<Vec<Id<K>>>::deserialize(from)?;
    let mut all = ids.iter().flatten();
    all.try_for_each(Id::check_path).map_err(D::Error::custom)?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use crate::{Join, PatchMember, RegisterWake, SendMessage};

    fn check<T: DeserializeOwned + std::fmt::Debug>(json: &str) {
        serde_json::from_str::<T>(&json.replace('@', "a")).unwrap();
        for folder in [".", ".."] {
            let error = serde_json::from_str::<T>(&json.replace('@', folder)).unwrap_err();
            let expected = format!("{folder:?} cannot stand in a path; choose another id");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn an_id_that_no_path_can_name_is_not_chosen() {
        check::<Join>(r#"{"run_id":"@","agent_id":"b"}"#);
        check::<Join>(r#"{"run_id":"b","agent_id":"@"}"#);
        check::<Join>(r#"{"run_id":"b","agent_id":"b","topics":["t","@"]}"#);
        check::<PatchMember>(r#"{"topics":["@"]}"#);
        check::<SendMessage>(r#"{"to":{"type":"run","run_id":"b"},"message_id":"@"}"#);
        check::<RegisterWake>(r#"{"filter":"true","wake_id":"@"}"#);
    }
}
