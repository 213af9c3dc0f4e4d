//! TUN devices: network interfaces whose packets a program reads and writes (tun.rst in the kernel's documentation).

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

/// Where the kernel offers them.
pub const DEVICE: &str = "/dev/net/tun";

/// Makes a TUN interface called `name` in the network namespace of the calling thread; it is there as long as the file is.
///
/// Each read gives one IP packet that the kernel has sent over the interface, each write hands it one that it receives; neither waits.
///
/// # Errors
/// `ENOENT` or `EACCES` where the device is missing or closed, `EPERM` without `CAP_NET_ADMIN`, `EBUSY` if the name is taken, and
/// `EINVAL` if it has no byte or more than 15.
pub fn open(name: &str) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(DEVICE)?;
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() >= libc::IFNAMSIZ || bytes.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: `ifreq` is plain data, for which all zeroes are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(bytes) {
        *to = from.cast_signed();
    }
    // Both are small positive constants.
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one `ifreq`, which `request` is.
    crate::check(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &mut request) })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_interface_can_have_is_refused() {
        for name in ["", "sixteen-letters-", "zero\0"] {
            let kind = open(name).unwrap_err().kind();
            // Where the device itself cannot be opened, that comes first.
            assert!(kind == io::ErrorKind::InvalidInput || File::open(DEVICE).is_err());
        }
    }
}
