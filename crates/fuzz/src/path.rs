//! The path of a request, from the request line to an open file.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use files::{Files, Missing, Path, Resolver};
use http::{Config, Connection, Scratch, Want};

use crate::ground::{Ground, Header, contents, open, place, tree};

struct Tree {
    ground: Ground,
    root: PathBuf,
    /// By each of the ways in which a path is resolved.
    ways: [Ways; 2],
}

/// What is served, with dotfiles and without; what is named `.hidden` is one.
struct Ways {
    shown: Files<Header>,
    hidden: Files<Header>,
}

thread_local! {
    // Made once and removed when the thread ends, which in a fuzzer is the process's end.
    static TREE: Tree = Tree::new();
}

impl Tree {
    fn new() -> Self {
        let ground = tree();
        ground.write(".hidden", "hidden");
        ground.write("a/.dir/c.txt", "hidden");
        let files = |resolver, dotfiles| {
            let mut recipe = ground.resolved_by(resolver);
            recipe.name_cache = 20;
            recipe.dotfiles = dotfiles;
            open(recipe)
        };
        let ways = [Resolver::Kernel, Resolver::Walk].map(|resolver| Ways {
            shown: files(resolver, true),
            hidden: files(resolver, false),
        });
        Self {
            root: ground.root(),
            ways,
            ground,
        }
    }

    /// Opens a path in every way, which have to agree.
    fn open(&self, path: Path<'_>) {
        let [one, other] = &self.ways;
        assert_eq!(
            self.open_by(one, path),
            self.open_by(other, path),
            "{path:?}"
        );
    }

    /// Opens a path, and asks the file system where that was.
    fn open_by(&self, way: &Ways, path: Path<'_>) -> Option<Missing> {
        let found = way.shown.find(path, Instant::now());
        if let Ok(entry) = &found {
            let place = place(entry);
            assert!(place.starts_with(&self.root), "{place:?} was opened");
            assert_ne!(contents(entry), b"secret", "{place:?}");
            let mut named = self.root.join(OsStr::from_bytes(path.bytes));
            if path.directory {
                named.push("index.html");
            }
            assert_eq!(
                fs::canonicalize(named).ok(),
                Some(place),
                "what the file system says"
            );
        }
        assert_ne!(found.as_ref().err(), Some(&Missing::Failed), "{path:?}");
        let hidden = way.hidden.find(path, Instant::now());
        let missing = found.err();
        let below = path.bytes.strip_prefix(b".well-known");
        let below = below.filter(|rest| rest.is_empty() || rest.starts_with(b"/"));
        if below
            .unwrap_or(path.bytes)
            .split(|&byte| byte == b'/')
            .any(|segment| segment.starts_with(b"."))
        {
            assert_eq!(hidden.err(), Some(Missing::NotFound), "a dotfile");
        } else {
            assert_eq!(missing, hidden.err(), "no dotfile");
        }
        missing
    }
}

/// Looks up `bytes` as the target of a request, and as a path that no request could hold, for whoever resolves does not rely on
/// whoever parsed.
///
/// # Panics
/// When anything outside the root is opened, or something else than the file system would open.
pub fn check(bytes: &[u8]) {
    TREE.with(|tree| {
        if let Some((path, directory)) = parsed(bytes) {
            assert!(
                path.is_empty()
                    || path
                        .split(|&byte| byte == b'/')
                        .all(|segment| !matches!(segment, b"" | b"." | b".."))
            );
            assert!(!path.contains(&0) && (!path.is_empty() || directory));
            tree.open(Path {
                bytes: &path,
                directory,
            });
        }
        for directory in [false, true] {
            tree.open(Path { bytes, directory });
        }
        assert!(tree.ground.outside().join("secret.txt").exists());
    });
}

/// What a connection makes of a request line with this target.
fn parsed(target: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut scratch = Scratch::new(Arc::new(Config::default()));
    let mut connection = Connection::new();
    let request = [b"GET ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat();
    connection.receive(&request, &mut scratch);
    (connection.want() == Want::Find).then(|| {
        let target = connection.target();
        (target.path().to_vec(), target.is_directory())
    })
}
