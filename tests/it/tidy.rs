//! What keeps the house in order: layers, file sizes, and the template's promises.

use shared::planner::Mass;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if !path.ends_with("target") => found.extend(sources(&path)),
            false if path.extension().is_some_and(|e| e == "rs") => found.push(path),
            _ => {}
        }
    }
    found
}

fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// A layer names only what comes before it.
#[test]
fn layers_hold() {
    const MEANING: &[&str] = &[
        "alert",
        "cause.rs",
        "change.rs",
        "connection.rs",
        "engagement",
        "id.rs",
        "mapping",
        "planner",
        "record",
        "request",
        "rows",
        "settings.rs",
        "trigger.rs",
        "watch",
    ];
    const FORBIDDEN_TO_MEANING: &[&str] =
        &["aws_", "reqwest", "tokio", "crate::store", "crate::app", "Timestamp::now", "crate::sync"];
    const FORBIDDEN_TO_PROVIDERS: &[&str] =
        &["aws_", "crate::store", "crate::app", "crate::queue", "crate::secrets", "crate::sync"];
    // It signs, as it does for TLS, and speaks to no AWS.
    const NO_AWS: &str = "aws_lc_rs";
    let source = root().join("shared/src");
    let check = |path: PathBuf, forbidden: &[&str]| {
        let files = if path.is_dir() { sources(&path) } else { vec![path] };
        for file in files {
            let code = code(&file);
            for name in forbidden {
                let names = code.split(NO_AWS).any(|code| code.contains(name));
                assert!(!names, "{} names {name}", file.display());
            }
        }
    };
    for part in MEANING {
        check(source.join(part), FORBIDDEN_TO_MEANING);
    }
    check(source.join("provider"), FORBIDDEN_TO_PROVIDERS);
}

#[test]
fn no_file_is_longer_than_a_sitting() {
    for folder in ["shared", "functions", "infra", "tests"] {
        for file in sources(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 450, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn every_function_is_a_few_lines_and_in_the_template() {
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    for function in fs::read_dir(root().join("functions")).unwrap() {
        let function = function.unwrap().path();
        let main = code(&function.join("src/main.rs"));
        assert!(main.lines().count() <= 6, "{} does more than call its story", function.display());
        let name = function.file_name().unwrap().to_str().unwrap();
        assert!(
            template.contains(&format!("Binary: {name} ")) || template.contains(&format!("Binary: {name} }}")),
            "template.yaml lacks {name}"
        );
    }
}

/// Every exception that is raised has a remedy of its own.
#[test]
fn every_code_has_its_remedy() {
    let mut raised = Vec::new();
    for file in sources(&root().join("shared/src")) {
        let code = code(&file);
        for (at, _) in code.match_indices("Exception::new(") {
            let call = &code[at..(at + 120).min(code.len())];
            let code = call.split('"').nth(1).filter(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            raised.extend(code.filter(|code| !code.is_empty()).map(str::to_owned));
        }
    }
    raised.extend([Mass::Deletions, Mass::Writes, Mass::Blanks].map(|mass| mass.code().to_owned()));
    assert!(raised.len() > 8, "{raised:?}");
    for code in raised {
        assert!(!shared::sync::remedy::remedy(&code).starts_with("Look at the reason"), "{code} has no remedy");
    }
}

/// Every rule that can be broken on purpose is: a manifest lists its mutant.
#[test]
fn every_mutant_is_listed() {
    let manifests =
        ["shared/Cargo.toml", "tests/model/Cargo.toml"].map(|path| fs::read_to_string(root().join(path)).unwrap());
    let mut found = 0;
    for file in ["shared/src", "tests/model/src"].iter().flat_map(|folder| sources(&root().join(folder))) {
        let code = code(&file);
        for mutant in code.split("mutant::lives(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let listed = manifests.iter().any(|manifest| manifest.contains(&format!("    \"{mutant}\",")));
            assert!(listed, "{} breaks {mutant}, which nobody tries", file.display());
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}
