//! The store's tables, version by version. A version that was released is never changed.

/// One batch of SQL per version, from 1.
pub const MIGRATIONS: &[&str] = &[
    "
    create table plans (
        id text primary key,
        digest text not null,
        created_at integer not null,
        body text not null
    );
    create table runs (
        id text primary key,
        plan_id text not null references plans (id),
        digest text not null unique,
        subject text not null,
        subject_upn text not null,
        playbook text not null,
        started_at integer not null,
        alive_until integer not null,
        ended_at integer
    );
    create index runs_by_subject on runs (subject);
    create table journal (
        run text not null references runs (id),
        seq integer not null,
        at integer not null,
        entry text not null,
        previous text not null,
        hash text not null,
        primary key (run, seq)
    );
    create table ledger (
        location text not null,
        range text not null,
        run text not null,
        added_at integer not null,
        primary key (location, range)
    );
",
    "
    alter table plans add column expires_at integer not null default 0;
    alter table plans add column subject text not null default '';
    alter table plans add column subject_upn text not null default '';
    alter table plans add column playbook text not null default '';
    alter table plans add column requested_by text not null default '';
    alter table plans add column webhook text;
    create index plans_by_expiry on plans (expires_at);
",
    "
    create table used_approvals (
        nonce text primary key,
        run text not null references runs (id),
        used_at integer not null
    );
",
    "
    create table alerts (
        id text primary key,
        webhook text not null,
        delivery text not null,
        received_at integer not null,
        outcome text not null,
        title text not null,
        severity text not null,
        users text not null,
        body text not null
    );
    create unique index alerts_by_delivery on alerts (webhook, delivery);
    create index alerts_by_time on alerts (received_at);
    create table cases (
        id text primary key,
        webhook text not null,
        playbook text not null,
        subject_key text,
        named text not null,
        subject text,
        state text not null,
        why text,
        next text,
        joined_to text,
        opened_at integer not null,
        run_at integer not null,
        attempts integer not null,
        lease_owner text,
        lease_until integer
    );
    create index cases_by_subject_key on cases (subject_key, opened_at);
    create index cases_by_subject on cases (subject, opened_at);
    create index cases_by_time on cases (opened_at);
    create index cases_due on cases (state, run_at);
    create table case_alerts (
        case_id text not null references cases (id),
        alert_id text not null references alerts (id),
        place integer not null,
        primary key (case_id, alert_id)
    ) without rowid;
    create index case_alerts_by_alert on case_alerts (alert_id, place);
",
    "
    create table investigations (
        plan_id text not null,
        phase text not null,
        read_at integer not null,
        body text not null,
        primary key (plan_id, phase)
    ) without rowid;
",
];
