//! The data folder: whose it is, how much room there is, where its mark is.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::Finding;
use crate::settings::Settings;

/// Below so much new orders are soon refused; what the store holds back itself is 64 MiB.
const ROOM: u64 = 1024 * 1024 * 1024;

/// The folder, or what it will be made in.
pub(super) fn nearest(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|path| path.exists());
    there.unwrap_or_else(|| Path::new(".")).to_owned()
}

pub(super) fn permissions(data: &Path) -> Finding {
    const CHECK: &str = "data folder";
    let shown = data.display();
    let Ok(meta) = fs::metadata(data) else {
        let above = nearest(data);
        return match tempfile::tempfile_in(&above) {
            Ok(_) => Finding::ok(CHECK, format!("{shown} is not there yet, and can be made")),
            Err(error) => Finding::fail(
                CHECK,
                format!("{shown} cannot be made: {}: {error}", above.display()),
                "make it, and give it to the user that runs the engine",
            ),
        };
    };
    if let Err(error) = tempfile::tempfile_in(data) {
        let advice =
            format!("chown -R the engine's user {shown}, or choose another folder with --data");
        return Finding::fail(CHECK, format!("{shown} cannot be written to: {error}"), advice);
    }
    if meta.mode() & 0o077 != 0 {
        return Finding::warn(
            CHECK,
            format!(
                "others on this machine may look into {shown} (mode {:o})",
                meta.mode() & 0o777
            ),
            format!("chmod 700 {shown}"),
        );
    }
    Finding::ok(CHECK, format!("{shown} can be written to, by its owner alone"))
}

pub(super) fn space(data: &Path) -> Finding {
    const CHECK: &str = "room";
    let at = nearest(data);
    match fs2::available_space(&at) {
        Ok(free) if free < ROOM => Finding::warn(
            CHECK,
            format!("{} MiB are free in {}", free / 1024 / 1024, at.display()),
            "below 64 MiB new orders are refused: make room, or take a larger volume",
        ),
        Ok(free) => Finding::ok(CHECK, format!("{} GiB are free in {}", free / ROOM, at.display())),
        Err(error) => Finding::fail(
            CHECK,
            format!("{}: {error}", at.display()),
            "look at the volume; the kernel's log says more",
        ),
    }
}

pub(super) fn mark(settings: &Settings) -> Finding {
    const CHECK: &str = "mark";
    let Some(mark) = &settings.mark_path else {
        return Finding::warn(
            CHECK,
            "the high-water mark is inside the data folder",
            "set `mark_path` to a file on another volume: only then it is noticed that the whole folder was put back to \
             an older state",
        );
    };
    let device = |path: &Path| fs::metadata(nearest(path)).map(|meta| meta.dev());
    match (device(mark), device(&settings.data)) {
        (Ok(mark), Ok(data)) if mark != data => {
            Finding::ok(CHECK, "on another volume than the data")
        }
        (Ok(_), Ok(_)) => Finding::warn(
            CHECK,
            format!("{} is on the same volume as the data", mark.display()),
            "a volume that is put back to an older state takes its mark along: choose another volume",
        ),
        (Err(error), _) | (_, Err(error)) => Finding::fail(
            CHECK,
            format!("{}: {error}", mark.display()),
            "choose another `mark_path`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{super::Verdict, *};

    #[test]
    fn a_folder_that_others_may_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let verdict = |mode| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            permissions(folder.path()).verdict
        };
        assert_eq!(verdict(0o755), Verdict::Warn);
        assert_eq!(verdict(0o700), Verdict::Ok);
        assert_eq!(permissions(&folder.path().join("not/yet")).verdict, Verdict::Ok);
        assert_eq!(permissions(Path::new("/proc/orderkeep")).verdict, Verdict::Fail);
    }

    #[test]
    fn a_mark_beside_the_data_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let with = |mark: Option<PathBuf>| {
            let data = folder.path().join("data");
            mark_of(Settings { data, mark_path: mark, ..Settings::default() })
        };
        assert_eq!(with(None), Verdict::Warn);
        assert_eq!(with(Some(folder.path().join("mark"))), Verdict::Warn);
        assert_eq!(with(Some("/proc/mark".into())), Verdict::Ok);
    }

    fn mark_of(settings: Settings) -> Verdict {
        mark(&settings).verdict
    }
}
