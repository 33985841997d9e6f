use serde_json::json;

use super::*;
use crate::graph::answer::NON_PREMIUM;
use crate::graph::double::{
    Double, EPOCH, Reply, SECRET, TENANT, TOKEN_MARK, USER, answer, answer_with, list, raw, refusal, token,
    user_row,
};
use crate::graph::error::{FailureKind, Retry};

fn throttled(headers: &[(&str, &str)]) -> Reply {
    answer_with(429, &json!({"error": {"code": "TooManyRequests", "message": "Too many requests."}}), headers)
}

#[tokio::test(start_paused = true)]
async fn every_form_of_retry_after_is_waited_for() {
    for (value, tenths) in [("17", 170), ("2.128", 21), ("Mon, 02 Mar 2026 10:00:20 GMT", 200)] {
        let double = Double::new(move |before, _| match before {
            0 => throttled(&[("retry-after", value)]),
            _ => answer(200, &user_row()),
        });
        double.connect().reader().user(USER).await.unwrap().unwrap();
        assert_eq!(double.tenths(), [0, tenths], "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_retry_after_the_wait_doubles_until_the_deadline() {
    let double = Double::new(|_, _| throttled(&[]));
    let error = double.connect().reader().user(USER).await.unwrap_err();
    assert!(matches!(error, GraphError::Throttled { .. }), "{error:?}");
    assert_eq!(double.tenths(), [0, 10, 30, 70, 150, 310, 630, 950]);
    assert_eq!((error.retry(), error.kind()), (Retry::Safe, FailureKind::Transient));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let double = Double::new(|_, _| throttled(&[("retry-after", "3600")]));
    double.connect().reader().user(USER).await.unwrap_err();
    assert_eq!(double.tenths(), [0]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_at_once_for_ever_is_not_hammered() {
    let double = Double::new(|_, _| throttled(&[("retry-after", "0")]));
    double.connect().reader().user(USER).await.unwrap_err();
    assert!(double.calls().len() <= 12);
    assert!(double.tenths()[1] >= 2, "{:?}", double.tenths());
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_paced_once_it_has_throttled_and_no_sooner() {
    let double = Double::new(|before, request| {
        assert!(request.uri().path().contains("/identity/conditionalAccess/"));
        if before == 3 { throttled(&[]) } else { list(&[]) }
    });
    let reader = double.connect().reader();
    for _ in 0..3 {
        reader.policies().await.unwrap();
    }
    assert_eq!(double.tenths(), [0, 0, 0]);
    reader.policies().await.unwrap();
    // Clones share the pace.
    let (left, right) = (reader.clone(), reader.remembering());
    let (left, right) = tokio::join!(left.named_locations(), right.policies());
    left.unwrap();
    right.unwrap();
    assert_eq!(double.tenths(), [0, 0, 0, 0, 10, 21, 31]);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_before_there_was_a_pace_waits_for_its_slot_and_no_longer() {
    let double = Double::new(|before, _| if before == 1 { throttled(&[]) } else { list(&[]) });
    let reader = double.connect().reader();
    let (first, second, third) =
        tokio::join!(reader.policies(), reader.named_locations(), reader.named_locations());
    first.unwrap();
    second.unwrap();
    third.unwrap();
    assert_eq!(double.tenths(), [0, 0, 10, 21]);
}

#[tokio::test(start_paused = true)]
async fn twenty_reads_at_once_ask_for_one_token() {
    let double = Double::new(|_, _| answer(200, &user_row()));
    let reader = double.connect().reader();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let reader = reader.clone();
        tasks.spawn(async move { reader.user(USER).await.unwrap().unwrap() });
    }
    assert_eq!(tasks.join_all().await.len(), 20);
    assert_eq!((double.calls().len(), double.token_calls().len()), (20, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_for_all_and_then_it_ends() {
    let double = Double::new(|_, request| {
        let header = request.headers()["authorization"].to_str().unwrap();
        if header.ends_with(&format!("{TOKEN_MARK}0")) {
            refusal(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        } else {
            answer(200, &user_row())
        }
    });
    let reader = double.connect().reader();
    let (left, right) = tokio::join!(reader.user(USER), reader.user(USER));
    assert!(left.unwrap().is_some() && right.unwrap().is_some());
    assert_eq!((double.calls().len(), double.token_calls().len()), (4, 2));

    let double = Double::new(|_, _| refusal(401, "InvalidAuthenticationToken", "no"));
    let error = double.connect().reader().user(USER).await.unwrap_err();
    assert_eq!((error.status(), error.retry()), (Some(401), Retry::Never));
    assert_eq!((double.calls().len(), double.token_calls().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_claims_challenge_is_answered_once_with_what_it_asks_for() {
    let challenge = || {
        answer_with(
            401,
            &json!({"error": {"code": "InvalidAuthenticationToken", "message": "challenge"}}),
            &[(
                "www-authenticate",
                "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzcyNDQ1NjAwIn19fQ==\"",
            )],
        )
    };
    let double =
        Double::new(move |before, _| if before == 0 { challenge() } else { answer(200, &user_row()) });
    assert!(double.connect().reader().user(USER).await.unwrap().is_some());
    let bodies: Vec<String> = double.token_calls().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies.len(), 2);
    assert!(!bodies[0].contains("claims="), "{}", bodies[0]);
    assert!(bodies[1].contains("claims=%7B%22access_token%22%3A%7B%22nbf%22"), "{}", bodies[1]);

    let double = Double::new(move |_, _| challenge());
    let error = double.connect().reader().user(USER).await.unwrap_err();
    assert_eq!(error.code(), "sign_in_session_revoked");
    assert_eq!(double.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_outlives_whatever_breaks_on_the_way() {
    let double = Double::new(|before, _| match before {
        0 => Reply::NoAnswer,
        1 => raw(200, "application/json", b"{\"id\": \"0f3c2b", &[]),
        2 => raw(200, "text/html", b"<html></html>", &[]),
        _ => answer(200, &user_row()),
    });
    assert!(double.connect().reader().user(USER).await.unwrap().is_some());
    let double = Double::new(|before, _| match before {
        0 => refusal(503, "serviceNotAvailable", ""),
        1 => refusal(500, "generalException", ""),
        2 => refusal(504, "GatewayTimeout", ""),
        3 => Reply::NotSent,
        _ => answer(200, &user_row()),
    });
    assert!(double.connect().reader().user(USER).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_try_that_hangs_is_given_up_and_tried_again() {
    let double = Double::new(|before, _| if before == 0 { Reply::Silence } else { answer(200, &user_row()) });
    assert!(double.connect().reader().user(USER).await.unwrap().is_some());
    assert_eq!(double.tenths(), [0, 310]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_permission_that_is_missing() {
    for (code, hint) in [
        (
            "Authorization_RequestDenied",
            Some(
                "grant the app `User.Read.All`, with an administrator's consent: `stanch doctor` prints the command",
            ),
        ),
        ("SomethingElse", None),
    ] {
        let double =
            Double::new(move |_, _| refusal(403, code, "Insufficient privileges to complete the operation."));
        let error = double.connect().reader().user(USER).await.unwrap_err();
        assert_eq!(error.hint().as_deref(), hint);
        assert_eq!(error.is_permission_missing(), hint.is_some());
        assert_eq!(error.to_string(), format!("GET `/v1.0/users/{USER}` was refused with 403 `{code}`"));
        assert_eq!(error.request_id(), Some("11111111-2222-3333-4444-555555555555"));
        assert_eq!(double.calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_licence_is_called_missing_only_when_graph_says_so_three_times() {
    let premium = "Neither tenant is B2C or tenant doesn't have premium license";
    let double = Double::new(move |before, _| match before {
        0 | 1 => refusal(403, NON_PREMIUM, premium),
        _ => answer(200, &user_row()),
    });
    assert!(double.connect().reader().user(USER).await.unwrap().is_some());
    let double = Double::new(move |_, _| refusal(403, NON_PREMIUM, premium));
    let error = double.connect().reader().user(USER).await.unwrap_err();
    assert!(error.is_unlicensed() && !error.is_permission_missing());
    assert_eq!(double.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_token_is_decoded_for_roles_and_tenant() {
    let connection = Double::new(|_, _| list(&[])).connect();
    assert_eq!(connection.roles().await.unwrap(), ["User.Read.All"]);
    assert_eq!(connection.token_tenant().await.unwrap().as_str(), TENANT);
}

#[tokio::test(start_paused = true)]
async fn every_call_says_who_asks_and_under_which_id() {
    let double = Double::new(|_, _| answer(200, &user_row()));
    let reader = double.connect().reader();
    reader.user(USER).await.unwrap();
    reader.user(USER).await.unwrap();
    let ids: Vec<String> = double
        .calls()
        .iter()
        .map(|seen| {
            assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("stanch/"));
            assert_eq!(seen.headers["accept"], "application/json");
            seen.headers["client-request-id"].to_str().unwrap().to_owned()
        })
        .collect();
    assert!(ids[0].parse::<ClientRequestId>().is_ok() && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn graphs_time_goes_on_between_answers() {
    let double =
        Double::new(|_, _| answer_with(200, &user_row(), &[("date", "Thu, 01 Jan 2026 00:00:00 GMT")]));
    let reader = double.connect().reader();
    assert_eq!(reader.server_time(), None);
    reader.user(USER).await.unwrap();
    tokio::time::advance(Duration::from_secs(90)).await;
    assert_eq!(reader.server_time().unwrap().to_string(), "2026-01-01T00:01:30Z");
    assert_ne!(EPOCH, "2026-01-01T00:01:30Z");
}

/// Gathers all that is traced, every field of it.
#[derive(Clone, Default)]
struct Gathered(Arc<Mutex<String>>);

impl std::io::Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_shows_in_traces_errors_or_debug() {
    let gathered = Gathered::default();
    let writer = gathered.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // While there is one subscriber alone, `tracing` asks the thread that comes to a place first whether anybody listens
    // there, and keeps its answer for all: a test beside this one would say no. Of two it asks each.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let guard = tracing::subscriber::set_default(subscriber);
    let double = Double::with_tokens(
        |before, _| match before {
            0 => throttled(&[]),
            _ => refusal(403, "Authorization_RequestDenied", "no"),
        },
        |before, _| match before {
            0 => raw(200, "application/json", format!("{{\"access_token\": \"{TOKEN_MARK}").as_bytes(), &[]),
            _ => token(before, 3_600),
        },
    );
    let connection = double.connect();
    let error = connection.reader().user(USER).await.unwrap_err();
    let shown = format!("{error:?} {error} {connection:?} {:?}", connection.writer());
    drop(guard);
    let traced = gathered.0.lock().unwrap().clone();
    assert!(traced.contains("client_request_id"), "nothing was traced: {traced}");
    for text in [shown, traced] {
        assert!(!text.contains(SECRET) && !text.contains(TOKEN_MARK), "{text}");
    }
    assert!(double.token_calls()[0].body.contains(SECRET), "the secret is sent in the body");
}
