//! The search for a program, as what is started makes it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::ProcessRefusal;

/// Looks for a program as a process in this folder would, with this search path.
pub(crate) fn check_program(
    program: &str,
    folder: &Path,
    search_path: &OsStr,
) -> Result<(), ProcessRefusal> {
    if !folder.is_dir() {
        let folder = folder.to_owned();
        return Err(ProcessRefusal::NoFolder { folder });
    }
    let is_path = program.contains('/');
    let places: Vec<PathBuf> = if is_path {
        // Without the steps that lead nowhere, as it is shown.
        vec![folder.join(program).components().collect()]
    } else {
        let places = std::env::split_paths(search_path);
        places.map(|it| folder.join(it).join(program)).collect()
    };
    let mut files = places.into_iter().filter(|place| place.is_file());
    let may_run = |file: &PathBuf| rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
    let program = program.to_owned();
    match files.next() {
        Some(first) if may_run(&first) || files.any(|file| may_run(&file)) => Ok(()),
        Some(file) => Err(ProcessRefusal::NotExecutable { file }),
        None if is_path => Err(ProcessRefusal::NotInFolder {
            program,
            folder: folder.to_owned(),
        }),
        None if folder.join(&program).is_file() => Err(ProcessRefusal::OnlyInFolder { program }),
        None => Err(ProcessRefusal::NotOnPath { program }),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_program_that_cannot_be_started_is_said_before() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("work.sh");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        let check = |program: &str| {
            let found = check_program(program, place.path(), OsStr::new("/usr/bin:/bin"));
            found.map_err(|error| error.to_string())
        };
        let shown = file.display();
        let refused = format!("{shown} is not executable; run: chmod +x {shown}");
        assert_eq!(check("./work.sh"), Err(refused));
        let advice =
            "no program \"work.sh\" on PATH; that of the working directory is \"./work.sh\"";
        assert_eq!(check("work.sh"), Err(advice.to_owned()));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(check("./work.sh"), Ok(()));
        assert_eq!(check("sh"), Ok(()));
        let none = format!("no program \"bin/x\" in {}", place.path().display());
        assert_eq!(check("bin/x"), Err(none));
        let none = check("no-such-program");
        assert_eq!(
            none,
            Err("no program \"no-such-program\" on PATH".to_owned())
        );
        let folder = place.path().join("gone");
        let refused = check_program("sh", &folder, OsStr::new("/bin"));
        assert_eq!(refused, Err(ProcessRefusal::NoFolder { folder }));
    }
}
