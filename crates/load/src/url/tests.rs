//! URLs as people type them.

use super::*;

#[test]
fn urls_are_taken_apart() {
    for (text, authority, target, shown) in [
        (
            "http://127.0.0.1:8080/a?b=c#d",
            "127.0.0.1:8080",
            "/a?b=c",
            "http://127.0.0.1:8080/a?b=c",
        ),
        ("HTTP://example", "example", "/", "http://example/"),
        (
            "localhost:81?x",
            "localhost:81",
            "/?x",
            "http://localhost:81/?x",
        ),
        (
            "http://[::1]:8080/",
            "[::1]:8080",
            "/",
            "http://[::1]:8080/",
        ),
        ("http://[::1]/", "[::1]", "/", "http://[::1]/"),
        ("[::1]:81/x", "[::1]:81", "/x", "http://[::1]:81/x"),
        (
            "http://[2001:DB8::0:1]/",
            "[2001:db8::1]",
            "/",
            "http://[2001:db8::1]/",
        ),
        // A scheme is before everything else, or nowhere.
        (
            "h:1/x?u=http://y/z",
            "h:1",
            "/x?u=http://y/z",
            "http://h:1/x?u=http://y/z",
        ),
        ("h?u=ftp://y", "h", "/?u=ftp://y", "http://h/?u=ftp://y"),
        ("h#a://b", "h", "/", "http://h/"),
        // Nobody else's interface is the server's affair.
        (
            "http://[fe80::1%25eth0]:81/",
            "[fe80::1]:81",
            "/",
            "http://[fe80::1%25eth0]:81/",
        ),
        (
            "http://[fe80::1%eth0]/",
            "[fe80::1]",
            "/",
            "http://[fe80::1%25eth0]/",
        ),
        ("http://h:/", "h", "/", "http://h/"),
        ("http://h:0080/", "h:80", "/", "http://h:80/"),
        ("http://a_b.c-d.", "a_b.c-d.", "/", "http://a_b.c-d./"),
        (
            "http://bücher.example:81/",
            "xn--bcher-kva.example:81",
            "/",
            "http://xn--bcher-kva.example:81/",
        ),
        (
            "http://BÜCHER.example/",
            "xn--bcher-kva.example",
            "/",
            "http://xn--bcher-kva.example/",
        ),
        (
            "http://例え.jp",
            "xn--r8jz45g.jp",
            "/",
            "http://xn--r8jz45g.jp/",
        ),
        ("http://me:secret@h/", "h", "/", "http://***@h/"),
        ("me:secret@h:81/a@b", "h:81", "/a@b", "http://***@h:81/a@b"),
        ("http://a@b@h/", "h", "/", "http://***@h/"),
    ] {
        let url = Url::parse(text).expect(text);
        assert_eq!(url.authority(), authority, "{text}");
        assert_eq!(
            (url.target.as_str(), url.to_string().as_str()),
            (target, shown),
            "{text}"
        );
        assert!(!format!("{url:?}").contains("secret"), "{url:?}");
    }
}

#[test]
fn what_cannot_be_asked_for_is_refused_for_its_reason() {
    type Reason = fn(&UrlError) -> bool;
    let reasons: [(Reason, &[&str]); 6] = [
        (
            |why| matches!(why, UrlError::Scheme(_)),
            &["ftp://a/", "a+b://c"],
        ),
        (
            |why| matches!(why, UrlError::NoHost(_)),
            &["http:///a", "", "/a", "http://:80/", "http://u@/"],
        ),
        (
            |why| matches!(why, UrlError::Host(_)),
            &[
                "http://a..b/",
                "http://./",
                "http://a%62/",
                "http://a\\b/",
                "http://a,b/",
                "http://.a/",
                "http://\u{ad}/",
                "http://[::1%25]/",
            ],
        ),
        (
            |why| matches!(why, UrlError::Port(_)),
            &[
                "http://a:b/",
                "http://a:0/",
                "http://a:65536/",
                "http://a:+1/",
                "http://[::1]:x/",
            ],
        ),
        (
            |why| matches!(why, UrlError::User(_)),
            &["http://a%@h/", "http://%4@h/", "http://%gg@h/"],
        ),
        (
            |why| matches!(why, UrlError::Character(_)),
            &[
                "http://a/ b",
                "http://a/ü",
                "http://ü@a/",
                "http://a b/",
                "http://a\u{7f}/",
                "http://a/\r\nX:",
            ],
        ),
    ];
    for (is, texts) in reasons {
        for text in texts {
            let why = Url::parse(text).expect_err(text);
            assert!(is(&why), "{text}: {why:?}");
        }
    }
    let why = Url::parse("http://me:secret@a:b/")
        .expect_err("no port")
        .to_string();
    assert!(why.contains("***@a:b") && !why.contains("secret"), "{why}");
}

#[test]
fn brackets_that_are_wrong_are_refused_with_the_right_form() {
    for (text, right) in [
        ("http://::1:8080/", "http://[::1]:8080/"),
        ("http://::1/x", "http://[::1]/x"),
        ("http://2001:db8::1", "http://[2001:db8::1]"),
        (
            "2001:db8:0:0:0:0:0:1:80/",
            "http://[2001:db8:0:0:0:0:0:1]:80/",
        ),
        ("http://[::1:8080/", "http://[::1]:8080/"),
        ("http://::1]/", "http://[::1]/"),
        ("http://::1]:81/", "http://[::1]:81/"),
        ("http://[[::1]]/", "http://[::1]/"),
        ("http://[[::1]]:81/", "http://[::1]:81/"),
        ("http://[::1]81/", "http://[::1]:81/"),
        ("http://[127.0.0.1]/", "http://127.0.0.1/"),
        ("http://[127.0.0.1]:81/?a", "http://127.0.0.1:81/?a"),
        ("http://[localhost]/", "http://localhost/"),
        ("http://fe80::1%25eth0/", "http://[fe80::1%25eth0]/"),
    ] {
        let why = Url::parse(text).expect_err(text);
        assert!(
            matches!(&why, UrlError::Brackets(_, form) if form == right),
            "{text}: {why:?}"
        );
    }
}

#[test]
fn user_information_is_basic_authorization() {
    for (text, decoded) in [
        ("http://me:secret@h/", "me:secret"),
        ("http://me@h/", "me:"),
        ("http://:x@h/", ":x"),
        ("http://a%40b:c%3ad%25@h/", "a@b:c:d%"),
        ("http://%c3%bc:x@h/", "ü:x"),
        ("http://a:b:c@h/", "a:b:c"),
    ] {
        let value = Url::parse(text).expect(text).authorization().expect(text);
        let encoded = value.strip_prefix("Basic ").expect("the scheme");
        assert_eq!(
            BASE64_STANDARD.decode(encoded).expect("Base64"),
            decoded.as_bytes()
        );
    }
    assert_eq!(
        Url::parse("http://h/@").expect("a URL").authorization(),
        None
    );
}

#[test]
fn one_server_may_be_spelt_in_several_ways() {
    let url = |text| Url::parse(text).expect(text);
    for (one, other) in [
        ("h", "http://H:80/x"),
        ("http://[::1]/", "http://[0:0::1]:80/"),
        ("u@h", "h"),
        ("bücher.example", "xn--bcher-kva.example"),
    ] {
        assert!(url(one).is_same_server(&url(other)), "{one}, {other}");
    }
    for (one, other) in [
        ("h", "i"),
        ("h", "h:81"),
        ("[fe80::1%25a]", "[fe80::1%25b]"),
    ] {
        assert!(!url(one).is_same_server(&url(other)), "{one}, {other}");
    }
}

#[test]
fn hosts_have_their_addresses() {
    let of = |text| Url::parse(text).expect(text).resolve();
    let address = |text: &str| vec![text.parse::<SocketAddr>().expect(text)];
    assert_eq!(of("127.0.0.1").expect("known"), address("127.0.0.1:80"));
    assert_eq!(of("[::1]:81").expect("known"), address("[::1]:81"));
    assert_eq!(
        of("[fe80::1%2542]:81").expect("known"),
        address("[fe80::1%42]:81")
    );
    let why = of("[fe80::1%25nosuch]").expect_err("no zone").to_string();
    assert!(why.contains("nosuch"), "{why}");
    let local = of("localhost:82").expect("known");
    assert!(
        local
            .iter()
            .all(|address| address.ip().is_loopback() && address.port() == 82)
    );
    assert!(local.is_sorted_by_key(SocketAddr::is_ipv6));
}
