//! Plans made by hand, for the tests of this floor and those above it.

use serde_json::json;

use crate::approval::{ConsentKind, ConsumedConsent, Given};
use crate::domain::Sha256Digest;
use crate::plan::{Action, ApprovalMode, Object, Plan, PlannedRequest, Undo, Verb};

pub fn action(id: &str, required: bool) -> Action {
    Action {
        id: id.parse().unwrap(),
        step: id.to_owned(),
        summary: id.to_owned(),
        object: Object { kind: "user".to_owned(), id: None, name: "x".to_owned() },
        before: json!(null),
        after: json!(null),
        needs: Vec::new(),
        required,
        approval: ApprovalMode::Always,
        reversible: false,
        undo: Undo::Impossible { why: "a test".to_owned() },
        reason: String::new(),
        evidence: Vec::new(),
        requests: vec![PlannedRequest { method: Verb::Post, path: "/v1.0/x".to_owned(), body: json!({}) }],
        cannot: None,
        asks: None,
        deliver: None,
        watch: None,
    }
}

pub fn plan(actions: Vec<Action>) -> Plan {
    let value = json!({
        "format": crate::plan::PLAN_FORMAT, "id": "p1", "digest": Sha256Digest::of_bytes(b""),
        "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T01:00:00Z", "engine": "test",
        "tenant": { "id": "cd613e30-d8f1-4adf-91b7-584a2265b1f5", "name": "Contoso" },
        "playbook": { "name": "evict", "digest": Sha256Digest::of_bytes(b"") },
        "guards": { "digest": Sha256Digest::of_bytes(b""), "refused": [], "overridden": [] },
        "case": {
            "subject": {
                "id": "6ed5d1bf-e585-452f-ac95-4ab592c9357d", "upn": "lynne.robbins@contoso.com",
                "display_name": "Lynne Robbins", "created_at": null, "synced": false, "guest": false,
                "federated": { "read": false }, "enabled": true, "restricted": false, "roles": { "read": [] },
                "in_role_assignable_group": { "read": false }, "password_changed_at": null,
                "sessions_valid_from": null, "last_sign_in": { "read": null }
            },
            "indicators": [], "since": null, "methods": { "read": [] }
        },
        "actions": [], "unchanged": [], "left": [], "warnings": [], "residual_risk": [], "permissions": [],
        "requested_by": { "name": "demo", "resolved": false }
    });
    let mut plan: Plan = serde_json::from_value(value).unwrap();
    plan.actions = actions;
    plan.sealed().unwrap()
}

pub fn consent(plan: &Plan) -> ConsumedConsent {
    ConsumedConsent {
        kind: ConsentKind::Flag,
        digest: plan.digest,
        given: vec![Given {
            by: "dana.ito@contoso.com".to_owned(),
            user: None,
            at: plan.created_at,
            expires_at: plan.expires_at,
            reason: None,
            key: None,
            alert: None,
            approval: None,
        }],
        consumed_at: plan.created_at,
    }
}

pub fn small_plan(id: &str) -> Plan {
    let mut plan = plan(vec![action("a", true)]);
    plan.id = id.parse().unwrap();
    plan.sealed().unwrap()
}
