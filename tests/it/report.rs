//! `runs report`: the whole incident in one document, each form of it complete, inert, and honest about what is not known.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use stanch::alert::Hints;
use stanch::case::{Hold, Look, MethodVerdict};
use stanch::domain::CidrBlock;
use stanch::engine::{
    FromAlert, Investigator, Kept, ReportRequest, StopSignal, Word, confirm, incident_report, keep,
};
use stanch::plan::{LeftObject, Plan};
use stanch::report::{
    EventKind, EvidenceRead, IncidentReport, WayState, Who, incident_html, incident_markdown,
};
use stanch::run::Verdict;
use stanch::store::{KeptInvestigation, Phase};

use crate::processes::{Mock, planned_eviction, program, stanch};
use crate::schemas::fits;
use crate::world::{World, book};

fn investigator(world: &World) -> Investigator {
    Investigator {
        reader: world.connection(&world.observer).reader(),
        clock: Arc::clone(&world.clock),
        guards: world.guards.clone(),
        skew_stops: false,
    }
}

/// Reads the incident again, as `runs report` does where it has credentials.
async fn read_again(world: &World, plan: &Plan) {
    let read = investigator(world).read_again(plan).await.unwrap();
    keep(world.store.as_ref(), &plan.id, Phase::Afterwards, &read).await.unwrap();
}

/// The report of a plan's run, by what is kept.
pub async fn told(world: &World, plan: &Plan, request: &ReportRequest) -> IncidentReport {
    let run = world.store.run_of_plan(plan.digest).await.unwrap().unwrap();
    let (plan, journal) = world.store.load(&run).await.unwrap();
    let kept = Kept::find(world.store.as_ref(), &plan.id).await.unwrap();
    incident_report(run, &plan, &journal, &kept, request, world.clock.now()).unwrap()
}

/// What the markup of Markdown hides of a text.
fn plain(markdown: &str) -> String {
    markdown
        .replace('\\', "")
        .replace("&#58;", ":")
        .replace("&#64;", "@")
        .replace("&#46;", ".")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The reference case, contained by a playbook, with the range as a responder may type it.
async fn reference(playbook: &str) -> (World, Plan) {
    let world = World::case("bec-node-fetch");
    let (range, masked) = CidrBlock::parse_masking("89.187.164.82/24").unwrap();
    assert!(masked);
    let mut request = world.request(playbook);
    request.ips.push(range);
    request.notes.push(format!("`89.187.164.82/24` has host bits set; it is read as `{range}`"));
    let plan = world.plan_for(request).await.unwrap();
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    (world, plan)
}

fn reported() -> ReportRequest {
    let reported_at = Some("2024-10-01T14:00:00Z".parse::<Timestamp>().unwrap());
    ReportRequest { reported_at, ..ReportRequest::default() }
}

/// What the README of the case tells, and what the responders did.
const FACTS: [&str; 62] = [
    "2024-08-28 19:49:43Z",
    "iPhone 13",
    "2024-09-23 20:50:07Z",
    "iPhone XR",
    "2024-09-26 18:03:36Z",
    "2024-09-26 18:09:06Z",
    "2024-09-26 18:09:09Z",
    "2024-09-26 18:31:12Z",
    "2024-09-26 18:32:35Z",
    "2024-09-26 19:24:29Z",
    "2024-09-26 19:24:45Z",
    "2024-09-26 19:27:01Z",
    "2024-10-01 13:30:46Z",
    "2024-10-03 16:26:42Z",
    "2024-10-03 16:29:00Z",
    "2024-10-03 18:28:34Z",
    "2024-10-03 18:30:02Z",
    "2024-10-04 14:14:49Z",
    "89.187.164.77",
    "89.187.164.82",
    "89.187.164.135",
    "89.187.164.142",
    "181.214.107.7",
    "181.214.107.87",
    "181.214.107.154",
    "181.214.107.248",
    "212.102.33.83",
    "212.102.40.2",
    "212.102.40.23",
    "Dallas",
    "New York",
    "Chicago",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "MFA requirement satisfied by claim in the token",
    "Microsoft Graph",
    "Office 365 Exchange Microservices",
    "Augmentation Loop",
    "1f9bf4ff-310f-4079-9180-febb8ca9bff9",
    "Infinix X6525",
    "\"1099 contractor\"",
    "\"1099 contractors\"",
    "\"Re: 1099 contractors\"",
    "\"AR Report\"",
    "miriam.graham@contoso.com",
    "henrietta.mueller@contoso.com",
    "grady.archie@contoso.com",
    "inside the company",
    "`89.187.164.82/24` has host bits set; it is read as `89.187.164.0/24`",
    "89.187.164.0/24",
    "previously satisfied",
    "no enabled policy sets a sign-in frequency",
    "no enabled policy protects the registration of security info",
    "a named location blocks nobody by itself",
    "`Require MFA for all users`",
    "`stanch: block IP Blacklist` is enforced",
    "REPORT-ONLY",
    "of 13 sign-ins of the intruder's",
    "7 days 20 h",
    "3 days 1 h",
    "asked for by dana.ito@contoso.com",
    "--yes on the command line by dana.ito@contoso.com",
    "a webhook of `stanch serve`",
];

#[tokio::test(start_paused = true)]
async fn the_report_of_the_reference_case_holds_every_fact_of_it_in_every_form() {
    let (world, plan) = reference("bec").await;
    read_again(&world, &plan).await;
    let writes = world.writes().await.len();
    let report = told(&world, &plan, &reported()).await;
    let (markdown, page) = (plain(&incident_markdown(&report)), text_of(&incident_html(&report).unwrap()));
    let run = report.sources.run.to_string();
    let more = [plan.digest.to_string(), plan.id.to_string(), run, plan.case.subject.id.to_string()];
    let hashes = report.change_log.iter().map(|line| line.hash.to_string());
    let ids = report.change_log.iter().filter_map(|line| line.request_id.clone());
    for fact in FACTS.iter().map(|fact| (*fact).to_owned()).chain(more).chain(hashes).chain(ids) {
        assert!(markdown.contains(&fact), "{fact} is not in the Markdown: {markdown}");
        assert!(page.contains(&fact), "{fact} is not in the page: {page}");
    }
    assert_eq!(report.times.seconds_from_first_access, Some(7 * 86_400 + 20 * 3_600 + 56 * 60 + 24));
    assert_eq!(world.writes().await.len(), writes, "a report writes nothing");
    fits("incident-report", &serde_json::to_value(&report).unwrap());
    let order: Vec<&str> = markdown.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(
        order,
        [
            "Subject",
            "Summary",
            "Timeline",
            "Initial access",
            "What the intruder did",
            "Indicators",
            "People to warn",
            "Containment",
            "Proof",
            "What stays open, and until when",
            "Root cause, as far as the evidence carries",
            "Corrective measures",
            "Change log",
            "Notes, and what was not read"
        ]
    );
}

/// The part of a Markdown report under a heading.
fn part(markdown: &str, title: &str) -> String {
    let (_, rest) =
        markdown.split_once(&format!("## {title}\n")).unwrap_or_else(|| panic!("no {title}: {markdown}"));
    rest.split("\n## ").next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_words_of_the_reference_cases_report_are_these() {
    let (world, plan) = reference("bec").await;
    read_again(&world, &plan).await;
    let markdown = plain(&incident_markdown(&told(&world, &plan, &reported()).await));
    let parts = [
        "Initial access",
        "People to warn",
        "Root cause, as far as the evidence carries",
        "Corrective measures",
    ];
    let shown: Vec<String> =
        parts.iter().map(|title| format!("## {title}\n{}", part(&markdown, title))).collect();
    insta::assert_snapshot!("reference_parts", shown.join("\n"));
    let page = incident_html(&told(&world, &plan, &reported()).await).unwrap();
    let people = page.split("<section aria-labelledby=\"people\">").nth(1).unwrap();
    insta::assert_snapshot!("reference_page_people", people.split("</section>").next().unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_page_needs_nothing_from_anywhere_and_is_whole() {
    let (world, plan) = reference("bec").await;
    read_again(&world, &plan).await;
    let page = incident_html(&told(&world, &plan, &reported()).await).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{page}");
    for wanted in [
        "<title>Incident report: ",
        "@media print",
        "prefers-color-scheme: dark",
        "<svg ",
        "<caption>",
        "scope=\"row\"",
        "scope=\"col\"",
        "name=\"viewport\"",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    for unwanted in [
        "<script",
        "src=",
        "url(",
        "@import",
        "<link",
        "<iframe",
        "<img",
        "javascript:",
        "onload",
        "onclick",
        "style=\"",
    ] {
        assert!(!page.contains(unwanted), "{unwanted}");
    }
    let links: Vec<&str> =
        page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(!links.is_empty());
    for link in links {
        let id = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads out of the page"));
        assert!(page.contains(&format!("id=\"{id}\"")), "{link} leads nowhere");
    }
    assert_eq!(unbalanced(&page), None);
    assert_eq!(unbalanced("<p><b>x</p></b>").as_deref(), Some("</p> closes <b>"));
}

/// The first tag that closes another than the one that is open.
fn unbalanced(page: &str) -> Option<String> {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut open: Vec<String> = Vec::new();
    let body =
        page.split("<style>").next().unwrap().to_owned() + page.split("</style>").nth(1).unwrap_or_default();
    for tag in body.split('<').skip(1) {
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if tag.starts_with('!') || VOID.contains(&name.as_str()) {
            continue;
        }
        if !tag.starts_with('/') {
            open.push(name);
            continue;
        }
        let was = open.pop().unwrap_or_default();
        if was != name {
            return Some(format!("</{name}> closes <{was}>"));
        }
    }
    open.pop().map(|name| format!("<{name}> is left open"))
}

/// What a page shows, without its tags.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    for piece in page.split('<').skip(1) {
        text.push_str(piece.split_once('>').unwrap().1);
        text.push(' ');
    }
    for (entity, letter) in [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, letter);
    }
    text
}

#[tokio::test(start_paused = true)]
async fn hostile_names_act_in_no_form_and_break_no_markup() {
    const HOSTILE: &str = "</title><script>alert(1)</script>\u{202e}\u{1b}[31m|`x`[a](http://evil.example)<img src=x onerror=y>";
    let world = World::case_with("bec-node-fetch", |tenant| {
        for user in tenant["users"].as_array_mut().unwrap() {
            user["displayName"] = json!(format!("{}{HOSTILE}", user["displayName"].as_str().unwrap()));
        }
        for mail in tenant["messageTraces"].as_array_mut().unwrap() {
            mail["subject"] = json!(format!("{}{HOSTILE}", mail["subject"].as_str().unwrap()));
        }
        for place in tenant["conditionalAccessPolicies"].as_array_mut().unwrap() {
            place["displayName"] = json!(format!("MFA{HOSTILE}"));
        }
    });
    let plan = world.plan("bec").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    read_again(&world, &plan).await;
    let report = told(&world, &plan, &ReportRequest::default()).await;
    let (markdown, page) = (incident_markdown(&report), incident_html(&report).unwrap());
    for text in [&markdown, &page] {
        assert!(
            text.contains("alert") && text.contains("u{202e}") || text.contains("u\\{202e\\}"),
            "nothing hostile was shown"
        );
        for acting in ["<script", "<img", "\u{202e}", "\u{1b}"] {
            assert!(!text.contains(acting), "{acting:?}");
        }
    }
    assert!(!markdown.contains("](http"), "a link");
    assert_eq!(unbalanced(&page), None);
    assert_eq!(page.matches("<title>Incident").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_half_way_is_told_as_not_contained_first_of_all() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    world
        .faults(json!([{ "method": "DELETE", "path": "/v1.0/users/*/authentication/*", "times": null,
            "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }]))
        .await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
    let report = told(&world, &plan, &ReportRequest::default()).await;
    assert!(report.summary.happened.starts_with("NOT contained. An intruder was in"), "{:?}", report.summary);
    assert!(report.summary.contained.starts_with("NOT contained in full"), "{:?}", report.summary);
    assert!(report.summary.next.starts_with("Work off what is open"), "{:?}", report.summary);
    assert_eq!((report.times.contained_at, report.times.seconds_from_first_access), (None, None));
    let markdown = plain(&incident_markdown(&report));
    assert!(markdown.lines().next().unwrap().ends_with(": partial"), "{markdown}");
    let ways = part(&markdown, "Proof");
    let method = ways.lines().find(|line| line.starts_with("| a registered method")).unwrap();
    assert!(
        method.contains("Infinix X6525") && method.contains("OPEN AGAIN once sign-in is enabled"),
        "{method}"
    );
    assert!(
        part(&markdown, "What stays open, and until when").contains("Authorization_RequestDenied"),
        "{markdown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_not_ended_proves_nothing() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    world.apply(&plan).await;
    let run = world.store.run_of_plan(plan.digest).await.unwrap().unwrap();
    let (plan, journal) = world.store.load(&run).await.unwrap();
    let kept = Kept::find(world.store.as_ref(), &plan.id).await.unwrap();
    // As far as a process came that was killed.
    for lines in [1, journal.len() / 2, journal.len() - 1] {
        let request = ReportRequest::default();
        let report =
            incident_report(run.clone(), &plan, &journal[..lines], &kept, &request, world.clock.now())
                .unwrap();
        assert!(
            report.summary.happened.starts_with("NOT contained: the run has not ended."),
            "{:?}",
            report.summary
        );
        assert_eq!(report.times.contained_at, None, "{lines}");
        let markdown = plain(&incident_markdown(&report));
        assert!(markdown.contains("Nothing was proved: the run has not ended."), "{markdown}");
        assert!(markdown.contains("the run has NOT ended"), "{markdown}");
        assert_eq!(unbalanced(&incident_html(&report).unwrap()), None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_stopped_before_it_began_leaves_every_way_open() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    let (sender, stop) = StopSignal::new();
    sender.send(true).unwrap();
    world.applier(stop).apply(plan.clone(), world.yes(&plan)).await.unwrap();
    let report = told(&world, &plan, &ReportRequest::default()).await;
    let markdown = plain(&incident_markdown(&report));
    let proof = part(&markdown, "Proof");
    assert!(
        proof
            .lines()
            .any(|line| line.starts_with("| a live session") && line.contains("OPEN: the intruder gets in")),
        "{proof}"
    );
    assert!(markdown.contains("No revocation was accepted"), "{markdown}");
    assert!(
        report.measures.iter().all(|own| own.state != stanch::report::MeasureState::Done),
        "{:#?}",
        report.measures
    );
}

#[tokio::test(start_paused = true)]
async fn without_anything_kept_the_plan_alone_is_told_and_the_rest_is_unread() {
    let (world, plan) = reference("bec").await;
    let run = world.store.run_of_plan(plan.digest).await.unwrap().unwrap();
    let (plan, journal) = world.store.load(&run).await.unwrap();
    let request = ReportRequest::default();
    let report =
        incident_report(run, &plan, &journal, &Kept::default(), &request, world.clock.now()).unwrap();
    let markdown = plain(&incident_markdown(&report));
    for fact in ["Infinix X6525", "89.187.164.135", "181.214.107.154", "2024-09-26 18:03:36Z"] {
        assert!(markdown.contains(fact), "{fact}: {markdown}");
    }
    assert!(part(&markdown, "People to warn").contains("NOT read"), "{markdown}");
    assert!(report.summary.lost.contains("was not read"), "{:?}", report.summary);
    assert!(
        part(&markdown, "Notes, and what was not read").contains("none is kept beside the plan"),
        "{markdown}"
    );
    assert!(report.measures.iter().any(|own| own.what.contains("alert")), "{:#?}", report.measures);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_beside_a_plan_is_enough_for_all_but_mail_and_others() {
    let (world, plan) = reference("bec").await;
    let before = world.requests().await.len();
    let report = told(&world, &plan, &ReportRequest::default()).await;
    assert_eq!(world.requests().await.len(), before, "nothing is read for it");
    let markdown = plain(&incident_markdown(&report));
    for fact in [
        "MFA requirement satisfied by claim in the token",
        "Dallas",
        "no enabled policy sets a sign-in frequency",
    ] {
        assert!(markdown.contains(fact), "{fact}: {markdown}");
    }
    assert!(part(&markdown, "People to warn").contains("a plan does not need it"), "{markdown}");
}

#[tokio::test(start_paused = true)]
async fn a_leavers_report_tells_of_no_incident() {
    let world = World::case("made-leaver");
    let plan = world.plan("leaver").await;
    assert!(
        plan.actions.iter().any(|own| own.step == "revoke_app_consents" || own.step == "disable_devices")
    );
    world.apply(&plan).await;
    read_again(&world, &plan).await;
    let report = told(&world, &plan, &ReportRequest::default()).await;
    assert!(!report.has_intruder, "{:#?}", report.indicators);
    assert!(report.summary.happened.contains("No intruder in it is certain"), "{:?}", report.summary);
    assert_eq!(report.summary.lost, "Nothing that is known of.");
    assert_eq!(report.times.first_access, None);
    let markdown = plain(&incident_markdown(&report));
    for words in ["When it was contained", "Time to contain"] {
        assert!(!markdown.contains(words), "{words}: {markdown}");
    }
    assert!(markdown.contains("There is no incident to explain"), "{markdown}");
    assert_eq!(unbalanced(&incident_html(&report).unwrap()), None);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_case_has_a_whole_report() {
    let kinds =
        ["made-aitm", "made-bec", "made-malicious_consent", "made-mass", "made-mfa_fatigue", "made-spray"];
    for case in kinds {
        let world = World::case(case);
        let plan = world.plan("bec").await;
        world.apply(&plan).await;
        read_again(&world, &plan).await;
        let report = told(&world, &plan, &ReportRequest::default()).await;
        assert!(report.has_intruder, "{case}");
        let found = report.recipients.read().into_iter().flatten().map(|own| own.address.clone());
        let warned: BTreeSet<String> = found.collect();
        let in_truth = world.truth["recipients"].as_array().unwrap().iter().filter_map(Value::as_str);
        if case == "made-bec" {
            assert_eq!(warned, in_truth.map(str::to_owned).collect(), "{case}");
        }
        assert_eq!(unbalanced(&incident_html(&report).unwrap()), None, "{case}");
        fits("incident-report", &serde_json::to_value(&report).unwrap());
        let markdown = plain(&incident_markdown(&report));
        if case == "made-malicious_consent" {
            assert!(
                part(&markdown, "Initial access").contains("An app of the intruder's was let in"),
                "{markdown}"
            );
            let ways = part(&markdown, "Proof");
            let row = ways.lines().find(|line| line.starts_with("| an app that was consented to")).unwrap();
            assert!(row.contains("held: ") && row.contains("shut by `revoke_app_consents`"), "{row}");
            // What a person is asked about is nobody's yet, though the plan has an action for it.
            let deeds = part(&markdown, "What the intruder did");
            let row = deeds.lines().find(|line| line.starts_with("| inbox rule \"Before 2025")).unwrap();
            assert!(row.contains("UNKNOWN"), "{row}");
            assert!(
                report.summary.happened.contains("left 1 inbox rule and 1 consent to an app"),
                "{:?}",
                report.summary
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_that_an_alert_gives_counts_where_it_can_be_the_incidents() {
    for (time, counts) in [("2024-10-03T18:40:00Z", true), ("1999-01-01T00:00:00Z", false)] {
        let time: Timestamp = time.parse().unwrap();
        let world = World::case("bec-node-fetch");
        let mut request = world.request("evict");
        let hints = Hints { time: Some(time), ..Hints::default() };
        request.alert = Some(FromAlert { hints, ..FromAlert::default() });
        let plan = world.plan_for(request).await.unwrap();
        assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
        let report = told(&world, &plan, &ReportRequest::default()).await;
        assert_eq!(report.times.reported_at, counts.then_some(time));
        assert_eq!(report.times.seconds_from_report, counts.then_some(20 * 3_600 + 20 * 60));
        assert_eq!(incident_markdown(&report).contains("the alert that the plan was made from"), counts);
    }
}

#[tokio::test(start_paused = true)]
async fn another_tenants_log_is_no_evidence() {
    let (_, plan) = reference("evict").await;
    let other = World::case("aitm-travel");
    let error = investigator(&other).read_again(&plan).await.unwrap_err();
    assert_eq!(error.code(), "other_tenant", "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_gives_no_time_counts_from_when_it_came() {
    let (world, plan) = reference("evict").await;
    let came = world.clock.now() - std::time::Duration::from_mins(30);
    let request = ReportRequest { alerted_at: Some(came), ..ReportRequest::default() };
    let report = told(&world, &plan, &request).await;
    assert_eq!((report.times.reported_at, report.times.seconds_from_report), (Some(came), Some(1_800)));
    assert!(incident_markdown(&report).contains("the alert came in that the plan was made from"));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_did_is_told_as_their_word() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.playbook = book(
        "  - step: disable_sign_in\n  - step: revoke_sessions\n  - step: manual\n    id: bank\n    with: { title: Ask the bank, instruction: [Call the bank.] }\n",
    );
    let plan = world.plan_for(request).await.unwrap();
    let run = world.apply(&plan).await;
    let before = told(&world, &plan, &ReportRequest::default()).await;
    assert!(before.summary.happened.starts_with("NOT contained."), "{:?}", before.summary);
    assert!(before.summary.open.contains("Ask the bank"), "{:?}", before.summary);
    let said = Word { action: "bank", by: "dana.ito@contoso.com", reason: "called, nothing was paid" };
    let said_at = world.clock.now() + std::time::Duration::from_hours(5);
    confirm(world.store.as_ref(), &run.run, said, said_at).await.unwrap();
    let after = told(&world, &plan, &ReportRequest::default()).await;
    assert!(after.summary.contained.contains("as far as a person's word goes"), "{:?}", after.summary);
    let markdown = plain(&incident_markdown(&after));
    for title in ["Timeline", "Containment", "Change log"] {
        assert!(part(&markdown, title).contains("called, nothing was paid"), "{title}: {markdown}");
    }
    assert_eq!(after.times.contained_at, Some(said_at));
    let ended = after.timeline.iter().find(|own| own.what.starts_with("the run ended.")).unwrap();
    assert!(ended.what.contains("NOT contained in full"), "{ended:?}");
    let since = after.timeline.iter().find(|own| own.what.starts_with("with this word: Contained")).unwrap();
    assert_eq!(since.at, said_at);
    let changes = part(&markdown, "Containment");
    assert!(
        changes.contains("as partial; by what a person has confirmed since it is contained"),
        "{changes}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_another_version_has_kept_is_told_and_no_fault() {
    let (world, plan) = reference("evict").await;
    let body = json!({ "read_at": "2024-10-04T15:00:00Z", "is_of": "another version" }).to_string();
    let read_at = world.clock.now();
    let kept = KeptInvestigation { plan: plan.id.clone(), phase: Phase::Planning, read_at, body };
    world.store.keep_investigation(&kept).await.unwrap();
    let report = told(&world, &plan, &ReportRequest::default()).await;
    assert!(
        report.notes.iter().any(|note| note.contains("in a form that this version does not know")),
        "{:?}",
        report.notes
    );
    assert!(report.unread.iter().any(|own| own.what == "the investigation"), "{:?}", report.unread);
}

#[test]
fn the_command_reads_once_keeps_it_and_does_without_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("aitm-travel");
    let plan = planned_eviction(&mock, folder.path());
    let applied = stanch(&mock, folder.path()).args(["-q", "apply", "--yes"]).arg(&plan).output().unwrap();
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    let id = mock.only_run(folder.path());
    let run = |command: &mut std::process::Command, more: &[&str], status: i32| -> (String, String) {
        let output = command.args(["runs", "report", &id]).args(more).output().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(status), "{more:?}: {out}{err}");
        (out, err)
    };
    let bare = || {
        let mut command = program(folder.path());
        command.args(["--config", "stanch.toml"]);
        command
    };
    let (out, err) = run(&mut bare(), &[], 0);
    assert!(
        err.starts_with("warning: the tenant could not be read: ") && err.contains("AZURE_TENANT_ID"),
        "{err}"
    );
    assert!(plain(&out).contains("the tenant could not be read for this report"), "{out}");
    let (out, err) = run(&mut bare(), &["--offline"], 0);
    assert!(err.is_empty() && out.contains("offline"), "{err}{out}");

    let requests = mock.requests();
    let (first, _) = run(&mut stanch(&mock, folder.path()), &[], 0);
    assert!(first.contains("after the run"), "{first}");
    let read = mock.requests();
    assert!(read > requests);
    let (second, _) = run(&mut bare(), &[], 0);
    assert!(second.contains("after the run"), "what was read is kept: {second}");
    run(&mut stanch(&mock, folder.path()), &["-o", "report.html"], 0);
    assert_eq!(mock.requests(), read, "it was read again");
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    run(&mut stanch(&mock, folder.path()), &["--again"], 0);
    assert!(mock.requests() > read);
    run(&mut bare(), &["--offline", "--again"], 2);
    let (_, err) = run(&mut bare(), &["--reported", "yesterday"], 2);
    assert!(err.contains("`yesterday` is no time"), "{err}");

    std::fs::write(
        folder.path().join("enable.yaml"),
        "schema: stanch/playbook/v1\nname: enable\ntitle: Enable\nsummary: Enables sign-in.\nsteps:\n  - step: enable_sign_in\n",
    )
    .unwrap();
    let other = stanch(&mock, folder.path())
        .args(["-q", "run", "./enable.yaml", "--yes", "--user", mock.victim()])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(0), "{}", String::from_utf8_lossy(&other.stderr));
    let output = bare().args(["runs", "report", &id[..2]]).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("more than one run") && err.contains("give more of the id"), "{err}");
    let elsewhere = Mock::case("bec-node-fetch");
    let mut command = stanch(&elsewhere, folder.path());
    let output = command.args(["runs", "report", &id, "--again"]).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("the run is of tenant"), "{err}");
    let output = bare().args(["--format", "html", "runs", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no HTML form"));
}

/// What is kept of a look after the run, changed.
async fn read_with(world: &World, plan: &Plan, change: impl FnOnce(&mut EvidenceRead)) -> EvidenceRead {
    let mut read = investigator(world).read_again(plan).await.unwrap();
    change(&mut read);
    keep(world.store.as_ref(), &plan.id, Phase::Afterwards, &read).await.unwrap();
    read
}

#[tokio::test(start_paused = true)]
async fn signs_of_the_intruder_after_the_containment_stand_first() {
    let (world, plan) = reference("bec").await;
    read_again(&world, &plan).await;
    let quiet = told(&world, &plan, &ReportRequest::default()).await;
    assert!(quiet.signs_since.is_empty(), "{:?}", quiet.signs_since);
    let later = quiet.times.contained_at.unwrap() + std::time::Duration::from_hours(20);
    for went_through in [true, false] {
        read_with(&world, &plan, |read| {
            let mut event = read.found.timeline.iter().find(|own| own.who == Who::Intruder).unwrap().clone();
            (event.kind, event.at, event.until) = (EventKind::SignIn, later, None);
            read.found.timeline.push(event);
            let Look::Read(access) = &mut read.access else { panic!("no access") };
            assert!(access.last.is_some());
            if went_through {
                access.last = Some(later);
            }
        })
        .await;
        let report = told(&world, &plan, &ReportRequest::default()).await;
        assert_eq!(report.signs_since.len(), usize::from(went_through), "{:?}", report.signs_since);
        let summary = &report.summary;
        assert_eq!(summary.happened.starts_with("SIGNS OF THE INTRUDER SINCE"), went_through, "{summary:?}");
        assert_eq!(summary.open.starts_with("1 sign of the intruder, later"), went_through, "{summary:?}");
        assert_eq!(summary.next.starts_with("Run `stanch runs verify"), went_through, "{summary:?}");
        assert_eq!(summary.next.contains("bring the user back"), !went_through, "{summary:?}");
        let title = incident_markdown(&report).lines().next().unwrap().to_owned();
        assert_eq!(title.ends_with("with signs of the intruder since"), went_through, "{title}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_left_unread_or_undecided_is_never_told_as_not_there() {
    let (world, plan) = reference("bec").await;
    let run = world.store.run_of_plan(plan.digest).await.unwrap().unwrap();
    let (mut plan, journal) = world.store.load(&run).await.unwrap();
    let left = |kind: &str, object: &str, why: &str| LeftObject {
        step: kind.to_owned(),
        kind: None,
        object: object.to_owned(),
        why: vec![why.to_owned()],
        holds_back: false,
        decided: false,
        next: None,
    };
    plan.left.push(left("disable_devices", "every device", "they could not be read: 403"));
    plan.left.push(left("strip_roles", "the role Reports Reader", "unknown: nothing says who gave it"));
    let kept = Kept::default();
    let report =
        incident_report(run, &plan, &journal, &kept, &ReportRequest::default(), world.clock.now()).unwrap();
    let Look::Read(Some(ways)) = &report.ways_in else { panic!("{:?}", report.ways_in) };
    let of = |hold| ways.ways.iter().find(|own| own.hold == hold).unwrap();
    assert_eq!(of(Hold::Device).state, WayState::NotLookedAt, "{ways:#?}");
    assert!(of(Hold::Device).before.contains("403"), "{ways:#?}");
    assert_eq!(of(Hold::Role).state, WayState::Left, "{ways:#?}");
    assert!(of(Hold::Role).before.starts_with("undecided: the role Reports Reader"), "{ways:#?}");
}

#[tokio::test(start_paused = true)]
async fn where_the_log_was_not_read_no_intruder_is_not_known_to_be_none() {
    let world = World::case("made-leaver");
    let plan = world.plan("leaver").await;
    world.apply(&plan).await;
    let why = "the tenant has no licence for it";
    read_with(&world, &plan, |read| read.access = Look::Unread { why: why.to_owned() }).await;
    let run = world.store.run_of_plan(plan.digest).await.unwrap().unwrap();
    let (plan, journal) = world.store.load(&run).await.unwrap();
    let mut kept = Kept::find(world.store.as_ref(), &plan.id).await.unwrap();
    kept.planning = None;
    let request = ReportRequest::default();
    let report = incident_report(run, &plan, &journal, &kept, &request, world.clock.now()).unwrap();
    assert!(
        report.summary.lost.contains(why) && report.summary.happened.contains(why),
        "{:?}",
        report.summary
    );
    let markdown = plain(&incident_markdown(&report));
    assert!(!markdown.contains("There is no incident"), "{markdown}");
    for title in ["Initial access", "Root cause, as far as the evidence carries"] {
        assert!(part(&markdown, title).contains(why), "{title}: {markdown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_look_loses_nothing_that_an_earlier_one_had_read() {
    let (world, plan) = reference("bec").await;
    let first = investigator(&world).read_again(&plan).await.unwrap();
    let mut second = first.clone();
    second.access = Look::Unread { why: "expired".to_owned() };
    second.found.recipients.clear();
    second.found.timeline.clear();
    second.found.persistence.clear();
    let merged = second.and_what_is_gone(&first);
    assert_eq!(merged, first);
    let mut third = first.clone();
    let Look::Read(access) = &mut third.access else { panic!("no access") };
    (access.first, access.sign_ins) = (None, 0);
    assert_eq!(third.and_what_is_gone(&first).access, first.access);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_disabled_and_loses_its_consent_is_counted_once() {
    let world = World::case("made-malicious_consent");
    let plan = world.plan("malicious-consent").await;
    for step in ["revoke_app_consents", "disable_service_principal"] {
        assert!(plan.actions.iter().any(|own| own.step == step), "{step}");
    }
    world.apply(&plan).await;
    let report = told(&world, &plan, &ReportRequest::default()).await;
    assert!(report.summary.happened.contains("1 consent to an app"), "{:?}", report.summary);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_asked_for_against_the_evidence_is_not_called_the_intruders() {
    let world = World::case("made-malicious_consent");
    let asked = world.plan("bec").await;
    let rule = asked.actions.iter().find(|own| own.object.name.starts_with("Before 2025")).unwrap();
    let mut request = world.request("bec");
    request.remove.push(rule.object.id.clone().unwrap().parse().unwrap());
    let plan = world.plan_for(request).await.unwrap();
    world.apply(&plan).await;
    let report = told(&world, &plan, &ReportRequest::default()).await;
    let own = report.persistence.iter().find(|own| own.name.starts_with("Before 2025")).unwrap();
    assert_eq!(own.verdict, MethodVerdict::Unknown, "{own:?}");
}
