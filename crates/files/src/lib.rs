//! The document root: safe resolution, name, header and content caches, residency.
