//! Serves the files under a root, and nothing else: hyper's HTTP/1.1 under tokio, with tower-http's service for files.
//!
//! usage: hyper-files ROOT ADDRESS:PORT CORES

use std::error::Error;
use std::path::PathBuf;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::services::ServeDir;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, address, cores] = &arguments[..] else {
        return Err("usage: hyper-files ROOT ADDRESS:PORT CORES".into());
    };
    let mut runtime = match cores.parse()? {
        1 => Builder::new_current_thread(),
        cores => {
            let mut runtime = Builder::new_multi_thread();
            runtime.worker_threads(cores);
            runtime
        }
    };
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(serve(root.into(), address))
}

async fn serve(root: PathBuf, address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    let files = TowerToHyperService::new(ServeDir::new(root));
    let accept = async {
        loop {
            // Out of descriptors, as a rule: some connection ends sooner or later.
            let Ok((socket, _)) = listener.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            let _ = socket.set_nodelay(true);
            let files = files.clone();
            tokio::spawn(async move {
                let mut connection = http1::Builder::new();
                connection.timer(TokioTimer::new());
                // An error is its client's: nobody is told.
                let _ = connection
                    .serve_connection(TokioIo::new(socket), files)
                    .await;
            });
        }
    };
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        () = accept => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
