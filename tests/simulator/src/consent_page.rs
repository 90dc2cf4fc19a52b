//! The authorize pages as a browser shows them: one form, which posts to the address that it came from.

use crate::consent::{Asked, Vendor};
use crate::wire::Reply;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
fieldset{border:1px solid #767676;border-radius:4px;margin:1rem 0}label{display:block}code{overflow-wrap:anywhere}\
button{font:inherit;padding:.5rem 1.25rem;margin-right:.5rem}";

/// Whether the person lets the app in, and where.
pub fn ask(vendor: &Vendor, asked: &Asked) -> Reply {
    let scopes: String = asked.scopes.iter().map(|s| format!("<li><code>{}</code></li>\n", escape(s))).collect();
    let body = format!(
        "<h1>Connect to {name}</h1>\n\
         <p>The app <code id=\"client\">{client}</code> asks for access to your {account}.</p>\n\
         <h2>It will be able to use</h2>\n<ul id=\"scopes\">\n{scopes}</ul>\n\
         <form method=\"post\">\n{accounts}\
         <button type=\"submit\" id=\"approve\" name=\"decision\" value=\"approve\">Approve</button>\n\
         <button type=\"submit\" id=\"deny\" name=\"decision\" value=\"deny\">Deny</button>\n</form>\n",
        name = escape(vendor.name),
        client = escape(&asked.client_id),
        account = vendor.account,
        accounts = accounts(vendor, asked),
    );
    Reply::html(200, page(vendor, "Connect an app", &body))
}

/// An app that is not let back: the person stays here.
pub fn problem(vendor: &Vendor, problem: &str) -> Reply {
    let body = format!("<h1>Authorization failed</h1>\n<p role=\"alert\" id=\"problem\">{}</p>\n", escape(problem));
    Reply::html(400, page(vendor, "Authorization failed", &body))
}

fn accounts(vendor: &Vendor, asked: &Asked) -> String {
    let word = vendor.account;
    if let [only] = asked.accounts.as_slice() {
        let id = escape(only);
        return format!("<p>Your {word}: {id}</p>\n<input type=\"hidden\" name=\"account\" value=\"{id}\">\n");
    }
    let choices = asked.accounts.iter().enumerate().map(|(n, id)| {
        let (id, checked) = (escape(id), if n == 0 { " checked" } else { "" });
        format!("<label><input type=\"radio\" name=\"account\" value=\"{id}\"{checked}> {id}</label>\n")
    });
    format!("<fieldset>\n<legend>Choose the {word}</legend>\n{}</fieldset>\n", choices.collect::<String>())
}

fn page(vendor: &Vendor, title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – {name} (simulated)</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}<p>This is a simulator, not {name}.</p>\n</main>\n</body>\n</html>\n",
        name = escape(vendor.name),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
