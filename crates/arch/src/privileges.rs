//! Giving up the privileges of root, once what needs them is done.

use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::str::FromStr;

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{
    capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use crate::error::context;

/// Whom to serve as, as it was typed: `NAME[:GROUP]`, either of them a name or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    user: String,
    group: Option<String>,
}

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        if user.is_empty() || group.is_some_and(|group| group.is_empty() || group.contains(':')) {
            return Err("expected NAME or NAME:GROUP, like www-data or nobody:nogroup".to_owned());
        }
        Ok(Self {
            user: user.to_owned(),
            group: group.map(str::to_owned),
        })
    }
}

impl fmt::Display for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.user)?;
        match &self.group {
            Some(group) => write!(formatter, ":{group}"),
            None => Ok(()),
        }
    }
}

/// A user that was looked up and may be become.
#[derive(Debug)]
pub(crate) struct Privileges {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl User {
    /// Looks the user up, and whether this process may become it.
    ///
    /// # Errors
    /// In words for the person who typed it.
    pub(crate) fn look_up(&self) -> Result<Privileges> {
        self.look_up_for(geteuid())
    }

    /// The same, for a process of `own`.
    fn look_up_for(&self, own: Uid) -> Result<Privileges> {
        let refuse = |kind, why: String| Err(Error::new(kind, format!("--user {self}: {why}")));
        let failed = |error: Error| Error::new(error.kind(), format!("--user {self}: {error}"));
        let known = match number(&self.user) {
            Some(uid) => sys::user::by_number(Uid::from_raw(uid)).map_err(failed)?,
            None => sys::user::by_name(&self.user).map_err(failed)?,
        };
        let uid = match (&known, number(&self.user)) {
            (Some(user), _) => user.uid,
            (None, Some(uid)) => Uid::from_raw(uid),
            (None, None) => {
                let why = format!("there is no user {}; see getent passwd", self.user);
                return refuse(ErrorKind::NotFound, why);
            }
        };
        let given = match &self.group {
            None => None,
            Some(group) => match number(group) {
                Some(gid) => Some(Gid::from_raw(gid)),
                None => match sys::user::group_by_name(group).map_err(failed)? {
                    Some(gid) => Some(gid),
                    None => {
                        let why = format!("there is no group {group}; see getent group");
                        return refuse(ErrorKind::NotFound, why);
                    }
                },
            },
        };
        let Some(gid) = given.or(known.as_ref().map(|user| user.gid)) else {
            let why = "the user database has no group for this number; add one, as in --user";
            return refuse(ErrorKind::NotFound, format!("{why} {self}:{self}"));
        };
        if uid.is_root() {
            let why = "that would keep all privileges; choose another user".to_owned();
            return refuse(ErrorKind::InvalidInput, why);
        }
        if !own.is_root() {
            let why = "only root can become another user; leave --user out, or start as root";
            return refuse(ErrorKind::PermissionDenied, why.to_owned());
        }
        let groups = match &known {
            Some(user) => sys::user::groups(&user.name, gid).map_err(failed)?,
            None => vec![gid],
        };
        Ok(Privileges { uid, gid, groups })
    }
}

impl Privileges {
    /// Becomes the user, for good.
    ///
    /// # Errors
    /// What the kernel refuses; where privileges are left over, or could be had again.
    pub(crate) fn drop_to(self) -> Result<()> {
        // On Linux each thread has an identity of its own, so there may be but one yet.
        if sys::process::threads()? != 1 {
            return Err(Error::other(
                "threads were started before privileges were dropped",
            ));
        }
        // In this order, for the later ones take the right to the earlier ones away.
        set_thread_groups(&self.groups)
            .map_err(Error::from)
            .map_err(context("cannot give up root's groups"))?;
        set_thread_res_gid(self.gid, self.gid, self.gid)
            .map_err(Error::from)
            .map_err(context("cannot change the group"))?;
        set_thread_res_uid(self.uid, self.uid, self.uid)
            .map_err(Error::from)
            .map_err(context("cannot change the user"))?;
        // Nor can a set-user-ID program be a way back.
        set_no_new_privs(true)?;
        let left = capabilities(None)?;
        if set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).is_ok()
            || !left.effective.is_empty()
            || !left.permitted.is_empty()
        {
            return Err(Error::other(
                "privileges are left after dropping them; is the process kept from losing capabilities (securebits)?",
            ));
        }
        Ok(())
    }
}

fn number(text: &str) -> Option<u32> {
    // The largest means "leave it as it is" to the kernel.
    text.parse().ok().filter(|&number| number < u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_as_they_are_typed() {
        for text in ["nobody", "nobody:nogroup", "65534", "65534:0"] {
            assert_eq!(text.parse::<User>().unwrap().to_string(), text);
        }
        for text in ["", ":", "a:", ":b", "a:b:c"] {
            assert!(text.parse::<User>().is_err(), "{text}");
        }
    }

    #[test]
    fn who_cannot_be_become_is_told_why() {
        for (text, why) in [
            ("no-such-user-here", "no user"),
            ("0", "keep all privileges"),
            ("root", "keep all privileges"),
            ("root:no-such-group-here", "no group"),
            ("4000000001", "4000000001:4000000001"),
        ] {
            let error = text.parse::<User>().unwrap().look_up().unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
        let anybody = "12345:12345".parse::<User>().unwrap();
        let error = anybody.look_up_for(Uid::from_raw(1)).unwrap_err();
        assert!(error.to_string().contains("only root"), "{error}");
        let privileges = anybody.look_up_for(Uid::ROOT).unwrap();
        assert_eq!(privileges.groups, [Gid::from_raw(12345)]);
    }
}
