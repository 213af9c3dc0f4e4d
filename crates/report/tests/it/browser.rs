//! The page in a real browser: without script, with it, and used by hand.
//!
//! Chromium is spoken to over two pipes by its own protocol (Chrome DevTools Protocol), which needs neither a driver nor a port. Where there is no Chromium
//! the test says so and what to install.

use crate::support::{catalogue, made, small};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    /// What the page complained of.
    complaints: Vec<String>,
}

impl Browser {
    /// Starts one whose profile is in `profile`; None if there is none to start.
    fn start(profile: &Path) -> Option<Self> {
        let runs = |name: &&&str| {
            Command::new(**name)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let name = NAMES.iter().find(runs)?;
        // Its pipes have to be numbers 3 and 4.
        let script = "exec \"$0\" \"$@\" 3<&0 4>&1 >/dev/null 2>/dev/null";
        let mut child = Command::new("sh")
            .args([
                "-c",
                script,
                name,
                "--remote-debugging-pipe",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (to, from) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self {
            child,
            to,
            from,
            session: None,
            last: 0,
            complaints: Vec::new(),
        })
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        loop {
            let message = self.next();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .expect("the browser listens");
        self.last
    }

    fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from
            .read_until(0, &mut bytes)
            .expect("the browser speaks");
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        let message: Value = serde_json::from_slice(&bytes).expect("JSON");
        let complains = [
            "Log.entryAdded",
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
        ];
        if complains.iter().any(|kind| message["method"] == *kind) {
            self.complaints.push(message["params"].to_string());
        }
        message
    }

    /// Opens a page of this width, with or without its script, in a light or dark scheme.
    fn open(&mut self, page: &Path, width: u32, script: bool, scheme: &str) {
        self.session = None;
        let target = self.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = self.ask(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        );
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Log.enable", "Runtime.enable"] {
            self.ask(domain, json!({}));
        }
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 }),
        );
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
        self.ask(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": !script }),
        );
        self.ask(
            "Page.navigate",
            json!({ "url": format!("file://{}", page.display()) }),
        );
        while self.next()["method"] != "Page.loadEventFired" {}
    }

    fn value(&mut self, expression: &str) -> Value {
        let result = self.ask(
            "Runtime.evaluate",
            json!({ "expression": expression, "returnByValue": true }),
        );
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    fn mouse(&mut self, kind: &str, at: &Value) {
        let params = json!({ "type": kind, "x": at[0], "y": at[1], "button": if kind == "mouseMoved" { "none" } else { "left" }, "clickCount": 1 });
        self.ask("Input.dispatchMouseEvent", params);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const NO_SIDEWAYS: &str =
    "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
/// The middle of an element, brought into view.
const MIDDLE: &str = "(of) => { const e = document.querySelector(of); e.scrollIntoView({ block: 'center', behavior: 'instant' }); const r = e.getBoundingClientRect(); \
                      return [r.x + r.width / 2, r.y + r.height / 2]; }";

#[test]
fn the_page_is_whole_without_script_and_more_with_it() {
    let made = made(&small());
    let profile = tempfile::tempdir().expect("a folder for the test");
    let page = report::write(&made.path, None, &catalogue()).unwrap();
    let Some(mut browser) = Browser::start(profile.path()) else {
        eprintln!(
            "SKIPPED: there is no Chromium. Install it to have the page tested, on Debian by: apt-get install chromium"
        );
        return;
    };
    for (script, width, scheme) in [
        (false, 1200, "light"),
        (true, 390, "dark"),
        (true, 1200, "light"),
    ] {
        browser.open(&page, width, script, scheme);
        let figures = browser.value("document.querySelectorAll('figure svg').length");
        assert!(
            figures.as_u64().is_some_and(|figures| figures > 12),
            "{figures}"
        );
        assert_eq!(browser.value(NO_SIDEWAYS), true, "at {width} pixels");
        let smallest = "Math.min(...[...document.querySelectorAll('figure:not(details *) text')].map((t) => t.getBoundingClientRect().height))";
        assert!(
            browser
                .value(smallest)
                .as_f64()
                .is_some_and(|height| height >= 11.0),
            "text can be read at {width} pixels"
        );
        let ground = browser.value("getComputedStyle(document.body).backgroundColor");
        assert_eq!(
            ground == "rgb(255, 255, 255)",
            scheme == "light",
            "{ground}"
        );
        let hints = browser.value("document.querySelectorAll('.hits title').length");
        assert_eq!(
            hints.as_u64() == Some(0),
            script,
            "markers have titles of their own as long as no script shows them"
        );
        assert_eq!(
            browser.value("document.querySelectorAll('[role=button]').length > 0"),
            script
        );
    }
    // What is left is the page on a desk, with its script.
    let tip =
        "document.querySelector('.tip').hidden ? '' : document.querySelector('.tip').textContent";
    let figure = "#latency-p99-closed-connections";
    let marker = browser.value(&format!("({MIDDLE})('{figure} .hits circle')"));
    browser.mouse("mouseMoved", &marker);
    let shown = browser.value(tip);
    assert!(
        shown
            .as_str()
            .is_some_and(|text| text.contains("at 16 clients: ")),
        "{shown}"
    );
    let key = browser.value(&format!("({MIDDLE})('{figure} .key')"));
    let hidden =
        format!("getComputedStyle(document.querySelector('{figure} .series')).display === 'none'");
    for expected in [true, false] {
        browser.mouse("mouseMoved", &key);
        browser.mouse("mousePressed", &key);
        browser.mouse("mouseReleased", &key);
        assert_eq!(browser.value(&hidden), expected);
        assert_eq!(browser.value(tip), "");
    }
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}
