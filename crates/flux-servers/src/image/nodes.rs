//! The nodes of the program, and the function of its predicate type.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::{Config, Missing, Scratch};

use super::Site;
pub(crate) use super::connection::Connection;
pub(crate) use super::order::Order;
pub(crate) use super::pictures::{Jpeg, Picture};

/// A request whose picture the cache has, or which has yet to be made.
type Asked = (Box<Connection>, Order, Option<Jpeg>);

/// What each thread lends to the nodes that it runs.
pub(crate) struct Worker {
    site: Arc<Site>,
    scratch: Scratch,
}

impl Worker {
    pub(crate) fn new(site: &Arc<Site>) -> Self {
        Self {
            site: Arc::clone(site),
            scratch: Scratch::new(Arc::new(Config::default())),
        }
    }
}

/// A connection that can go on, for which it waits; none once the server has been stopped, and they are all over.
pub(crate) fn listen(worker: &mut Worker) -> Option<Box<Connection>> {
    let site = &worker.site;
    site.waiting().next(&site.connections, &mut worker.scratch)
}

/// Reads what has come of a request.
///
/// # Errors
/// The connection, where that is no whole one, or was answered already: it was no good.
pub(crate) fn read_request(
    worker: &mut Worker,
    mut connection: Box<Connection>,
) -> Result<(Box<Connection>, Order), Box<Connection>> {
    match connection.receive(&mut worker.scratch) {
        true => {
            let order = Order::of(connection.target(), &worker.site.pictures);
            Ok((connection, order))
        }
        false => Err(connection),
    }
}

/// Looks whether the cache has it.
pub(crate) fn check_cache(worker: &mut Worker, connection: Box<Connection>, order: Order) -> Asked {
    let variant = order.0.ok();
    let kept = variant.and_then(|variant| worker.site.cache().get(&variant));
    if kept.is_some() {
        worker.site.counts.hits.fetch_add(1, Relaxed);
    }
    (connection, order, kept)
}

pub(crate) fn is_kept(jpeg: &Option<Jpeg>) -> bool {
    jpeg.is_some()
}

/// Reads the picture from its file.
///
/// # Errors
/// What it took, where there is no such picture; the order says what is the matter.
pub(crate) fn read_picture(
    worker: &mut Worker,
    connection: Box<Connection>,
    order: Order,
    jpeg: Option<Jpeg>,
) -> Result<(Box<Connection>, Order, Picture), Asked> {
    let Ok(variant) = order.0 else {
        return Err((connection, order, jpeg));
    };
    match worker.site.pictures.read(variant.picture) {
        Ok(picture) => Ok((connection, order, picture)),
        Err(_) => Err((connection, Order(Err(Missing::Failed)), jpeg)),
    }
}

/// Makes a JPEG of it.
pub(crate) fn compress(
    worker: &mut Worker,
    connection: Box<Connection>,
    order: Order,
    picture: Picture,
) -> Asked {
    worker.site.counts.compressed.fetch_add(1, Relaxed);
    let variant = order.0.ok();
    let jpeg = variant.and_then(|variant| picture.compress(variant.eighths, variant.quality).ok());
    (connection, order, jpeg)
}

pub(crate) fn store_in_cache(
    worker: &mut Worker,
    connection: Box<Connection>,
    order: Order,
    jpeg: Option<Jpeg>,
) -> Asked {
    if let (Ok(variant), Some(jpeg)) = (order.0, &jpeg) {
        worker.site.cache().put(variant, jpeg.clone());
    }
    (connection, order, jpeg)
}

/// Sends the picture, for as long as the client takes it.
pub(crate) fn write(
    worker: &mut Worker,
    mut connection: Box<Connection>,
    _: Order,
    jpeg: Option<Jpeg>,
) -> Box<Connection> {
    connection.answer(jpeg.ok_or(Missing::Failed), &mut worker.scratch);
    connection
}

/// Says that there is no such picture, and is done with the request.
pub(crate) fn four_oh_four(
    worker: &mut Worker,
    mut connection: Box<Connection>,
    order: Order,
    _: Option<Jpeg>,
) {
    worker.site.counts.not_found.fetch_add(1, Relaxed);
    let missing = order.0.err().unwrap_or(Missing::NotFound);
    connection.answer(Err(missing), &mut worker.scratch);
    complete(worker, connection);
}

/// Lets the connection go back to the source.
pub(crate) fn complete(worker: &mut Worker, connection: Box<Connection>) {
    let connections = &worker.site.connections;
    connections.take_back(connection, &mut worker.scratch);
}
