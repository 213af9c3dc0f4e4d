//! What is the kernel's stays so until it says that it is done.
