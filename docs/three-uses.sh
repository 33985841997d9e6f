#!/bin/sh
# The ways to use stanch, played end to end over sockets against a mock tenant: nothing real is at stake.
#
#   1. By user: a responder plans, looks, applies.
#   2. By approval: one person plans, a second one signs, and only then it is applied.
#
# Needed in the path: stanch, mock-graph, curl, ssh-keygen.
#   cargo build --workspace && PATH=$PWD/target/debug:$PATH docs/three-uses.sh
set -eu

cases=$(cd "$(dirname "$0")/../mock-graph/cases" && pwd)
work=$(mktemp -d)
mock=
cleanup() {
    [ -z "$mock" ] || kill "$mock" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work"

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'three-uses: %s\n' "$*" >&2; exit 1; }

# Runs a command that has to end with a certain status.
expect() {
    wanted=$1
    shift
    status=0
    "$@" || status=$?
    [ "$status" -eq "$wanted" ] || fail "\`$*\` ended with $status, not with $wanted"
}

# A tenant whose user Lynne Robbins an intruder holds: the reference case, fresh.
new_tenant() {
    [ -z "$mock" ] || kill "$mock"
    rm -f lines
    mkfifo lines
    mock-graph serve --tenant-file "$cases/bec-node-fetch/tenant.json" > lines &
    mock=$!
    exec 3< lines
    read -r line <&3
    base=${line#listening on }
    # What an administrator sets once; on a real tenant it is what `stanch setup` prints.
    export STANCH_GRAPH_URL="$base" AZURE_AUTHORITY_HOST="$base"
    export AZURE_TENANT_ID=contoso.com
    export STANCH_OBSERVER_CLIENT_ID=11111111-aaaa-4bbb-8ccc-000000000002 STANCH_OBSERVER_CLIENT_SECRET=observer-secret
    export AZURE_CLIENT_ID=11111111-aaaa-4bbb-8ccc-000000000001 AZURE_CLIENT_SECRET=responder-secret
}

user=lynne.robbins@contoso.com

# The settings of one person, in a folder of their own; the rest of the file comes from standard input.
settings() {
    mkdir -p "$1"
    {
        cat <<END
store = "sqlite://stanch.db"
[operator]
user = "$2"
[guards]
emergency_accounts = ["emergency.access.one@contoso.onmicrosoft.com", "emergency.access.two@contoso.onmicrosoft.com"]
END
        cat
    } > "$1/stanch.toml"
}

# The attacker of the case tries every way in that it holds, as if sign-in were enabled: `open` or `closed`.
attacker() {
    answer=$(curl -sS -X POST -H 'content-type: application/json' -d '{"assume": {"accountEnabled": true}}' \
        "$base/_mock/attackers/invoice/attempt")
    case $answer in
        *'"in":true'*) echo open ;;
        *'"in":false'*) echo closed ;;
        *) fail "the mock says: $answer" ;;
    esac
}

writes() { curl -sS "$base/_mock/requests" | grep -c '"write":true' || true; }

say "1. By user"
new_tenant
settings responder adele.vance@contoso.com < /dev/null
[ "$(attacker)" = open ] || fail "the attacker should hold the account"
(
    cd responder
    stanch doctor evict
    stanch plan evict --user "$user" --user-agent 'node-fetch*' -o plan.json
)
[ "$(writes)" -eq 0 ] || fail "a dry run has written"
(
    cd responder
    stanch apply plan.json --yes
    # A plan is applied once: again it sends nothing, and answers with the verdict it had.
    stanch apply plan.json --yes
    stanch runs list
)
[ "$(attacker)" = closed ] || fail "the attacker still gets in"

say "2. By approval: a second person's key"
new_tenant
ssh-keygen -q -t ed25519 -N '' -C megan -f megan_key
printf 'megan.bowen@contoso.com namespaces="stanch-plan" %s\n' "$(cut -d' ' -f1,2 megan_key.pub)" > allowed_signers
for person in adele megan; do
    [ "$person" = adele ] && name=adele.vance@contoso.com || name=megan.bowen@contoso.com
    settings "$person" "$name" <<'END'
[approval]
required = true
approvers = "../allowed_signers"
END
done
(
    cd adele
    stanch plan bec --user "$user" --user-agent 'node-fetch*' -o ../plan.json
    # Her own yes will not do.
    expect 4 stanch apply ../plan.json --yes
)
[ "$(writes)" -eq 0 ] || fail "something was sent without an approval"
(
    cd megan
    stanch show ../plan.json --format markdown > ../ticket.md
    stanch approve ../plan.json --key ../megan_key --reason 'INC-1234: her session was stolen' --yes
)
(
    cd adele
    stanch apply ../plan.json --approval ../plan.megan.bowen@contoso.com.approval.json
)
[ "$(attacker)" = closed ] || fail "the attacker still gets in"

say "done"
