//! Programs in the forms that the paper and the lecture write, as they are.

use std::time::Duration;

use super::{compiled, near, simulated, used};
use crate::curve::{Arrivals, Loads, curve};
use crate::model::{Model, Runtime, Settings};
use crate::run::{Load, Run};

/// Declarators of C, an empty flow, a handler that nobody declares, readers and writers.
const GALLERY: &str = "
    typedef kept IsInAlbum;
    Accept () => (int socket);
    ReadOrder (int socket)
      => (int socket, bool close, picture *order);
    LookUp (int socket, bool close, picture *order)
      => (int socket, bool close, picture *order);
    Fetch (int socket, bool close, picture *order)
      => (int socket, bool close, picture *order, __u8 *raw);
    Shrink (int socket, bool close, picture *order, __u8 *raw)
      => (int socket, bool close, picture *order);
    Keep (int socket, bool close, picture *order)
      => (int socket, bool close, picture *order);
    Finish (int socket, bool close, picture *order) => ();
    source Accept => Order;
    Order = ReadOrder -> LookUp -> Develop -> Finish;
    Develop:[_, _, kept] = ;
    Develop:[_, _, _] = Fetch -> Shrink -> Keep;
    handle error Fetch => NotThere;
    atomic LookUp:{album?};
    atomic Keep:{album};
";

/// Two sources whose flows would wait for each other, were constraints taken as they are written.
const CROSSED: &str = "
    source One -> Left;
    source Other -> Right;
    Left = Rise -> Meet;
    Right = Fall -> Part;
    One (void) -> (int a);
    Other (void) -> (int b);
    Rise (int a) -> (int a);
    Meet (int a) -> (void);
    Fall (int b) -> (int b);
    Part (int b) -> (void);
    constraint Left:{x};
    constraint Meet:{y};
    constraint Right:{y};
    constraint Part:{x};
";

/// A flow that no source leads to.
const FRAGMENT: &str = "
    Serve = Read -> Answer;
    Read (int socket) -> (int socket);
    Answer (int socket) -> (void);
";

fn told(node_time: Option<Duration>) -> Settings {
    Settings {
        node_time,
        processors: 2,
        ..Settings::default()
    }
}

#[test]
fn without_a_profile_it_is_said_what_to_say() {
    let wrong = Model::new(&compiled(GALLERY), None, &told(None)).unwrap_err();
    assert!(
        wrong.contains("how long '") && wrong.contains("--node-time 1ms"),
        "{wrong}"
    );
    let nowhere = Settings {
        disk_nodes: vec!["Fetsch".into()],
        ..told(Some(Duration::from_millis(1)))
    };
    let wrong = Model::new(&compiled(GALLERY), None, &nowhere).unwrap_err();
    assert_eq!(wrong, "there is no node 'Fetsch' that is a function");
}

#[test]
fn published_forms_are_simulated_as_they_are() {
    let settings = told(Some(Duration::from_millis(1)));
    // Three nodes for every flow, three more for half of them, and nobody comes to the handler.
    let found = simulated(GALLERY, &settings, Load::Poisson(100.0));
    near(used(&found, "processors"), 100.0 * 4.5e-3 / 2.0, 0.01);
    let found = simulated(FRAGMENT, &settings, Load::Poisson(100.0));
    near(used(&found, "processors"), 0.1, 0.01);
}

/// As many clients as are worth the contention: it comes to an end, and both flows wait for one lock.
#[test]
fn what_would_deadlock_is_simulated_with_its_constraints_in_order() {
    for runtime in [Runtime::Thread, Runtime::Pool, Runtime::Event] {
        let settings = Settings {
            runtime,
            processors: 8,
            ..told(Some(Duration::from_millis(1)))
        };
        let found = simulated(CROSSED, &settings, Load::Closed(16, Duration::ZERO));
        assert_eq!(found.flows, Run::default().flows);
        // Each flow has the first lock from its beginning to its end, two milliseconds.
        if runtime != Runtime::Event {
            near(found.throughput_per_s, 500.0, 0.02);
            assert_eq!(found.bottleneck, "lock x");
        }
    }
}

#[test]
fn sessions_are_asked_for_where_they_matter() {
    let seats = compiled(
        "source Arrive {session: Of} => Sit;
         Arrive () => (int id);
         Sit (int id) => ();
         atomic Sit:{seat(session)};",
    );
    let settings = Settings {
        runtime: Runtime::Thread,
        ..told(Some(Duration::from_millis(1)))
    };
    let of = |settings: &Settings, loads: &Loads| {
        let how = Run {
            flows: 2000,
            ..Run::default()
        };
        curve(&seats, None, settings, loads, how)
    };
    let open = Loads::Rates(Arrivals::Poisson, vec![100.0]);
    assert!(of(&settings, &open).unwrap_err().contains("say --sessions"));
    let some = Settings {
        sessions: Some(4),
        ..settings.clone()
    };
    assert_eq!(of(&some, &open).unwrap().outcomes.len(), 1);
    // Each client is a session: none waits for another's seat.
    let clients = Loads::Clients(vec![8], Duration::ZERO);
    let closed = of(&settings, &clients).unwrap();
    near(closed.outcomes[0].throughput_per_s, 2000.0, 0.02);
}
