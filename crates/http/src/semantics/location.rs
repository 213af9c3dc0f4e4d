//! Where a directory is that was asked for without the slash at its end (RFC 9110, section 10.2.2).

use crate::semantics::target::Target;

/// Appends the path of `target` with a slash at its end, and its query.
pub(crate) fn write(target: &Target, out: &mut Vec<u8>) {
    // The path is normalised: it does not begin with a slash. So this does not begin with two,
    // which would send the client to another host.
    target.write_path(out);
    if !target.path().is_empty() && !target.is_directory() {
        out.push(b'/');
    }
    target.write_query(out);
}
