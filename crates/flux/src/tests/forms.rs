//! Programs in the forms that the paper and the lecture write, C declarators, undeclared handlers and all.

use super::{compiled, said};
use crate::graph::Action;
use crate::program::Body;

/// A mail server that thumbs pictures: predicate types, an empty flow, an error path, readers and writers.
pub(crate) const GALLERY: &str = "
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
    Send (int socket, bool close, picture *order)
      => (int socket, bool close, picture *order);
    Finish (int socket, bool close, picture *order) => ();

    source Accept => Order;
    Order = ReadOrder -> LookUp -> Develop -> Send -> Finish;
    Develop:[_, _, kept] = ;
    Develop:[_, _, _] = Fetch -> Shrink -> Keep;

    handle error Fetch => NotThere;

    atomic LookUp:{album?};
    atomic Keep:{album};
    atomic Finish:{album};
";

#[test]
fn a_program_as_the_paper_writes_them_is_one() {
    let gallery = compiled(GALLERY);
    let warnings = said(GALLERY);
    assert_eq!(
        warnings,
        ["warning: 'NotThere' is not declared; declare it: 'NotThere (…) => (…);'"]
    );
    let handler = gallery
        .program
        .nodes
        .iter()
        .find(|node| node.name == "NotThere")
        .unwrap();
    let inputs: Vec<_> = handler
        .inputs
        .iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    assert_eq!(inputs, ["int socket", "bool close", "picture* order"]);
    assert_eq!(handler.outputs.as_deref(), Some(&[][..]));
    // In the album, not in it, and not to be had.
    assert_eq!(gallery.paths.count(), 3);
}

/// The lecture's hand: '->' for '=>', 'constraint' for 'atomic', a star for anything; a signature that repeats how many predicate
/// types there are; abstract nodes with signatures; any order.
#[test]
fn the_lectures_forms_are_taken() {
    let text = "
        handle error Read -> Sorry;
        constraint Book:{shelf};
        source Door -> Visit;
        Visit = Read -> Serve;
        Serve:[gold] = Book -> Bow;
        Serve:[*] = Bow;
        typedef gold HasGold;
        Serve[_] (struct guest *who) -> (void);
        Bow (struct guest *who) => ();
        Book (struct guest *) -> (struct guest *);
        Read (struct guest *g) -> (struct guest *g);
        Door (void) -> (struct guest *guest);
    ";
    let visit = compiled(text);
    assert_eq!(visit.paths.count(), 3);
    assert_eq!(visit.program.constraints[0].name, "shelf");
    assert!(
        said(text)
            .iter()
            .all(|line| line.contains("'Sorry' is not declared"))
    );
}

/// A game: datagrams of players, and a beat.
pub(crate) const GAME: &str = "
        source Datagram {session: PlayerOf} => Move;
        source Beat => Tell;
        Beat = Players -> Pause;
        Datagram () => (packet *p);
        Players () => (list l);
        Pause (list l) => (list l);
        Tell (list l) => ();
        Move (packet *p) => ();
        atomic Move:{board!, seat?(session), log(program)};
        atomic Players:{board?};
    ";

/// The same smaller, with a node that may wait while it has what is its session's.
pub(crate) const SEATS: &str = "
    source Datagram {session: PlayerOf} => Sit;
    source Beat => Tell;
    Beat = Players -> Pause;
    blocking Sit;
    Datagram () => (Packet packet);
    Sit (Packet packet) => ();
    Players () => (u64 beat);
    Pause (u64 beat) => (u64 beat);
    Tell (u64 beat) => ();
    atomic Sit:{seat(session)};
";

/// A source that is a flow of others, with a session, beside another; in full: reader or writer, then scope.
#[test]
fn sources_may_be_abstract_and_name_sessions() {
    let game = compiled(GAME);
    assert_eq!(said(GAME), [""; 0]);
    assert_eq!(game.program.sources.len(), 2);
    let begins = |action: &Action| matches!(action, Action::Begin { .. });
    let vertices = &game.graph.vertices;
    assert_eq!(
        vertices
            .iter()
            .filter(|vertex| begins(&vertex.action))
            .count(),
        2
    );
    let beat = game.program.sources[1].node;
    assert!(matches!(game.program.node(beat).body, Body::Flow(_)));
}

#[test]
fn types_of_rust_are_taken_as_they_are() {
    let text = "
        context server::Worker;
        blocking Load;
        source Next => Load;
        Next () => (Box<Visit> visit, Option<Vec<(u8, u16)>> parts, &str name);
        Load (Box<Visit> visit, Option<Vec<(u8, u16)>> parts, &str name) => ();
    ";
    let server = compiled(text);
    assert_eq!(server.program.context.unwrap().0, "server::Worker");
    let load = server
        .program
        .nodes
        .iter()
        .find(|node| node.name == "Load")
        .unwrap();
    assert!(load.may_wait);
    let kinds: Vec<_> = load
        .inputs
        .iter()
        .flatten()
        .map(|input| input.kind.0.as_str())
        .collect();
    assert_eq!(kinds, ["Box<Visit>", "Option<Vec<(u8, u16)>>", "&str"]);
}

/// Every number leads to a path of its own, from a source to an end.
#[test]
fn paths_are_numbered_without_gaps() {
    for text in [GALLERY, super::hoisting::CROSSED] {
        let program = compiled(text);
        let (graph, paths) = (&program.graph, &program.paths);
        let mut seen = std::collections::HashSet::new();
        for number in 0..paths.count() {
            let (source, path) = paths.path(graph, number).unwrap();
            let mut sum = paths.first(source);
            for pair in path.windows(2) {
                let next = graph.vertex(pair[0]).action.next();
                let place = next.iter().position(|&next| next == pair[1]).unwrap();
                sum += paths.increment(graph, pair[0], place);
            }
            assert_eq!(sum, number);
            assert_eq!(graph.vertex(*path.last().unwrap()).action, Action::End);
            assert!(seen.insert(path));
        }
    }
}
