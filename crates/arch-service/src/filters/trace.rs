//! `trace`: a line on standard error for each request.

use std::io::{Write, stderr};
use std::time::Instant;

use http::Method;

use super::Filter;
use crate::service::{Answering, Answers, Request, status};

/// Tells what was asked, what it was answered, and how long that took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace;

impl Filter for Trace {
    fn answer(&self, request: Request, next: &mut impl Answers) -> Answering {
        let (begun, target) = (Instant::now(), request_line(&request));
        let answer = next.call(request);
        Box::pin(async move {
            let outcome = answer.await;
            let time_ms = begun.elapsed().as_secs_f64() * 1e3;
            let line = format!("{target} {} {time_ms:.3} ms\n", status(&outcome));
            // In one piece, so that no two get mixed; nobody has to read it.
            let _ = stderr().write_all(line.as_bytes());
            outcome
        })
    }
}

fn request_line(request: &Request) -> String {
    let mut line = match request.method() {
        Method::Head => b"HEAD ".to_vec(),
        _ => b"GET ".to_vec(),
    };
    request.target().write_path(&mut line);
    request.target().write_query(&mut line);
    // Whatever is not ASCII has been escaped.
    String::from_utf8_lossy(&line).into_owned()
}
