//! A branch and its cloud: the line is cut, processes die, and everything is there once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::company::Company;
use harness::process::{kill_hard, wait_for};
use serde_json::Value;

fn with(contacts: &[Value], key: &str, value: &str) -> u64 {
    contacts.iter().filter(|row| row[key] == value).count() as u64
}

#[test]
fn a_cut_line_and_killed_processes_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut company = Company::start(folder.path(), |_| {}).expect("a company");

    // The line is cut for the length of two calls.
    company.agents_ready().expect("agents");
    let callers = company.callers(1, "5550110").expect("callers");
    company.served(callers).expect("served while linked");
    company.wan.cut();
    company.agents_ready().expect("agents");
    let callers = company.callers(2, "5550111").expect("callers");
    company.served(callers).expect("served with the line cut");
    company.apart().expect("the console says that the branch is cut off");
    company.wan.mend();
    company.linked().expect("linked again");

    // The cloud is killed, and the branch's sync process, both in the middle of calls.
    company.agents_ready().expect("agents");
    let callers = company.callers(2, "5550112").expect("callers");
    std::thread::sleep(Duration::from_secs(5));
    company.cloud.kill_hard();
    kill_hard(company.branch.pids()["sync"]);
    company.served(callers).expect("served with the cloud and sync killed");
    company.cloud.launch().expect("the cloud again");
    company.linked().expect("linked again");

    // The process that holds the calls is killed: that call goes on.
    company.agents_ready().expect("agents");
    let callers = company.callers(1, "5550113").expect("callers");
    std::thread::sleep(Duration::from_secs(6));
    let pid = company.branch.pids()["calls"];
    kill_hard(pid);
    wait_for("calls is back", Duration::from_secs(30), || {
        let fresh = company.branch.pids().get("calls").is_some_and(|now| *now != pid);
        (fresh && company.contacts().is_ok()).then_some(())
    })
    .expect("restarted");
    company.served(callers).expect("served by two lives");
    company.agents_ready().expect("agents");
    let callers = company.callers(1, "5550114").expect("callers");
    company.served(callers).expect("served after the restart");

    // The branch's book: seven callers, seven records, none of them cut short.
    let contacts = company.contacts().expect("contacts");
    assert_eq!(contacts.len(), 7, "{contacts:#?}");
    for (caller, count) in [("5550110", 1), ("5550111", 2), ("5550112", 2), ("5550113", 1), ("5550114", 1)] {
        let ours = contacts.iter().filter(|row| row["caller"]["number"] == caller).count();
        assert_eq!(ours, count, "{caller}");
    }
    assert_eq!(with(&contacts, "outcome", "answered"), 7, "{contacts:#?}");
    assert_eq!(contacts.iter().filter(|row| row["cause"] == "restart").count(), 0, "{contacts:#?}");
    let recordings = company.branch.recordings();
    assert_eq!(recordings.len(), 7);
    for file in recordings {
        let file = file.to_str().expect("UTF-8");
        let verify = || company.branch.command(&["recording", "verify", file], None);
        wait_for("a whole recording", Duration::from_secs(30), || verify().ok()).expect(file);
    }

    // The cloud's: the same sums, each row once.
    let sums = company.counted(7).expect("counted");
    company.delivered().expect("delivered");
    assert_eq!(sums["offered"], 7, "{sums}");
    assert_eq!(sums["answered"], 7, "{sums}");
    assert_eq!(sums["abandoned"], 0, "{sums}");
    assert_eq!(sums["recorded"], 7, "{sums}");
    // Every interval since the branch began is there, those without callers too, and the trend adds up to the sums.
    let console = company.console().expect("signed in");
    let sites = console.get("/api/sites").expect("sites");
    assert_eq!(sites[0]["completeness"], 1.0, "{sites}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
    let window = format!("from={}&to={now}&length_s=3600", now.saturating_sub(7_200_000));
    let trend = console.get(&format!("/api/trends?{window}")).expect("a trend");
    let bins = trend["bins"].as_array().expect("bins");
    let sum = |key: &str| bins.iter().filter_map(|bin| bin[key].as_u64()).sum::<u64>();
    assert_eq!((sum("offered"), sum("answered"), sum("expected")), (7, 7, sum("arrived")), "{trend}");
    company.branch.command(&["ledger", "verify"], None).expect("the egress chain is whole");

    // The branch's own report says the same as the cloud, agents' parts make the whole, and no restart was an outage.
    let report = report(&company, "by=agent");
    let column = |name: &str| {
        let columns = report["columns"].as_array().expect("columns");
        columns.iter().position(|column| column["name"] == name).expect("a column")
    };
    for figure in ["offered", "answered", "abandoned", "recorded"] {
        let at = column(figure);
        let parts = report["rows"].as_array().expect("rows").iter().map(|row| row["values"][at].as_u64().unwrap_or(0));
        assert_eq!(
            (report["total"][at].clone(), parts.sum()),
            (sums[figure].clone(), sums[figure].as_u64().expect("a sum"))
        );
    }
    assert!(report["total"][column("occupancy")].as_u64().is_some_and(|permille| permille > 0), "{report}");
    let began = contacts.iter().filter_map(|row| row["arrived"].as_u64()).min().expect("contacts");
    let hour = |time: &&Value| time["start"].as_u64().is_some_and(|start| start + 3_600_000 > began);
    let times = report["times"].as_array().expect("times").iter().filter(hour);
    assert!(times.clone().count() > 0 && times.clone().all(|time| time["down"] == false), "{report}");
}

/// Of yesterday, today and tomorrow, hour by hour.
fn report(company: &Company, more: &str) -> Value {
    let today = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs() / 86_400;
    let day = |days: u64| {
        let date = time::Date::from_julian_day(2_440_588 + i32::try_from(days).expect("a day")).expect("a date");
        format!("{}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    };
    let span = format!("from={}&until={}", day(today - 1), day(today + 1));
    let path = format!("/api/reports/file?{span}&step=hour&format=json&{more}");
    company.supervisor().expect("a supervisor").get(&path).expect("a report")
}
