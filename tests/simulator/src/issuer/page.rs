//! The page on which a person says who they are.

use super::Person;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
button{font:inherit;display:block;padding:.5rem 1.25rem;margin:.5rem 0}";

pub(super) fn who(people: &[Person]) -> String {
    let button = |Person { name, tenant, role }: &Person| {
        format!(
            "<button type=\"submit\" name=\"person\" value=\"{name}\" id=\"{name}\">{name}, {role} of {tenant}</button>\n"
        )
    };
    let buttons: String = people.iter().map(button).collect();
    page("Who are you?", &format!("<h1>Who are you?</h1>\n<form method=\"post\">\n{buttons}</form>\n"))
}

pub(super) fn problem(why: &str) -> String {
    page("Not logged in", &format!("<h1>Not logged in</h1>\n<p role=\"alert\">{why}</p>\n"))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} (simulated)</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}<p>This is a simulator: nobody is asked for a password.</p>\n</main>\n</body>\n</html>\n"
    )
}
