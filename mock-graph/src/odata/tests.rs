use serde_json::{Value, json};

use super::{Filter, QueryError, Rules, collection, entity};
use crate::api::{Call, Caller, Reply, Version};

fn call(query: &[(&str, &str)]) -> Call {
    Call {
        version: Version::V1,
        segments: Vec::new(),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        headers: Vec::new(),
        body: Value::Null,
        caller: Caller {
            app_id: String::new(),
            roles: Vec::new(),
            directory_roles: Vec::new(),
            user_id: None,
        },
        now: "2026-03-02T00:00:00Z".parse().unwrap(),
        base: "http://127.0.0.1:9".to_owned(),
        path: "/v1.0/auditLogs/signIns".to_owned(),
        new_id: String::new(),
    }
}

fn rows() -> Vec<Value> {
    vec![
        json!({"id": "a", "createdDateTime": "2026-03-01T10:00:00Z", "name": "O'Hara", "on": true, "n": 3, "status": {"errorCode": 0}, "kinds": ["x", "y"], "targets": [{"id": "1"}]}),
        json!({"id": "b", "createdDateTime": "2026-03-01T11:00:00.1234567Z", "name": "bob", "on": false, "n": 5, "status": {"errorCode": 53003}, "kinds": ["y"], "targets": []}),
        json!({"id": "c", "createdDateTime": "2026-03-01T12:00:00Z", "name": null, "on": true, "n": 7, "status": {"errorCode": 0}, "kinds": [], "targets": [{"id": "2"}, {"id": "1"}]}),
    ]
}

fn ids(reply: &Reply) -> Vec<String> {
    reply.body.as_ref().unwrap()["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

fn filtered(text: &str) -> Vec<String> {
    ids(&collection(&rows(), &call(&[("$filter", text)]), &Rules::PLAIN).unwrap())
}

#[test]
fn a_filter_keeps_what_it_says() {
    for (text, wanted) in [
        ("id eq 'a'", "a"),
        ("id ne 'a'", "bc"),
        ("ID eq 'a' or id eq 'C'", ""),
        ("id eq 'B'", "b"),
        ("name eq 'o''hara'", "a"),
        ("name eq null", "c"),
        ("name ne null", "ab"),
        ("on", "ac"),
        ("not on", "b"),
        ("on eq false", "b"),
        ("n gt 3 and n lt 7", "b"),
        ("n ge 3 and (n le 3 or n eq 7)", "ac"),
        ("createdDateTime ge 2026-03-01T11:00:00Z", "bc"),
        ("createdDateTime lt 2026-03-01T12:00:00+01:00", "a"),
        ("createdDateTime ge 2026-03-01", "abc"),
        ("startswith(name,'o')", "a"),
        ("startsWith(name, 'bo') eq true", "b"),
        ("endswith(name,'b')", "b"),
        ("contains(name,'ha')", "a"),
        ("id in ('a', 'c')", "ac"),
        ("status/errorCode eq 53003", "b"),
        ("kinds/any(t: t eq 'x' or t eq 'z')", "a"),
        ("kinds/any(t:t eq 'y') and not(id eq 'a')", "b"),
        ("kinds/any()", "ab"),
        ("targets/any(t:t/id eq '1')", "ac"),
        ("targets/any(t: t/id eq '2' and id eq 'c')", "c"),
        ("kinds/all(k: k eq 'y')", "bc"),
        ("kinds/$count eq 2", "a"),
        ("id eq 'a' or id eq 'b' and n eq 99", "a"),
    ] {
        if text.starts_with("ID") {
            let refused = collection(&rows(), &call(&[("$filter", text)]), &Rules::PLAIN).unwrap_err();
            assert!(refused.message.contains("named 'ID'"), "{text}");
            continue;
        }
        assert_eq!(filtered(text).concat(), wanted, "{text}");
    }
}

#[test]
fn a_bad_filter_is_refused() {
    for text in [
        "",
        "id",
        "id eq",
        "id eq a b",
        "id eq 'a",
        "id like 'a'",
        "(id eq 'a'",
        "foo(id,'a')",
        "id eq 'a' and",
        "nothing eq 'a'",
        "name eq 'a' xor on",
        "createdDateTime ge '2026-03-01T11:00:00Z'",
        "n eq '3'",
        "on eq 'true'",
        "name eq 3",
        "name eq 2026-03-01T11:00:00Z",
        "kinds eq 'x'",
        "id eq %",
    ] {
        let refused = collection(&rows(), &call(&[("$filter", text)]), &Rules::PLAIN).unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (400, "BadRequest"), "{text}");
    }
    let deep = format!("{}on{}", "(".repeat(5000), ")".repeat(5000));
    assert!(matches!(Filter::parse(&deep), Err(QueryError::Syntax(_))));
    assert!(matches!(Filter::parse(&"not ".repeat(5000)), Err(QueryError::Syntax(_))));
}

#[test]
fn only_documented_properties_and_operators_are_filterable() {
    let rules = Rules { filterable: Some(&["id", "name eq startswith", "targets/id eq"]), ..Rules::PLAIN };
    let ask = |text: &str| {
        collection(&rows(), &call(&[("$filter", text)]), &rules).map(|reply| ids(&reply).concat())
    };
    assert_eq!(ask("name eq 'bob'").unwrap(), "b");
    assert_eq!(ask("targets/any(t:t/id eq '1')").unwrap(), "ac");
    assert_eq!(
        ask("contains(name,'b')").unwrap_err().message,
        "Unsupported or invalid query filter clause specified for property 'name'."
    );
    assert_eq!(ask("n eq 3").unwrap_err().status, 400);
}

#[test]
fn an_advanced_directory_query_wants_its_header_and_count() {
    let rules = Rules { directory: true, ..Rules::PLAIN };
    let mut asked = call(&[("$filter", "id ne 'a'"), ("$count", "true")]);
    assert_eq!(collection(&rows(), &asked, &rules).unwrap_err().code, "Request_UnsupportedQuery");
    asked.headers.push(("consistencylevel".to_owned(), "eventual".to_owned()));
    let reply = collection(&rows(), &asked, &rules).unwrap();
    assert_eq!(reply.body.unwrap()["@odata.count"], 2);
}

#[test]
fn pages_follow_each_other_though_rows_arrive_in_front() {
    let rules = Rules { default_order: "createdDateTime desc", ..Rules::PLAIN };
    let query = [("$top", "2"), ("$filter", "createdDateTime ge 2026-03-01T00:00:00Z"), ("$count", "true")];
    let first = collection(&rows(), &call(&query), &rules).unwrap();
    assert_eq!(ids(&first), ["c", "b"]);
    let body = first.body.unwrap();
    assert_eq!(body["@odata.count"], 3);
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with("http://127.0.0.1:9/v1.0/auditLogs/signIns?$top=2&$filter=createdDateTime%20ge%202026-03-01T00:00:00Z&$count=true&$skiptoken="), "{link}");
    let token = link.rsplit_once('=').unwrap().1.to_owned();

    let mut later = rows();
    later.push(json!({"id": "d", "createdDateTime": "2026-03-01T13:00:00Z"}));
    let mut next: Vec<(&str, &str)> = query.to_vec();
    next.push(("$skiptoken", &token));
    let second = collection(&later, &call(&next), &rules).unwrap();
    assert_eq!(ids(&second), ["a"]);
    assert!(second.body.as_ref().unwrap().get("@odata.nextLink").is_none());
    assert!(second.body.unwrap().get("@odata.count").is_none());
    assert_eq!(collection(&later, &call(&[("$skiptoken", "nonsense!")]), &rules).unwrap_err().status, 400);
}

#[test]
fn order_and_projection_and_options_are_kept_to() {
    let reply =
        collection(&rows(), &call(&[("$orderby", "on,n desc"), ("$select", "id,n")]), &Rules::PLAIN).unwrap();
    let body = reply.body.clone().unwrap();
    assert_eq!(ids(&reply), ["b", "c", "a"]);
    assert_eq!(body["value"][0], json!({"id": "b", "n": 5}));
    assert_eq!(body["@odata.context"], "http://127.0.0.1:9/v1.0/$metadata#auditLogs/signIns(id,n)");
    assert_eq!(
        ids(&collection(&rows(), &call(&[("$skip", "1"), ("$top", "1")]), &Rules::PLAIN).unwrap()),
        ["b"]
    );
    let rules = Rules { orderable: Some(&["id"]), selectable: Some(&["id"]), max_page: 10, ..Rules::PLAIN };
    for query in [
        ("$orderby", "n"),
        ("$orderby", "id sideways"),
        ("$select", "bogus"),
        ("$top", "11"),
        ("$top", "0"),
        ("$top", "x"),
        ("$search", "x"),
        ("$count", "yes"),
        ("$skip", "-1"),
    ] {
        assert_eq!(collection(&rows(), &call(&[query]), &rules).unwrap_err().status, 400, "{query:?}");
    }
}

#[test]
fn an_entity_has_its_context_and_its_projection() {
    let mut asked = call(&[]);
    asked.path = "/v1.0/users/a".to_owned();
    let row = json!({"id": "a", "name": "x", "secret": 1, "@odata.type": "#t"});
    assert_eq!(
        entity(&row, &asked, &["id", "name"]).body.unwrap(),
        json!({"@odata.context": "http://127.0.0.1:9/v1.0/$metadata#users/$entity", "id": "a", "name": "x", "@odata.type": "#t"})
    );
    asked.query.push(("$select".to_owned(), "secret".to_owned()));
    assert_eq!(entity(&row, &asked, &["id"]).body.unwrap()["secret"], 1);
}

#[test]
fn six_hundred_rows_are_filtered_in_no_time() {
    let many: Vec<Value> = (0..600).map(|index| json!({"id": format!("{index}"), "createdDateTime": "2026-03-01T10:00:00Z", "kinds": ["x"]})).collect();
    let rules =
        Rules { default_order: "createdDateTime desc", default_page: 1000, max_page: 1000, ..Rules::PLAIN };
    let began = std::time::Instant::now();
    for _ in 0..20 {
        collection(
            &many,
            &call(&[(
                "$filter",
                "createdDateTime ge 2026-03-01T00:00:00Z and kinds/any(t: t eq 'x' or t eq 'y')",
            )]),
            &rules,
        )
        .unwrap();
    }
    assert!(began.elapsed().as_millis() < 2000, "{:?}", began.elapsed());
}
