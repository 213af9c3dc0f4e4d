//! Users and groups by name, from wherever this machine keeps them (getpwnam_r and its kin, and so NSS).

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;

use rustix::process::{Gid, Uid};

/// A user, as the user database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// What it is called.
    pub name: CString,
    /// Its number.
    pub uid: Uid,
    /// The number of its own group.
    pub gid: Gid,
}

/// Room for an entry at first, and the most that one is given.
const ENTRY: [usize; 2] = [1 << 10, 1 << 20];

/// The user called `name`; `None` if there is none.
///
/// # Errors
/// Where the database cannot be read.
pub fn by_name(name: &str) -> io::Result<Option<User>> {
    let Ok(name) = CString::new(name) else {
        return Ok(None);
    };
    // SAFETY: as `entry` asks; the name is terminated and outlives the call.
    entry(|entry, buffer, room, found| unsafe {
        libc::getpwnam_r(name.as_ptr(), entry, buffer, room, found)
    })
    .map(|found| found.map(|entry| user(&entry)))
}

/// The user with the number `uid`; `None` if the database has no such entry, which keeps nobody from running as it.
///
/// # Errors
/// Where the database cannot be read.
pub fn by_number(uid: Uid) -> io::Result<Option<User>> {
    // SAFETY: as `entry` asks.
    entry(|entry, buffer, room, found| unsafe {
        libc::getpwuid_r(uid.as_raw(), entry, buffer, room, found)
    })
    .map(|found| found.map(|entry| user(&entry)))
}

/// The group called `name`; `None` if there is none.
///
/// # Errors
/// Where the database cannot be read.
pub fn group_by_name(name: &str) -> io::Result<Option<Gid>> {
    let Ok(name) = CString::new(name) else {
        return Ok(None);
    };
    // SAFETY: as `entry` asks; the name is terminated and outlives the call.
    entry(|entry, buffer, room, found| unsafe {
        libc::getgrnam_r(name.as_ptr(), entry, buffer, room, found)
    })
    .map(|found| found.map(|Entry { raw, .. }: Entry<libc::group>| Gid::from_raw(raw.gr_gid)))
}

/// All groups of a user, `first` among them.
///
/// # Errors
/// Where they are more than a process can have.
pub fn groups(name: &CStr, first: Gid) -> io::Result<Vec<Gid>> {
    /// NGROUPS_MAX of Linux.
    const MOST: usize = 65_536;
    let mut room = 64;
    loop {
        let mut groups: Vec<libc::gid_t> = vec![0; room];
        let mut count = libc::c_int::try_from(room).map_err(io::Error::other)?;
        // SAFETY: the name is terminated, and `groups` has room for `count` numbers.
        let fits = unsafe {
            libc::getgrouplist(
                name.as_ptr(),
                first.as_raw(),
                groups.as_mut_ptr(),
                &raw mut count,
            )
        } >= 0;
        let count = usize::try_from(count).unwrap_or(0);
        if fits {
            return Ok(groups[..count].iter().copied().map(Gid::from_raw).collect());
        }
        if room >= MOST {
            return Err(io::Error::other("too many groups"));
        }
        room = count.max(2 * room).min(MOST);
    }
}

/// An entry, with the text that it points to.
struct Entry<T> {
    raw: T,
    _text: Vec<libc::c_char>,
}

/// Asks for an entry with room for its text, and with more where that is too little.
///
/// `ask` gets where to put the entry, a buffer, how many bytes that has, and where to put a pointer to the entry or null.
fn entry<T>(
    ask: impl Fn(*mut T, *mut libc::c_char, usize, *mut *mut T) -> libc::c_int,
) -> io::Result<Option<Entry<T>>> {
    let [mut room, most] = ENTRY;
    loop {
        let mut raw = MaybeUninit::<T>::uninit();
        let mut text = vec![0; room];
        let mut found = std::ptr::null_mut();
        match ask(raw.as_mut_ptr(), text.as_mut_ptr(), room, &raw mut found) {
            0 if found.is_null() => return Ok(None),
            0 => {
                // SAFETY: success and a pointer mean that the entry was filled. Its own pointers lead into `text`, whose
                // bytes stay where they are when the vector moves.
                let raw = unsafe { raw.assume_init() };
                return Ok(Some(Entry { raw, _text: text }));
            }
            libc::ERANGE if room < most => room *= 4,
            libc::EINTR => {}
            // How some services say that there is no such entry.
            libc::ENOENT | libc::ESRCH => return Ok(None),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

fn user(entry: &Entry<libc::passwd>) -> User {
    User {
        // SAFETY: an entry that was found has a terminated name, in the text that it comes with.
        name: unsafe { CStr::from_ptr(entry.raw.pw_name) }.to_owned(),
        uid: Uid::from_raw(entry.raw.pw_uid),
        gid: Gid::from_raw(entry.raw.pw_gid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_name_and_by_number() {
        let root = by_name("root").unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (Uid::ROOT, Gid::ROOT));
        assert_eq!(by_number(Uid::ROOT).unwrap(), Some(root.clone()));
        assert_eq!(group_by_name("root").unwrap(), Some(Gid::ROOT));
        assert!(groups(&root.name, root.gid).unwrap().contains(&Gid::ROOT));
    }

    #[test]
    fn who_is_not_there_is_no_error() {
        assert_eq!(by_name("no such user").unwrap(), None);
        assert_eq!(by_name("nul\0inside").unwrap(), None);
        assert_eq!(group_by_name("no such group").unwrap(), None);
        assert_eq!(by_number(Uid::from_raw(4_000_000_001)).unwrap(), None);
    }
}
