//! Looking for a data directory from a folder upward.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::files::is_own_folder;

/// The name of the data directory of a folder and of all below it.
pub(crate) const NAME: &str = ".heronry";

/// The result of a search, and the folders that it looked into.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Search {
    /// The nearest data directory of this user. Whether it is open to others is checked, and refused,
    /// when it is used.
    pub(crate) found: Option<PathBuf>,
    /// The folders that were looked into, from below upward.
    pub(crate) looked: Vec<PathBuf>,
    /// The paths that have the name and are not a folder of this user.
    pub(crate) passed_over: Vec<PathBuf>,
}

/// Looks into a folder and those above it: up to the user's home, or to the border of the file system.
pub(crate) fn upward(from: &Path, home: Option<&Path>) -> Search {
    let mut search = Search::default();
    let device = fs::metadata(from).map(|it| it.dev()).ok();
    for folder in from.ancestors() {
        if fs::metadata(folder).map(|it| it.dev()).ok() != device {
            break;
        }
        search.looked.push(folder.to_owned());
        let candidate = folder.join(NAME);
        // Another user's folder could hold what they chose. One of this user that others can enter is
        // refused, and not passed over: what is further up is another team's.
        if is_own_folder(&candidate) {
            search.found = Some(candidate);
            break;
        }
        // What cannot be looked at is nothing that could be used.
        if fs::metadata(&candidate).is_ok() {
            search.passed_over.push(candidate);
        }
        if home == Some(folder) {
            break;
        }
    }
    search
}

impl Search {
    /// Names the folders that were looked into, and the paths that were passed over.
    pub(crate) fn story(&self) -> String {
        let mut text = match self.looked.as_slice() {
            [] => "no folder could be looked into".to_owned(),
            [only] => format!("looked for {NAME} in {}", only.display()),
            [first, .., last] => format!(
                "looked for {NAME} in {} and the folders above it, up to {}",
                first.display(),
                last.display()
            ),
        };
        if let Some(story) = self.passed_over_story() {
            text.push_str("; ");
            text.push_str(&story);
        }
        text
    }

    /// Says which folders of the name were not used; nothing when there are none.
    pub(crate) fn passed_over_story(&self) -> Option<String> {
        let mut folders = self.passed_over.iter().map(|it| it.display().to_string());
        let first = folders.next()?;
        let all = folders.fold(first, |all, more| format!("{all}, {more}"));
        Some(format!("not a folder of this user, so not used: {all}"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn make(path: &Path, mode: u32) {
        fs::create_dir_all(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_nearest_folder_of_this_user_is_found_whatever_its_mode_and_nothing_else_is() {
        let top = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(top.path()).unwrap();
        let below = top.join("a/b");
        make(&below, 0o755);
        make(&top.join(".heronry"), 0o700);
        let search = upward(&below, None);
        assert_eq!(search.found, Some(top.join(".heronry")));
        fs::write(top.join("a/.heronry"), "").unwrap();
        let search = upward(&below, None);
        assert_eq!(search.found, Some(top.join(".heronry")));
        assert_eq!(search.passed_over, [top.join("a/.heronry")]);
        assert!(
            search.story().contains("of this user"),
            "{}",
            search.story()
        );
        fs::remove_file(top.join("a/.heronry")).unwrap();
        for mode in [0o700, 0o750, 0o755, 0o777] {
            make(&top.join("a/.heronry"), mode);
            let search = upward(&below, None);
            assert_eq!(search.found, Some(top.join("a/.heronry")), "{mode:o}");
            assert_eq!(search.passed_over, Vec::<PathBuf>::new());
        }
    }

    #[test]
    fn nothing_above_home_is_looked_at() {
        let top = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(top.path()).unwrap();
        let below = top.join("home/project");
        make(&below, 0o755);
        make(&top.join(".heronry"), 0o700);
        let search = upward(&below, Some(&top.join("home")));
        assert_eq!(search.found, None);
        assert_eq!(search.looked, [below.clone(), top.join("home")]);
        let story = search.story();
        assert!(story.contains(below.to_str().unwrap()), "{story}");
        make(&top.join("home/.heronry"), 0o700);
        let search = upward(&below, Some(&top.join("home")));
        assert_eq!(search.found, Some(top.join("home/.heronry")));
    }
}
