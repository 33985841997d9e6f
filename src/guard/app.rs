//! App guards: `microsoft_app`, `own_app`, `app_in_use`. Disabling an app is for everyone in the tenant.

use super::verdict::refusal;
use crate::case::{AppBrief, AppUse, Look};
use crate::plan::GuardRefusal;

/// So many other users who consented to an app make it one that is in use.
const MANY: usize = 3;

/// Judges the disabling of an app.
pub fn judge_app(app: &AppBrief, used_by: &Look<AppUse>, own_apps: &[String]) -> Vec<GuardRefusal> {
    let object = named(app);
    let mut refused = Vec::new();
    if app.is_microsofts() {
        refused.push(refusal(
            "microsoft_app",
            &object,
            "it is Microsoft's own: mail, files or sign-in would end for everyone",
            "take back the user's consent alone: `revoke_app_consents`",
        ));
    }
    refused.extend(judge_own_app(app, own_apps));
    let why = match used_by {
        Look::Read(used_by) if used_by.tenant_wide => {
            Some("it was consented to for everyone in the tenant".to_owned())
        }
        Look::Read(used_by) if used_by.others.len() >= MANY => {
            Some(format!("{} other users have consented to it", used_by.others.len()))
        }
        Look::Read(_) => None,
        Look::Unread { why } => Some(format!("who else has consented to it could not be read: {why}")),
    };
    if let Some(why) = why {
        let next =
            "ask whose app it is; if it is malicious all the same, plan again with `--override app_in_use`";
        refused.push(refusal("app_in_use", &object, why, next));
    }
    refused
}

/// Judges the disabling of an app by whether it is one of ours alone: what may have changed since the plan.
pub fn judge_own_app(app: &AppBrief, own_apps: &[String]) -> Option<GuardRefusal> {
    own_apps.iter().any(|own| app.app_id.eq_ignore_ascii_case(own)).then(|| {
        refusal(
            "own_app",
            &named(app),
            "it is an app that stanch itself signs in as",
            "if its credential was taken, replace that in the Entra admin center",
        )
    })
}

fn named(app: &AppBrief) -> String {
    format!("app `{}` ({})", app.name, app.app_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(owner: &str) -> AppBrief {
        AppBrief {
            id: "aa6db6ab-6c0f-4e90-8b1d-6ae2f7d1c3a0".to_owned(),
            app_id: "11110000-0000-4000-8000-000000000011".to_owned(),
            name: "Mail Sync".to_owned(),
            publisher: String::new(),
            verified_publisher: None,
            owner_tenant: Some(owner.to_owned()),
            enabled: Some(true),
            created_at: None,
        }
    }

    fn names(app: &AppBrief, used_by: &Look<AppUse>, own_app: &str) -> Vec<String> {
        judge_app(app, used_by, &["other".to_owned(), own_app.to_owned()])
            .into_iter()
            .map(|own| own.guard)
            .collect()
    }

    #[test]
    fn an_app_that_hardly_anybody_uses_may_be_disabled() {
        let used_by = Look::Read(AppUse { tenant_wide: false, others: vec!["a".into(), "b".into()] });
        assert!(names(&app("7c1f0000-1111-4222-8333-444455556666"), &used_by, "x").is_empty());
    }

    #[test]
    fn microsofts_apps_and_our_own_and_those_in_use_are_refused() {
        let nobody = Look::Read(AppUse::default());
        for owner in ["f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72F988BF-86F1-41AF-91AB-2D7CD011DB47"] {
            assert_eq!(names(&app(owner), &nobody, "x"), ["microsoft_app"]);
        }
        let own = "7c1f0000-1111-4222-8333-444455556666";
        assert_eq!(names(&app(own), &nobody, "11110000-0000-4000-8000-000000000011"), ["own_app"]);
        let many = AppUse { tenant_wide: false, others: vec!["a".into(), "b".into(), "c".into()] };
        for used_by in [
            Look::Read(many),
            Look::Read(AppUse { tenant_wide: true, others: vec![] }),
            Look::Unread { why: "403".to_owned() },
        ] {
            assert_eq!(names(&app(own), &used_by, "x"), ["app_in_use"]);
        }
    }
}
