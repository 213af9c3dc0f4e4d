//! What the kernel does not do for us is said in one line, with what to do, and nobody is served.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use arch::{Architecture, ServeOptions, ServerSetup};
use arch_uring::Uring;
use clap::Parser;
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    own: Uring,
}

/// Has `io_uring_setup` refused to this thread from now on.
fn refuse_rings(errno: Errno) {
    /// The same on every processor.
    const IO_URING_SETUP: i64 = 425;
    let filter = SeccompFilter::new(
        [(IO_URING_SETUP, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.raw_os_error().cast_unsigned()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program = BpfProgram::try_from(filter.unwrap()).unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn a_sandbox_that_refuses_rings_is_named() {
    for (errno, word) in [(Errno::PERM, "io_uring"), (Errno::NOSYS, "Linux 6.1")] {
        let complaint = std::thread::spawn(move || {
            let root = tempfile::tempdir().unwrap();
            let arguments = ["test", "--addr", "127.0.0.1:0"];
            let CommandLine { options, own } = CommandLine::parse_from(arguments);
            let setup = ServerSetup::new(options, root.path()).unwrap();
            refuse_rings(errno);
            own.serve(setup, || panic!("it is ready"))
                .unwrap_err()
                .to_string()
        });
        let complaint = complaint.join().unwrap();
        assert!(complaint.contains(word), "{complaint}");
        assert!(complaint.ends_with("choose another --model") && !complaint.contains('\n'));
    }
}

#[test]
fn zero_copy_is_not_for_unix_sockets() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("socket");
    let address = format!("unix:{}", path.display());
    let arguments = ["test", "--addr", &address, "--send", "zero-copy"];
    let CommandLine { options, own } = CommandLine::parse_from(arguments);
    let setup = ServerSetup::new(options, root.path()).unwrap();
    let complaint = own.serve(setup, || panic!("it is ready")).unwrap_err();
    let complaint = complaint.to_string();
    assert!(
        complaint.ends_with("leave --send zero-copy out") && !complaint.contains('\n'),
        "{complaint}"
    );
    assert!(!path.exists(), "the file of the socket is left");
}
