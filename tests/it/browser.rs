//! Connecting in a real browser: headless Chromium opens our link, answers the vendor's page, and ends on ours.
//!
//! Pictures of what it ends on are in `<target>/tmp/screenshots/`, for people to look at.

use crate::{
    connect::{a_world, link},
    laws::laws_of,
    world::World,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value as Json, json};
use shared::provider::Crm;
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, OnceLock},
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
    assert_eq!(browser.title().await, format!("{} is connected", crm.title()));
    assert!(text.contains(&format!("The connection is called {crm}.")), "{text}");
    browser.take_pictures(crm.name()).await;
    browser.close(&world).await;
}

async fn whoever_denies_sees_that_it_is_not(crm: Crm) {
    let world = a_world(crm).await;
    let browser = Browser::open(&format!("{crm}-deny")).await;
    let text = browser.answers(&world, crm, "deny").await;
    assert_eq!(browser.title().await, "Not connected");
    assert!(text.contains("did not let us in"), "{text}");
    browser.close(&world).await;
}

/// One session of the browser's driver (W3C WebDriver, <https://www.w3.org/TR/webdriver2/>).
pub(crate) struct Browser {
    session: String,
    _turn: SemaphorePermit<'static>,
}

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// More browsers at once take longer in all.
static TURNS: Semaphore = Semaphore::const_new(2);

impl Browser {
    pub(crate) async fn open(profile: &str) -> Browser {
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
            // How long an element is waited for.
            "timeouts": {"implicit": 20_000},
            "goog:chromeOptions": {"binary": chrome, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let sessions = format!("{}/session", driver().await);
        let opened = call(Method::POST, &sessions, &json!({"capabilities": {"alwaysMatch": asked}})).await;
        Browser { session: format!("{sessions}/{}", opened["sessionId"].as_str().unwrap()), _turn: turn }
    }

    pub(crate) async fn get(&self, what: &str) -> Json {
        call(Method::GET, &format!("{}/{what}", self.session), &Json::Null).await
    }

    pub(crate) async fn post(&self, what: &str, body: &Json) -> Json {
        call(Method::POST, &format!("{}/{what}", self.session), body).await
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.post("url", &json!({"url": url})).await;
    }

    pub(crate) async fn title(&self) -> String {
        self.get("title").await.as_str().unwrap().to_owned()
    }

    /// Where an element is, as soon as there is one.
    pub(crate) async fn find(&self, css: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": css})).await;
        format!("element/{}", found[ELEMENT].as_str().unwrap_or_else(|| panic!("no {css}: {found}")))
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await;
        self.post(&format!("{element}/click"), &json!({})).await;
    }

    /// Types into a field what is to stand in it.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        self.post(&format!("{element}/clear"), &json!({})).await;
        self.post(&format!("{element}/value"), &json!({"text": text})).await;
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.find(css).await;
        let all = self.post("elements", &json!({"using": "css selector", "value": css})).await;
        all.as_array().unwrap().len()
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        loop {
            let element = self.find(css).await;
            // A page that shows what changes may have put another in its place.
            if let Some(text) = self.get(&format!("{element}/text")).await.as_str() {
                return text.to_owned();
            }
        }
    }

    /// Opens our link and answers the vendor's page with this button; what our page says then.
    async fn answers(&self, world: &World, crm: Crm, button: &str) -> String {
        self.goto(&link(world, crm).await).await;
        assert_eq!(self.title().await, format!("Connect {}", crm.title()));
        self.click("#go").await;
        self.find("#approve").await;
        // A vendor's page is on another site than ours, which decides about the cookies of the way back.
        let consent = self.get("url").await.as_str().unwrap().replacen("127.0.0.1", "localhost", 1);
        self.goto(&consent).await;
        assert_eq!(self.text("h1").await, format!("Connect to {}", crm.title()));
        self.click(&format!("#{button}")).await;
        self.text("main:not(:has(form))").await
    }

    /// Closes it, if our pages have loaded nothing, and no page has logged an error.
    async fn close(self, world: &World) {
        let loaded = self.loaded_by(world.app.settings.public_url.as_ref().unwrap()).await;
        assert!(loaded.is_empty(), "{loaded:?}");
        self.end().await;
    }

    /// Closes it, if no page has logged an error.
    pub(crate) async fn end(self) {
        let errors = self.log("browser").await;
        // Network errors are the simulator's lack of an icon, and our own page's status.
        assert!(errors.iter().all(|entry| entry["source"] == "network"), "{errors:?}");
        call(Method::DELETE, &self.session, &Json::Null).await;
    }

    /// The page in light, in dark and on a phone; it fits each of them.
    async fn take_pictures(&self, name: &str) {
        self.pictures(&tmp("screenshots"), name, 700).await;
    }

    /// The same, kept in a folder.
    pub(crate) async fn pictures(&self, folder: &Path, name: &str, height: u16) {
        for (look, scheme, width) in [("light", "light", 1000), ("dark", "dark", 1000), ("phone", "light", 390)] {
            let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
            self.post("goog/cdp/execute", &json!({"cmd": "Emulation.setEmulatedMedia", "params": scheme})).await;
            self.post("goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": screen}))
                .await;
            let script = json!({"script": "return document.documentElement.scrollWidth", "args": []});
            let wide = self.post("execute/sync", &script).await;
            accessible(self, &format!("{name}, {look}")).await;
            let picture = BASE64_STANDARD.decode(self.get("screenshot").await.as_str().unwrap()).unwrap();
            fs::write(folder.join(format!("{name}-{look}.png")), picture).unwrap();
            assert_eq!(wide, width, "{name} does not fit");
        }
    }

    /// What a site's pages have asked for beside themselves.
    pub(crate) async fn loaded_by(&self, origin: &str) -> Vec<String> {
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
        self.post("se/log", &json!({"type": kind})).await.as_array().unwrap().clone()
    }
}

/// By what a page is judged, as `cargo dev test` installs it.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let libraries = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../dev/axe-venv/lib");
    let found = fs::read_dir(&libraries).into_iter().flatten().flatten();
    let mut scripts = found.map(|python| python.path().join("site-packages/axe_playwright_python/axe.min.js"));
    let script = scripts.find(|script| script.exists());
    let script = script.unwrap_or_else(|| panic!("axe-core is not there: run `cargo dev test`, which installs it"));
    fs::read_to_string(script).unwrap()
});

/// Nothing on the page shuts people out (axe-core's rules, of which those that it calls serious or critical count).
async fn accessible(browser: &Browser, page: &str) {
    let script = format!("{}; axe.run().then(arguments[0], e => arguments[0](String(e)))", *AXE);
    let judged = browser.post("execute/async", &json!({"script": script, "args": []})).await;
    let faults = judged["violations"].as_array().unwrap_or_else(|| panic!("{page}: {judged}"));
    assert!(judged["passes"].as_array().is_some_and(|passed| passed.len() > 10), "{page} is judged");
    let grave = |fault: &&Json| ["serious", "critical"].iter().any(|impact| fault["impact"] == *impact);
    let told = |fault: &Json| format!("{}: {}", fault["help"], fault["nodes"][0]["html"]);
    let grave: Vec<String> = faults.iter().filter(grave).map(told).collect();
    assert!(grave.is_empty(), "{page}: {grave:#?}");
}

/// What the driver answers.
async fn call(method: Method, url: &str, body: &Json) -> Json {
    let call = reqwest::Client::new().request(method, url);
    let call = if body.is_null() { call } else { call.json(body) };
    call.send().await.unwrap().json::<Json>().await.unwrap()["value"].take()
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
