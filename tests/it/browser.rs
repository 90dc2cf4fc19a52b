//! Connecting in a real browser: headless Chromium opens our link, answers the vendor's page, and ends on ours.
//!
//! Pictures of what it ends on are in `<target>/tmp/screenshots/`, for people to look at.

use crate::{
    connect::{a_world, link},
    laws::laws_of,
    world::World,
};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value as Json, json};
use shared::provider::Crm;
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};
use tokio::sync::{Semaphore, SemaphorePermit};

laws_of! {
    whoever_approves_sees_that_the_crm_is_connected
    whoever_denies_sees_that_it_is_not
}

async fn whoever_approves_sees_that_the_crm_is_connected(crm: Crm) {
    let world = a_world(crm).await;
    let browser = Browser::open(&format!("{crm}-approve")).await;
    let text = browser.answers(&world, crm, "approve").await;
    assert_eq!(browser.tab.title().await.unwrap(), format!("{} is connected", crm.title()));
    assert!(text.contains(&format!("The connection is called {crm}.")), "{text}");
    browser.take_pictures(crm.name()).await;
    browser.close(&world).await;
}

async fn whoever_denies_sees_that_it_is_not(crm: Crm) {
    let world = a_world(crm).await;
    let browser = Browser::open(&format!("{crm}-deny")).await;
    let text = browser.answers(&world, crm, "deny").await;
    assert_eq!(browser.tab.title().await.unwrap(), "Not connected");
    assert!(text.contains("did not let us in"), "{text}");
    browser.close(&world).await;
}

struct Browser {
    tab: Client,
    _turn: SemaphorePermit<'static>,
}

/// More browsers at once take longer in all.
static TURNS: Semaphore = Semaphore::const_new(2);

impl Browser {
    async fn open(profile: &str) -> Browser {
        let turn = TURNS.acquire().await.unwrap();
        let profile = tmp("chromium").join(profile);
        drop(fs::remove_dir_all(&profile));
        let profile = format!("--user-data-dir={}", profile.display());
        let mut arguments = vec![
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // By this it ends with its driver, even where that is killed.
            "--remote-debugging-pipe",
            &profile,
            "about:blank",
        ];
        // Chromium has no sandbox for root.
        if fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0) {
            arguments.push("--no-sandbox");
        }
        let chrome = program("CHROME", &["chromium", "chromium-browser", "google-chrome"]);
        let asked = json!({
            "goog:chromeOptions": {"binary": chrome, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let asked = serde_json::from_value(asked).unwrap();
        let driver = driver().await;
        let tab = ClientBuilder::new(HttpConnector::new()).capabilities(asked).connect(driver).await.unwrap();
        Browser { tab, _turn: turn }
    }

    /// Opens our link and answers the vendor's page with this button; what our page says then.
    async fn answers(&self, world: &World, crm: Crm, button: &str) -> String {
        self.tab.goto(&link(world, crm).await).await.unwrap();
        assert_eq!(self.tab.title().await.unwrap(), format!("Connect {}", crm.title()));
        self.tab.find(Locator::Id("go")).await.unwrap().click().await.unwrap();
        self.tab.wait().every(Duration::from_millis(20)).for_element(Locator::Id("approve")).await.unwrap();
        // A vendor's page is on another site than ours, which decides about the cookies of the way back.
        let consent = self.tab.current_url().await.unwrap().as_str().replacen("127.0.0.1", "localhost", 1);
        self.tab.goto(&consent).await.unwrap();
        let heading = self.tab.find(Locator::Css("h1")).await.unwrap().text().await.unwrap();
        assert_eq!(heading, format!("Connect to {}", crm.title()));
        self.tab.find(Locator::Id(button)).await.unwrap().click().await.unwrap();
        let ours = Locator::Css("main:not(:has(form))");
        let main = self.tab.wait().every(Duration::from_millis(20)).for_element(ours).await.unwrap();
        main.text().await.unwrap()
    }

    /// Closes it, if our pages have loaded nothing, and no page has logged an error.
    async fn close(self, world: &World) {
        let loaded = self.loaded_by(world.app.settings.public_url.as_ref().unwrap()).await;
        assert!(loaded.is_empty(), "{loaded:?}");
        let errors = self.log("browser").await;
        // Network errors are the simulator's lack of an icon, and our own page's status.
        assert!(errors.iter().all(|entry| entry["source"] == "network"), "{errors:?}");
        self.tab.close().await.unwrap();
    }

    /// The page in light, in dark and on a phone; it fits each of them.
    async fn take_pictures(&self, name: &str) {
        for (look, scheme, width) in [("light", "light", 1000), ("dark", "dark", 1000), ("phone", "light", 390)] {
            let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            let screen = json!({"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": true});
            self.ask("goog/cdp/execute", &json!({"cmd": "Emulation.setEmulatedMedia", "params": scheme})).await;
            self.ask("goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": screen})).await;
            let wide = self.tab.execute("return document.documentElement.scrollWidth", Vec::new()).await.unwrap();
            let picture = self.tab.screenshot().await.unwrap();
            fs::write(tmp("screenshots").join(format!("{name}-{look}.png")), picture).unwrap();
            assert_eq!(wide, width, "{name} does not fit");
        }
    }

    /// What a site's pages have asked for beside themselves.
    async fn loaded_by(&self, origin: &str) -> Vec<String> {
        let events = self.log("performance").await.into_iter().map(|entry| {
            let event: Json = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            event["message"].clone()
        });
        events
            .filter(|event| event["method"] == "Network.requestWillBeSent")
            .filter(|event| event["params"]["documentURL"].as_str().unwrap().starts_with(origin))
            .filter(|event| event["params"]["type"] != "Document")
            .map(|event| event["params"]["request"]["url"].to_string())
            .collect()
    }

    async fn log(&self, kind: &str) -> Vec<Json> {
        self.ask("se/log", &json!({"type": kind})).await.as_array().unwrap().clone()
    }

    /// Asks the driver for what only Chromium has.
    async fn ask(&self, command: &str, body: &Json) -> Json {
        let session = self.tab.session_id().await.unwrap().unwrap();
        let url = format!("{}/session/{session}/{command}", driver().await);
        let answer = reqwest::Client::new().post(url).json(body).send().await.unwrap();
        answer.json::<Json>().await.unwrap()["value"].take()
    }
}

/// A driver that ends when this process does: it is told so by its standard input.
struct Driver {
    url: String,
    _shell: Child,
}

static DRIVER: OnceLock<Driver> = OnceLock::new();

async fn driver() -> &'static str {
    let Driver { url, .. } = DRIVER.get_or_init(|| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = tmp("chromium");
        let shell = Command::new("sh")
            .args(["-c", r#""$0" --port="$1" >"$2" 2>&1 </dev/null & pid=$!; cat >/dev/null; kill $pid"#])
            .arg(program("CHROMEDRIVER", &["chromedriver"]))
            .arg(port.to_string())
            .arg(home.join("driver.log"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Driver { url: format!("http://127.0.0.1:{port}"), _shell: shell }
    });
    for _ in 0..100 {
        if reqwest::get(format!("{url}/status")).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    url
}

/// The program that a variable names, or else the first of these that is on the PATH.
#[expect(clippy::disallowed_methods, reason = "a test asks where the browser is")]
fn program(variable: &str, names: &[&str]) -> PathBuf {
    let named = std::env::var(variable).ok().map(PathBuf::from);
    let path = std::env::var("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut on_path = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = named.or_else(|| on_path.find(|program| program.is_file()));
    found.unwrap_or_else(|| panic!("{} is not there: run `cargo dev test`, which sees to the browser", names[0]))
}

/// A folder for what the browser leaves.
fn tmp(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
