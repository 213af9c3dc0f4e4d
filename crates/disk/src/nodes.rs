//! What the kernel remembers of the disk: inode numbers, and the paths that they stand for.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{FileAttr, INodeNo};

/// A file that the kernel knows.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Beneath the root.
    pub(crate) path: Arc<Path>,
    /// Its length when it was last looked at.
    pub(crate) len: u64,
}

/// All of them, each with the number of times that it was looked up and not yet forgotten.
#[derive(Debug)]
pub(crate) struct Nodes(Mutex<HashMap<u64, (Node, u64)>>);

impl Nodes {
    pub(crate) fn new() -> Self {
        let root = Node {
            path: PathBuf::from(".").into(),
            len: 0,
        };
        // The kernel never forgets the root.
        let nodes = HashMap::from([(INodeNo::ROOT.0, (root, u64::MAX))]);
        Self(Mutex::new(nodes))
    }

    pub(crate) fn get(&self, inode: INodeNo) -> Option<Node> {
        self.nodes().get(&inode.0).map(|(node, _)| node.clone())
    }

    pub(crate) fn child(&self, parent: INodeNo, name: &OsStr) -> Option<PathBuf> {
        self.get(parent).map(|parent| parent.path.join(name))
    }

    /// The kernel is told of a file once more.
    pub(crate) fn looked_up(&self, path: PathBuf, attributes: &FileAttr) {
        let node = Node {
            path: path.into(),
            len: attributes.size,
        };
        let mut nodes = self.nodes();
        let looked_up = nodes
            .get(&attributes.ino.0)
            .map_or(0, |(_, looked_up)| *looked_up);
        nodes.insert(attributes.ino.0, (node, looked_up.saturating_add(1)));
    }

    /// A file was looked at again.
    pub(crate) fn looked_at(&self, inode: INodeNo, len: u64) {
        if let Some((node, _)) = self.nodes().get_mut(&inode.0) {
            node.len = len;
        }
    }

    /// The kernel gives up `count` of its look-ups.
    pub(crate) fn forget(&self, inode: INodeNo, count: u64) {
        if inode == INodeNo::ROOT {
            return;
        }
        let mut nodes = self.nodes();
        if let Some((_, looked_up)) = nodes.get_mut(&inode.0) {
            *looked_up = looked_up.saturating_sub(count);
            if *looked_up == 0 {
                nodes.remove(&inode.0);
            }
        }
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<u64, (Node, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
