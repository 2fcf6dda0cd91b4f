//! The command itself, against a whole console.

#[path = "../../../cloudd/tests/it/support.rs"]
#[allow(dead_code, reason = "the console's own tests use all of it")]
mod support;

use std::path::Path;

use cloudd::documents;
use db::user::Role;
use model::{Millis, config::Config};
use reqwest::{Method, header};
use serde_json::{Value, json};
use support::{ADMIN, Cloud, START, north, token};

const TOKEN: &str = "bl_sesame";

pub fn store(dir: &Path) -> db::Db {
    db::Db::open(&dir.join("cloud.db")).unwrap()
}

async fn cloud(role: Role) -> Cloud {
    let cloud = Cloud::start().await;
    let config: Config = serde_json::from_str(include_str!("../../../../deploy/site/branch-a.json")).unwrap();
    let config = Config { site: model::config::Site { id: north(), ..config.site.clone() }, ..config };
    let edited = documents::draft(&north(), &config::changes_from(&config), Millis(START)).unwrap().unwrap();
    cloud
        .write(move |conn| {
            edited.store(conn, "cloudd", Millis(START))?;
            db::token::add(conn, &cloudd::secret::sha256(TOKEN), &token("ci", role))
        })
        .await;
    cloud
}

struct Ran {
    code: i32,
    said: String,
}

async fn run(cloud: &Cloud, arguments: &[&str]) -> Ran {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_branchline"));
    command.args(["--server", &cloud.origin()]).args(arguments).env("BRANCHLINE_TOKEN", TOKEN);
    let done = command.output().await.unwrap();
    let said = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    Ran { code: done.status.code().unwrap(), said }
}

fn change(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(file, text.replacen(from, to, 1)).unwrap();
}

async fn edit(cloud: &Cloud, seconds: u32) {
    let ann = cloud.session(ADMIN, 60_000).await;
    let queues = ann.get("/api/sites/north/config").await.1["config"]["queues"].clone();
    let queue = queues.as_object().unwrap().keys().next().unwrap().clone();
    let change = json!({ "set": "queue_wrap_up", "queue": queue, "seconds": seconds });
    let (status, answer) = ann.post("/api/sites/north/changes", &json!({ "doc": "local", "changes": [change] })).await;
    assert!(status.is_success(), "{answer}");
}

#[tokio::test]
async fn files_are_exported_planned_applied_and_watched() {
    let cloud = cloud(Role::SiteAdministrator).await;
    let dir = tempfile::tempdir().unwrap();
    let (folder, file, plan) =
        (dir.path().to_str().unwrap(), dir.path().join("north.yaml"), dir.path().join("plan.json"));
    let (file_name, plan_name) = (file.to_str().unwrap(), plan.to_str().unwrap());
    let ran = run(&cloud, &["export", "--dir", folder]).await;
    assert_eq!(ran.code, 0, "{}", ran.said);
    let exported = std::fs::read_to_string(&file).unwrap();
    let ran = run(&cloud, &["plan", folder]).await;
    assert_eq!((ran.code, ran.said.as_str()), (0, "1 branches are as their files say.\n"));
    run(&cloud, &["export", "--dir", folder]).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), exported, "the same configuration, the same file");

    let ring = exported.lines().find(|line| line.trim_start().starts_with("ring_s:")).unwrap();
    change(&file, ring, &format!("{} 77", ring.split(':').next().unwrap().to_owned() + ":"));
    let ran = run(&cloud, &["plan", file_name, "--out", plan_name]).await;
    assert_eq!(ran.code, 2, "{}", ran.said);
    assert!(ran.said.contains("/ring_s: ") && ran.said.contains("-> 77\n"), "{}", ran.said);
    assert!(ran.said.ends_with("1 fields of 1 of 1 branches would change.\n"), "{}", ran.said);

    // Somebody else is faster.
    edit(&cloud, 41).await;
    let ran = run(&cloud, &["apply", plan_name]).await;
    assert_eq!(ran.code, 1, "{}", ran.said);
    assert!(ran.said.contains("plan again"), "{}", ran.said);
    let ran = run(&cloud, &["drift", folder]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.said.contains(&format!("set by {ADMIN}, 2")) && ran.said.contains("(local)"), "{}", ran.said);

    // What they did is taken over, and the plan made again.
    run(&cloud, &["export", "--dir", folder]).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let ring = text.lines().find(|line| line.trim_start().starts_with("ring_s:")).unwrap();
    change(&file, ring, &format!("{} 77", ring.split(':').next().unwrap().to_owned() + ":"));
    assert_eq!(run(&cloud, &["plan", file_name, "--out", plan_name]).await.code, 2);
    let ran = run(&cloud, &["apply", plan_name]).await;
    assert_eq!((ran.code, ran.said.as_str()), (0, "north: 1 fields changed\n"));
    assert_eq!(run(&cloud, &["drift", folder]).await.code, 0);
    let ann = cloud.session(ADMIN, 60_000).await;
    let entry = ann.get("/api/sites/north/history").await.1["entries"][0].clone();
    assert_eq!((&entry["author"], &entry["fields"][0]["after"]), (&json!("token ci"), &json!(77)));
    assert_eq!(ann.get("/api/audit").await.1["entries"][0]["what"], json!("config.apply"));
}

#[tokio::test]
async fn what_is_mistyped_out_of_bounds_or_not_allowed_says_so_and_changes_nothing() {
    let cloud = cloud(Role::Analyst).await;
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().to_str().unwrap(), dir.path().join("north.yaml"));
    assert_eq!(run(&cloud, &["export", "--site", "north", "--dir", folder]).await.code, 0);
    let exported = std::fs::read_to_string(&file).unwrap();
    let ring = exported.lines().find(|line| line.trim_start().starts_with("ring_s:")).unwrap().to_owned();
    let before: Value = cloud.session(ADMIN, 60_000).await.get("/api/sites/north/config").await.1;
    let with = |to: &str| std::fs::write(&file, exported.replacen(&ring, to, 1)).unwrap();
    let indent = ring.split("ring_s").next().unwrap();
    for (line, says) in [
        (format!("{ring}\n{indent}ring_seconds: 5"), "ring_seconds is not known"),
        (format!("{indent}ring_s: 4000"), "ring_s is 4000, outside 5 to 300"),
        (format!("{indent}ring_s: often"), "invalid type"),
        (format!("{indent}ring_s: [1"), "north.yaml"),
    ] {
        with(&line);
        let ran = run(&cloud, &["plan", folder]).await;
        assert_eq!(ran.code, 1, "{}", ran.said);
        assert!(ran.said.contains(says), "{says}: {}", ran.said);
    }
    with(&format!("{indent}ring_s: 77"));
    let plan = dir.path().join("plan.json");
    assert_eq!(run(&cloud, &["plan", folder, "--out", plan.to_str().unwrap()]).await.code, 2, "who may see may plan");
    let ran = run(&cloud, &["apply", plan.to_str().unwrap()]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.said.contains("the role analyst may not do this"), "{}", ran.said);
    let request =
        cloud.bare(Method::GET, "/api/sites/north/config").header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap(), before);
    assert_eq!(run(&cloud, &["plan"]).await.code, 1, "a mistyped command is no difference");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_branchline"));
    command.args(["--server", "http://console.example", "export"]).env("BRANCHLINE_TOKEN", TOKEN);
    let said = String::from_utf8(command.output().await.unwrap().stderr).unwrap();
    assert!(said.contains("in clear"), "{said}");
}

#[tokio::test]
async fn a_roll_out_is_looked_at_begun_from_a_file_listed_and_taken_back() {
    let cloud = cloud(Role::Administrator).await;
    cloud.write(|conn| db::tag::set(conn, &north(), &["pilot".to_owned()].into())).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("breath.yaml");
    let text = "label: A breath between calls\nchanges:\n- { set: queue_wrap_up, queue: service, seconds: 33 }\n\
                tags: [pilot]\ncanaries: [north]\n";
    std::fs::write(&file, text).unwrap();
    let name = file.to_str().unwrap();
    let ran = run(&cloud, &["rollout", "look", name]).await;
    assert_eq!(ran.code, 2, "{}", ran.said);
    assert!(ran.said.contains("north: would run\n  ~ queues/service/wrap_up_s: 10 -> 33\n"), "{}", ran.said);
    let ran = run(&cloud, &["rollout", "begin", name]).await;
    assert_eq!((ran.code, ran.said.as_str()), (0, "roll-out 1: begun\n"));
    let ran = run(&cloud, &["rollout", "list"]).await;
    assert_eq!((ran.code, ran.said.as_str()), (0, "1  running  0 of 1  A breath between calls\n"));
    let ran = run(&cloud, &["rollout", "resume", "1"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.said.contains("past that"), "{}", ran.said);
    assert_eq!(run(&cloud, &["rollout", "take-back", "1"]).await.code, 0);
    let ran = run(&cloud, &["rollout", "list"]).await;
    assert!(ran.said.starts_with("1  reverted (person)"), "{}", ran.said);
    std::fs::write(&file, text.replace("pilot", "nobody")).unwrap();
    let ran = run(&cloud, &["rollout", "begin", name]).await;
    assert!(ran.code == 1 && ran.said.contains("none has such a tag"), "{}", ran.said);
}
