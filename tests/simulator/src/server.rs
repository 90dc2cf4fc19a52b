//! Sockets: a listener on 127.0.0.1 in front of the faces and `/_sim`.

use crate::accounts::Account;
use crate::calls::Crm;
use crate::world::{Shared, World};
use crate::{alerts, issuer, serve, sim_routes, webhooks};
use axum::Router;
use axum::body::Body;
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

#[derive(Debug, Clone)]
pub struct Options {
    /// 0: a free one.
    pub port: u16,
    pub seed: u64,
    /// The HubSpot app's target URL, if it is known already.
    pub webhooks_to: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, seed: 7, webhooks_to: None }
    }
}

/// A running simulator; dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    pub shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Simulator {
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut world = World::new(options.seed);
        if options.webhooks_to.is_some() {
            world.register(&Account { webhook_url: options.webhooks_to, ..Account::of(Crm::Hubspot) });
        }
        let shared = Arc::new(Shared::new(world));
        let (stop, stopped) = watch::channel(false);
        let router = sim_routes::routes()
            .merge(issuer::routes())
            .merge(alerts::routes())
            .fallback(serve::face)
            .with_state(shared.clone());
        let tasks =
            vec![tokio::spawn(accept(listener, router, stopped)), tokio::spawn(webhooks::deliver(shared.clone()))];
        Ok(Self { url, shared, stop, tasks })
    }

    /// Stops answering and delivering, and waits until that is so.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        for task in self.tasks.drain(..) {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(connection(stream, router.clone(), stopped.clone()));
    }
}

/// One connection. A reply marked [`serve::NeverAnswered`] closes it without an answer, as a client sees a timeout.
async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request.map(Body::new)).await;
            match response.extensions().get::<serve::NeverAnswered>() {
                Some(_) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "a fault closes this connection")),
                None => Ok(response),
            }
        }
    });
    // Names as the vendors spell them in HTTP/1.1: Airbyte's connector of Salesforce stumbles over `content-type`, not over `Content-Type`.
    let mut http = hyper::server::conn::http1::Builder::new();
    let serving = http.title_case_headers(true).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = serving => {}
        _ = stopped.wait_for(|s| *s) => {}
    }
}
